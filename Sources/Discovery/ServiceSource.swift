// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Something outside that tells of services and policy, for as long as it runs.
package protocol ServiceSource: Sendable {
    var name: SourceName { get }

    /// Reports in order until the task is cancelled. While `deliver` works, changes gather.
    ///
    /// - Parameter known: services that it told before this process, and are in force.
    func run(knowing known: [ServiceName], _ deliver: @Sendable (SourceReport) async -> Void) async
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

    package func run(knowing _: [ServiceName], _ deliver: @Sendable (SourceReport) async -> Void) async {
        await self.run { event in await deliver(.event(event)) }
    }
}

extension NomadSource: ServiceSource {
    package var name: SourceName { .nomad }

    package func run(knowing known: [ServiceName], _ deliver: @Sendable (SourceReport) async -> Void) async {
        await self.run(knowing: known) { (report: NomadReport) in
            switch report {
            case .source(let event): await deliver(.event(event))
            case .facts(let facts): await deliver(.facts(facts))
            }
        }
    }
}
