// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Something outside that tells of services and policy, for as long as it runs.
package protocol ServiceSource: Sendable {
    var name: SourceName { get }

    /// Reports in order until the task is cancelled. While `deliver` works, changes gather.
    func run(_ deliver: @Sendable (SourceReport) async -> Void) async
}

/// What a source tells.
package enum SourceReport: Sendable {
    /// What every source tells: of services, and of how it is.
    case event(SourceEvent)
    /// What Nomad tells beside that, for `Join`.
    case facts(NomadFactsUpdate)
}

extension ConsulSource: ServiceSource {
    package var name: SourceName { .consul }

    package func run(_ deliver: @Sendable (SourceReport) async -> Void) async {
        await self.run { event in await deliver(.event(event)) }
    }
}

extension NomadSource: ServiceSource {
    package var name: SourceName { .nomad }

    package func run(_ deliver: @Sendable (SourceReport) async -> Void) async {
        await self.run { (report: NomadReport) in
            switch report {
            case .source(let event): await deliver(.event(event))
            case .facts(let facts): await deliver(.facts(facts))
            }
        }
    }
}
