// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What is in force: the documents that hold together, and the services that they may lead to.
package struct Admitted: Hashable, Sendable {
    /// Of every gateway that its references name, at least one exists. The rest may be gone: nothing attaches there.
    package var policy: Policy
    /// Has every service that a route of `policy` leads to.
    package private(set) var catalog: Catalog
    /// Services that documents refer to, those included that are not in force, and that are not there.
    package private(set) var unknownServices: Set<ServiceName> = []
    /// In the order of their origins.
    package var diagnostics: [Diagnostic]

    package init(policy: Policy = Policy(), catalog: Catalog = Catalog(), diagnostics: [Diagnostic] = []) {
        self.policy = policy
        self.catalog = catalog
        self.diagnostics = diagnostics
    }

    /// Other instances of services that are in it: nothing to admit anew.
    package mutating func replace(_ services: [Service]) {
        self.catalog.replace(services)
    }

    fileprivate mutating func noteUnknown(_ documents: some Sequence<some ReferringDocument>, in services: Catalog) {
        for document in documents {
            for backend in document.backends where services[backend.service] == nil {
                self.unknownServices.insert(backend.service)
            }
        }
    }
}

/// Decides which documents come into force, so that one bad reference costs no more than its own document.
///
/// - A document that refers to what does not exist is refused. Its previous version stays in force if that one still
///   holds; otherwise there is none.
/// - A service that disappears while a route that was in force leads to it keeps its last known instances: a deleted
///   file or a failing source must not take a route's traffic away.
/// - A gateway that disappears is gone. Routes stay attached to the others that they name.
///
/// - Parameter untaken: services that are not in the catalog because settings leave them out.
package func admit(
    candidate: Policy,
    catalog: Catalog,
    previous: Admitted?,
    untaken: [SourceName: [ServiceName: Untaken]] = [:]
) -> Admitted {
    var admission = Admission(
        gateways: candidate.gateways,
        services: catalog,
        previous: previous,
        untaken: untaken
    )
    var policy = candidate
    policy.routes = admission.admit(candidate.routes, previous: previous?.policy.routes ?? [:])
    policy.rawResources = admission.admit(candidate.rawResources, previous: previous?.policy.rawResources ?? [:])
    let catalog = admission.retainServices(of: policy.routes)
    var admitted = Admitted(policy: policy, catalog: catalog, diagnostics: admission.diagnostics.inOrder)
    admitted.noteUnknown(candidate.routes.values, in: admission.services)
    admitted.noteUnknown(candidate.rawResources.values, in: admission.services)
    return admitted
}

/// One run of `admit`: the world that references are looked up in, and what was found.
private struct Admission {
    let gateways: [GatewayName: Gateway]
    let services: Catalog
    let previous: Admitted?
    let untaken: [SourceName: [ServiceName: Untaken]]
    var diagnostics: [Diagnostic] = []

    mutating func admit<Name: Hashable, Document: ReferringDocument>(
        _ candidates: [Name: Document],
        previous: [Name: Document]
    ) -> [Name: Document] {
        var admitted: [Name: Document] = [:]
        for (name, candidate) in candidates {
            admitted[name] = self.admit(candidate, previous: previous[name])
        }
        return admitted
    }

    /// What comes into force for `candidate`: itself, its previous version or nothing.
    private mutating func admit<Document: ReferringDocument>(
        _ candidate: Document,
        previous: Document?
    ) -> Document? {
        let dangling = self.danglingReferences(of: candidate)
        if dangling.isEmpty { return candidate }

        guard let previous, self.stillHolds(previous) else {
            self.report(dangling, of: candidate, consequence: "it is left out")
            return nil
        }
        guard previous.withoutOrigins == candidate.withoutOrigins else {
            self.report(dangling, of: candidate, consequence: "its last good version stays in force")
            return previous
        }
        // The world changed and not the document. What it says of services is reported as SB207, once per service.
        self.report(
            dangling.filter { !$0.isService },
            of: candidate,
            consequence: "it stays in force for its other gateways"
        )
        return candidate
    }

    private func danglingReferences(of document: some ReferringDocument) -> [DanglingReference] {
        document.gatewayReferences.compactMap { reference -> DanglingReference? in
            guard let gateway = self.gateways[reference.gateway] else { return .gateway(reference) }
            return reference.attaches(to: gateway) ? nil : .listener(reference)
        } + document.backends.filter { self.services[$0.service] == nil }.map(self.dangling)
    }

    private func dangling(_ backend: Route.Backend) -> DanglingReference {
        let source = SourceName.allCases.sorted().first { self.untaken[$0]?[backend.service] != nil }
        guard let source, let untaken = self.untaken[source]?[backend.service] else { return .service(backend) }
        return .untaken(backend, untaken, in: source)
    }

    /// Whether what was in force can stay so: it needs one gateway to attach to, and may lead to services that are
    /// only remembered.
    private func stillHolds(_ document: some ReferringDocument) -> Bool {
        document.gatewayReferences.contains { reference in
            self.gateways[reference.gateway].map(reference.attaches) ?? false
        }
            && document.backends.allSatisfy {
                self.services[$0.service] != nil || self.previous?.catalog[$0.service] != nil
            }
    }

    private mutating func report(
        _ dangling: [DanglingReference],
        of document: some ReferringDocument,
        consequence: String
    ) {
        self.diagnostics += dangling.map { $0.diagnostic(subject: document.subject, consequence: consequence) }
    }

    /// The services that are known, and those that `routes` lead to and that only the previous catalog knows.
    mutating func retainServices(of routes: [RouteName: Route]) -> Catalog {
        var services = self.services.services
        for (_, route) in routes.sorted(by: { $0.key < $1.key }) {
            for backend in route.backends where services[backend.service] == nil {
                guard let last = self.previous?.catalog[backend.service] else { continue }
                services[backend.service] = last
                self.diagnostics.append(
                    Diagnostic(
                        .error,
                        code: "SB207",
                        subject: "service/\(backend.service)",
                        message: "the service is gone but \(route.subject) leads to it; "
                            + "its last known instances (\(last.instances.count)) stay in force",
                        cure: "bring the service back, or take it out of the route",
                        origin: backend.origin
                    )
                )
            }
        }
        return Catalog(services: services)
    }
}
