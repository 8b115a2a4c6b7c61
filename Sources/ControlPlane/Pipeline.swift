// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Documents
import EnvoyTranslation
package import Routing

/// From files to a topology, without I/O: parse, admit, compile. Each stage keeps what was good.
package struct Pipeline: Sendable {
    private var documents: DocumentSet
    private var admitted: Admitted?
    private var compileDiagnostics: [Diagnostic] = []
    package private(set) var topology = Topology()

    package init(_ options: DocumentSet.Options = DocumentSet.Options()) {
        self.documents = DocumentSet(options: options)
    }

    /// - Parameter now: monotonic, since any start.
    /// - Returns: whether the topology is another one.
    package mutating func apply(_ changes: [FileChange], at now: Duration) -> Bool {
        guard self.documents.apply(changes, at: now) else { return false }
        return self.compile()
    }

    /// Takes the operator's word that what the removal guard holds is really to go.
    package mutating func acceptRemovals() -> Bool {
        guard self.documents.acceptRemovals() else { return false }
        return self.compile()
    }

    private mutating func compile() -> Bool {
        let admitted = admit(
            candidate: self.documents.policy,
            services: self.documents.services,
            previous: self.admitted
        )
        let before = self.topology
        (self.topology, self.compileDiagnostics) = Routing.compile(catalog: admitted.catalog, policy: admitted.policy)
        self.admitted = admitted
        return self.topology != before
    }

    /// Of all stages, in the order of their origins.
    package var diagnostics: [Diagnostic] {
        (self.documents.diagnostics + (self.admitted?.diagnostics ?? []) + self.compileDiagnostics).inOrder
    }

    /// Of all stages, and of the translation for every kind of proxy that the gateways tell apart: what a linter should
    /// say. Which proxies there are is not known here; gateways with one selector, or with none, meet on one for sure. What
    /// a resource names may come from any gateway that it meets, so only what is nowhere is said to be missing.
    package var allDiagnostics: [Diagnostic] {
        let gateways = Array(self.topology.gateways.values)
        let missing = translate(gateways).diagnostics.filter { $0.code == Diagnostic.inconsistencyCode }
        let translated = Set(gateways.map(\.proxies)).flatMap { selector in
            translate(gateways.filter { $0.proxies == selector || $0.proxies == ProxySelector() }).diagnostics
        }
        return (self.diagnostics + missing + Set(translated.filter { $0.code != Diagnostic.inconsistencyCode })).inOrder
    }

    /// How many documents of each kind are in force.
    package var counts: [(kind: String, count: Int)] {
        let policy = self.admitted?.policy ?? Policy()
        return [
            ("service", self.admitted?.catalog.services.count ?? 0),
            ("gateway", policy.gateways.count),
            ("route", policy.routes.count),
            ("service-defaults", policy.serviceDefaults.count),
            ("envoy-resource", policy.rawResources.count),
        ]
    }
}
