// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Something outside that tells of services and policy, for as long as it runs.
package protocol ServiceSource: Sendable {
    var name: SourceName { get }

    /// Delivers events in their order until the task is cancelled. While `deliver` works, changes gather.
    func run(_ deliver: @Sendable (SourceEvent) async -> Void) async
}

extension ConsulSource: ServiceSource {
    package var name: SourceName { .consul }
}
