// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Something outside that tells of services and policy, for as long as it runs.
package protocol ServiceSource: Sendable {
    var name: SourceName { get }

    /// Reports in order until the task is cancelled. While `deliver` works, changes gather.
    ///
    /// - Parameter known: what it told before this process, and is in force.
    func run(knowing known: KnownWord, _ deliver: @Sendable (SourceReport) async -> Void) async

    /// Takes the operator's word that what it is refused, and was told before, is gone.
    func accept()
}

/// What stands in for a source until it is heard.
package struct KnownWord: Sendable {
    package var parts: Set<CatalogGuard.Part>
    /// Those with instances, and the datacenters of these.
    package var services: [ServiceName: Set<String>]
    package var configEntries: [ConfigEntry]
    /// Of their files, by path.
    package var documents: [String: [UInt8]]
    /// Of Nomad's services, which instances were healthy: it does not say that by itself.
    package var healthy: [ServiceName: Set<InstanceID>] = [:]

    package init(
        parts: Set<CatalogGuard.Part> = [],
        services: [ServiceName: Set<String>] = [:],
        configEntries: [ConfigEntry] = [],
        documents: [String: [UInt8]] = [:]
    ) {
        self.parts = parts
        self.services = services
        self.configEntries = configEntries
        self.documents = documents
    }

    package init(_ stored: StoredCatalog.Source) {
        let services = (stored.services ?? []).filter { !$0.instances.isEmpty }
        self.init(
            parts: stored.parts,
            services: Dictionary(services.map { ($0.name, Set($0.instances.map(\.datacenter))) }) { $0.union($1) },
            configEntries: stored.configEntries ?? [],
            documents: Dictionary((stored.documents ?? []).map { ($0.path, $0.bytes) }) { first, _ in first }
        )
    }

    package init(_ stored: StoredCatalog.Source, of name: SourceName) {
        self.init(stored)
        guard name == .nomad else { return }
        for service in stored.services ?? [] {
            self.healthy[service.name] = Set(service.instances.filter { $0.health != .critical }.map(\.id))
        }
    }

    /// - Parameter datacenter: nil: there is one.
    func services(in datacenter: String?) -> [String] {
        guard let datacenter else { return self.services.keys.map(\.rawValue) }
        return self.services.filter { $0.value.contains(datacenter) }.map(\.key.rawValue)
    }
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

    package func run(knowing known: KnownWord, _ deliver: @Sendable (SourceReport) async -> Void) async {
        await self.run(knowing: known) { event in await deliver(.event(event)) }
    }
}

extension NomadSource: ServiceSource {
    package var name: SourceName { .nomad }

    package func run(knowing known: KnownWord, _ deliver: @Sendable (SourceReport) async -> Void) async {
        let services = known.services.keys.map { ($0, known.healthy[$0] ?? []) }
        await self.run(knowing: Dictionary(uniqueKeysWithValues: services)) { (report: NomadReport) in
            switch report {
            case .source(let event): await deliver(.event(event))
            case .facts(let facts): await deliver(.facts(facts))
            }
        }
    }
}
