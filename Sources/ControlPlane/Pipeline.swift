// SPDX-License-Identifier: Apache-2.0

package import Catalog
import Discovery
package import Documents
import EnvoyTranslation
package import Routing
package import ServicePolicy

/// From what sources tell to a topology, without I/O: parse, join, guard, admit, compile. Each stage keeps what was good.
package struct Pipeline: Sendable {
    package struct Options: Sendable {
        package var documents: DocumentSet.Options
        package var catalogGuard: CatalogGuard.Settings
        /// What is taken of each source: what was stored of anything else is not its last word, but out of use.
        package var followed: [SourceName: Set<CatalogGuard.Part>]
        package var tags: TagOptions
        /// The one to prefer first. Empty: there is one.
        package var datacenters: [String]

        package init(
            documents: DocumentSet.Options = DocumentSet.Options(),
            catalogGuard: CatalogGuard.Settings = CatalogGuard.Settings(),
            followed: [SourceName: Set<CatalogGuard.Part>] = [:],
            tags: TagOptions = TagOptions(),
            datacenters: [String] = []
        ) {
            self.documents = documents
            self.catalogGuard = catalogGuard
            self.followed = followed
            self.tags = tags
            self.datacenters = datacenters
        }
    }

    /// What of the topology is another than before.
    package enum Change: Equatable, Sendable {
        case none
        /// The endpoints of these, and nothing else.
        case endpoints(Set<TargetID>)
        case anything
    }

    private var documents: DocumentSet
    /// That they describe.
    private var documentServices: Set<ServiceName> = []
    private let datacenters: [String]
    let followed: [SourceName: Set<CatalogGuard.Part>]
    var join = Join()
    var catalogGuard: CatalogGuard
    var policy: ServicePolicyStage
    /// Input that sources could not use.
    var sourceDiagnostics: [SourceName: [Diagnostic]] = [:]
    /// What sources have and do not take.
    var untaken: [SourceName: [ServiceName: Untaken]] = [:]
    /// Of the last known good on disk.
    var storeDiagnostics: [Diagnostic] = []
    var guardEvents: [GuardOutcome.Event] = []
    /// Rises with all that the guard takes to be other than before.
    private(set) var revision = 0
    private var admitted: Admitted?
    /// Of the documents, those that are in force.
    private var routesInForce: [RouteName: Route] = [:]
    private var compileDiagnostics: [Diagnostic] = []
    /// Services that routes lead to, and where the first of them says so.
    private var routed: [ServiceName: (route: RouteName, origin: Origin)] = [:]
    /// Services whose instances decide more than the endpoints of a target.
    private var entangled: Set<ServiceName> = []
    package private(set) var topology = Topology()

    package init(_ options: Options = Options()) {
        self.documents = DocumentSet(options: options.documents)
        self.catalogGuard = CatalogGuard(options.catalogGuard)
        self.policy = ServicePolicyStage(options.tags)
        self.datacenters = options.datacenters
        self.followed = options.followed
    }

    /// Whether every source that must be heard has been, or is stood in for.
    package var isReady: Bool { self.catalogGuard.isReady }

    /// - Parameters:
    ///   - accepted: files of which an operator said that they are to go.
    ///   - now: monotonic, since any start; and so below.
    /// - Returns: whether the topology is another one.
    package mutating func apply(_ changes: [FileChange], accepted: Set<String> = [], at now: Duration) -> Bool {
        let held = self.namesOfHeldDocuments
        guard self.documents.apply(changes, accepted: accepted, at: now) else { return false }
        self.noteHeldDocuments(since: held, release: .returned)
        return self.documentsChanged(at: now) != .none
    }

    /// Takes the operator's word that what the removal guard holds is really to go.
    package mutating func acceptRemovals(at now: Duration) -> Bool {
        let held = self.namesOfHeldDocuments
        guard self.documents.acceptRemovals() else { return false }
        self.noteHeldDocuments(since: held, release: .accepted)
        return self.documentsChanged(at: now) != .none
    }

    private mutating func documentsChanged(at now: Duration) -> Change {
        let services = Dictionary(self.documents.services.map { ($0.name, Optional($0)) }) { first, _ in first }
        self.documentServices = Set(services.keys)
        let outcome = self.catalogGuard.apply(
            CatalogUpdate(source: .file, isComplete: true, services: services),
            at: now
        )
        self.policy.update(outcome.changed, in: self.catalogGuard)
        return self.compile()
    }

    /// After a change of the catalog in force.
    mutating func catalogChanged(_ outcome: GuardOutcome) -> Change {
        guard outcome.isChange else { return .none }
        self.changed()
        self.policy.update(outcome.changed, in: self.catalogGuard)
        // Which documents are in force depends on which services there are, and not on their instances.
        var isOtherPolicy = self.policy.decide(with: self.policyInForce, named: self.documentServices)
        if !outcome.configEntries.isEmpty {
            let entries = SourceName.allCases.sorted().flatMap(self.catalogGuard.configEntries(of:))
            isOtherPolicy = self.policy.read(entries) || isOtherPolicy
        }
        let isOtherWorld = isOtherPolicy || outcome.isOtherServices || outcome.becameReady || self.admitted == nil
        if isOtherWorld || !outcome.changed.isDisjoint(with: self.entangled) { return self.compile() }
        return self.replaceInstances(of: outcome.changed)
    }

    mutating func changed() {
        self.revision += 1
    }

    var heldDocuments: (documents: [String], since: Duration)? { self.documents.held }

    private var documentPolicy: Policy {
        var policy = self.documents.policy
        policy.datacenters = self.datacenters
        return policy
    }

    /// What tags come after: a route that is refused has no requests, and so takes none from them.
    private var policyInForce: Policy {
        var policy = self.documentPolicy
        policy.routes = self.routesInForce
        return policy
    }

    /// The short cut: what only instances decide.
    private mutating func replaceInstances(of names: Set<ServiceName>) -> Change {
        let catalog = self.catalogGuard.catalog
        let services = names.compactMap { catalog[$0] }
        guard var admitted = self.admitted else { return self.compile() }
        self.admitted = nil
        admitted.replace(services)
        self.admitted = admitted
        let targets = self.topology.replaceInstances(of: services, policy: admitted.policy)
        return targets.isEmpty ? .none : .endpoints(targets)
    }

    /// Whether this says something else than before of a service that something refers to and that is not there: what is
    /// said of any other tells nobody anything.
    ///
    /// - Parameter untaken: what the source does not take.
    func isOther(_ untaken: [ServiceName: Untaken], of source: SourceName) -> Bool {
        let before = self.untaken[source] ?? [:]
        return self.admitted?.unknownServices.contains { before[$0] != untaken[$0] } ?? false
    }

    mutating func compile() -> Change {
        guard self.isReady else { return .none }
        var admitted = admit(
            candidate: self.documentPolicy,
            catalog: self.catalogGuard.catalog,
            previous: self.admitted,
            untaken: self.untaken
        )
        // If they are the same they stay in the same place in memory, where to compare them costs nothing.
        if self.routesInForce != admitted.policy.routes { self.routesInForce = admitted.policy.routes }
        _ = self.policy.decide(with: self.policyInForce, named: self.documentServices)
        self.policy.addTags(to: &admitted.policy)
        let chained = self.policy.applyChains(to: admitted.policy, catalog: admitted.catalog)
        let before = self.topology
        (self.topology, self.compileDiagnostics) = Routing.compile(catalog: admitted.catalog, policy: chained)
        self.entangled = self.topology.entangledServices(of: chained)
        self.admitted = admitted
        self.routed = admitted.policy.routed
        return self.topology == before ? .none : .anything
    }
}

extension Pipeline {
    /// Of all stages, in the order of their origins.
    package var diagnostics: [Diagnostic] {
        let stages = [
            self.documents.diagnostics, self.storeDiagnostics, self.sourceDiagnostics.values.flatMap(\.self),
            self.catalogGuard.diagnostics,
            self.policy.diagnostics, self.admitted?.diagnostics ?? [], self.compileDiagnostics,
            self.goneDiagnostics,
        ]
        return stages.flatMap(\.self).inOrder
    }

    /// Of services that are only remembered.
    private var goneDiagnostics: [Diagnostic] {
        self.catalogGuard.remembered.compactMap { name in
            guard let (route, origin) = self.routed[name],
                self.admitted?.catalog[name]?.instances.isEmpty ?? true
            else { return nil }
            return Diagnostic(
                .warning,
                code: "SB207",
                subject: "service/\(name)",
                message: "the service is gone but route/\(route) leads to it; what goes there is answered with 503",
                cure: "bring the service back, or take it out of the route",
                origin: origin
            )
        }
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
        let policy = self.documents.policy
        return [
            ("service", self.documents.services.count),
            ("gateway", policy.gateways.count),
            ("route", self.routesInForce.count),
            ("service-defaults", policy.serviceDefaults.count),
            ("envoy-resource", self.admitted?.policy.rawResources.count ?? 0),
        ]
    }
}

extension Policy {
    fileprivate var routed: [ServiceName: (route: RouteName, origin: Origin)] {
        var routed: [ServiceName: (route: RouteName, origin: Origin)] = [:]
        for (name, route) in self.routes.sorted(by: { $0.key < $1.key }) {
            for backend in route.backends where routed[backend.service] == nil {
                routed[backend.service] = (name, backend.origin)
            }
        }
        return routed
    }
}
