// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import ServicePolicy

/// What the catalog itself says about routing. Tags and entries are read when they change, and at no other time.
struct ServicePolicyStage: Sendable {
    private var tags: TagRouting
    private var entries = ConfigEntryReader()
    private var chainDiagnostics: [Diagnostic] = []
    /// Where requests went when the entries could last be followed.
    private var chains = ChainStanding()

    init(_ options: TagOptions) {
        self.tags = TagRouting(options: options)
    }

    var diagnostics: [Diagnostic] {
        self.tags.policy.diagnostics + self.entries.diagnostics + self.chainDiagnostics
    }

    /// With the weights that its tags say.
    func weighted(_ service: Service) -> Service {
        self.tags.weighted(service)
    }

    /// Services that are gone take with them what their tags said.
    mutating func update(_ names: Set<ServiceName>, in catalogGuard: CatalogGuard) {
        var services: [ServiceName: Service?] = [:]
        let catalog = catalogGuard.catalog
        for name in names {
            services.updateValue(catalogGuard.remembered.contains(name) ? nil : catalog[name], forKey: name)
        }
        self.tags.update(services)
    }

    /// - Parameter entries: all that there are.
    /// - Returns: whether they say something else than before.
    mutating func read(_ entries: [ConfigEntry]) -> Bool {
        self.entries.apply(entries)
    }

    /// - Parameters:
    ///   - policy: of the documents, as far as it is in force.
    ///   - named: services that documents describe.
    /// - Returns: whether the tags come to something else than before.
    mutating func decide(with policy: Policy, named: Set<ServiceName>) -> Bool {
        self.tags.decide(with: policy, entries: self.entries.entries, standing: self.chains, named: named)
    }

    /// Documents come first. What tags add leads to services and gateways that there are: there is nothing to admit.
    /// Without what tags say of the settings of services, for which config entries come first, too.
    func addTags(to policy: inout Policy) {
        policy.routes.merge(self.tags.policy.routes) { document, _ in document }
        policy.failovers.merge(self.tags.policy.failovers) { document, _ in document }
    }

    mutating func applyChains(to policy: Policy, catalog: Catalog) -> Policy {
        let applied = ServicePolicy.applyChains(to: policy, entries: self.entries.entries, previous: self.chains)
        self.chains = applied.standing
        self.chainDiagnostics = applied.diagnostics + applied.missing(in: catalog)
        var policy = applied.policy
        // They are of services that no document is about, and have what the entries say in them.
        policy.serviceDefaults.merge(self.tags.policy.serviceDefaults) { _, tags in tags }
        return policy
    }
}
