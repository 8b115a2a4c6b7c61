// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// One run of `applyChains`.
struct ChainApplication {
    /// Of a rule: matches of its own times routes of the router times methods.
    static let maximumRefinements = 1000
    /// Of a service, in all rules that lead to it: the refinements of a rule times its hosts.
    static let maximumRoutes = 10_000
    /// Of a rule, beyond the backends that are written.
    static let maximumShares = 1000

    private let original: Policy
    private let entries: ConfigEntries
    private var chains: ChainCompiler
    private var diagnostics: Set<Diagnostic> = []
    /// By the numbers of their routes: those that some rule has a use for.
    private var usedRoutes: [ServiceName: Set<Int>] = [:]
    /// What counts for `maximumRoutes`.
    private var counts: [ServiceName: Int] = [:]

    init(policy: Policy, entries: ConfigEntries, previous: ChainStanding) {
        self.original = policy
        self.entries = entries
        self.chains = ChainCompiler(entries: entries, policy: policy, previous: previous)
    }

    mutating func run() -> AppliedChains {
        guard self.entries != ConfigEntries() else {
            return AppliedChains(policy: self.original, diagnostics: [], destinations: [])
        }
        var policy = self.original
        // Documents first: what tags say takes nothing from them.
        let routes = self.original.routes.sorted {
            ($0.key.isOfTags ? 1 : 0, $0.key) < ($1.key.isOfTags ? 1 : 0, $1.key)
        }
        for (name, route) in routes { policy.routes[name] = self.apply(to: route) }
        policy.failovers = self.chains.allFailovers
        let settings = self.entries.settings(for: policy, documents: self.original.serviceDefaults)
        policy.serviceDefaults = settings.defaults
        self.reportUnusedRoutes()
        return AppliedChains(
            policy: policy,
            diagnostics: self.diagnostics.union(self.chains.diagnostics).union(settings.diagnostics).inOrder,
            destinations: self.chains.destinations.values.sorted { $0.service < $1.service },
            standing: self.chains.standing
        )
    }

    private mutating func apply(to route: Route) -> Route {
        var route = route
        for index in route.rules.indices {
            guard case .forward(let forward) = route.rules[index].action,
                forward.backends.contains(where: { $0.subset.isAll })
            else { continue }
            let place = "rule \(index + 1) of route/\(route.name)"
            let rule = route.rules[index]
            let hosts = max(1, Set(route.hostnames).count)
            route.rules[index].refinements += self.refinements(of: rule, forward, hosts: hosts, place: place)
            route.rules[index].action = .forward(self.resolved(forward, place: place))
        }
        return route
    }

    /// The rule's own action: what no route of a router is for.
    private mutating func resolved(_ forward: Route.Forward, place: String) -> Route.Forward {
        var forward = forward
        var count = 0
        var shares: [[Share]] = []
        for backend in forward.backends {
            guard backend.subset.isAll else {
                shares.append([Share(target: backend.target, fraction: 1)])
                continue
            }
            var parts = self.chains.shares(of: backend.service)
            if count + parts.count - 1 > Self.maximumShares {
                self.reportShares(of: backend.service, place: place)
                parts = self.chains.sharesOfInstances(of: backend.service)
            }
            count += parts.count - 1
            shares.append(parts)
        }
        let all = zip(forward.backends, shares).flatMap { backend, parts in
            parts.map { $0.weighted(Double(backend.weight)) }
        }
        forward.timeout = forward.timeout ?? all.timeout
        if forward.hashPolicies.isEmpty { forward.hashPolicies = all.hashPolicies }
        forward.backends = Backends.combined(Array(zip(forward.backends, shares)))
        return forward
    }

    private mutating func reportShares(of service: ServiceName, place: String) {
        let subject = ConfigEntry.Key(kind: "service-splitter", name: service.rawValue)
        let fault = ChainFault(
            subject,
            self.entries.splitters[service]?.origin ?? Origin(file: subject.description),
            "\(place) would lead to over \(Self.maximumShares) parts"
        )
        self.diagnostics.insert(fault.diagnostic("there it is not used", cure: "write fewer backends in the rule"))
    }

    // MARK: - Routers

    private mutating func refinements(
        of rule: Route.Rule,
        _ forward: Route.Forward,
        hosts: Int,
        place: String
    ) -> [Route.Refinement] {
        guard let backend = forward.backends.first, forward.backends.count == 1 else {
            for backend in forward.backends where backend.subset.isAll {
                guard let router = self.entries.routers[backend.service] else { continue }
                self.report(
                    "SB338",
                    backend.service,
                    router,
                    "\(place) leads to other services as well: it is not used there"
                )
            }
            return []
        }
        guard backend.weight > 0, let router = self.entries.routers[backend.service] else { return [] }
        var refinements: [Route.Refinement] = []
        for (matchIndex, match) in rule.matches.enumerated() {
            for route in router.routes {
                var parts: [PathConjunction] = []
                do {
                    parts = try PathConjunction.all(
                        match.path,
                        rewrite: forward.rewrite?.path,
                        and: route.path,
                        replacement: route.prefixRewrite
                    )
                } catch {
                    self.usedRoutes[backend.service, default: []].insert(route.number)
                    self.report(
                        "SB333",
                        backend.service,
                        router,
                        "route \(route.number) is left out of \(place): its path and the rule's are more than Envoy can match at once"
                    )
                }
                let matches = parts.flatMap { part in match.narrowed(to: part, route).map { ($0, part.rewrite) } }
                if matches.isEmpty { continue }
                self.usedRoutes[backend.service, default: []].insert(route.number)
                self.chains.note(
                    route.destination.service ?? backend.service,
                    router.key(of: backend.service),
                    router.origin
                )
                guard let shares = self.chains.shares(of: route.destination, from: backend.service) else { continue }
                let count = self.counts[backend.service, default: 0] + matches.count * hosts
                guard refinements.count + matches.count <= Self.maximumRefinements, count <= Self.maximumRoutes else {
                    let limit =
                        count <= Self.maximumRoutes
                        ? "\(place) would become over \(Self.maximumRefinements) routes"
                        : "with all hosts the rules that lead to the service would become over \(Self.maximumRoutes) routes"
                    self.report("SB333", backend.service, router, "\(limit); the rest of \(place) is left out")
                    self.usedRoutes[backend.service, default: []].formUnion(router.routes.map(\.number))
                    return refinements
                }
                self.counts[backend.service] = count
                refinements += matches.map { narrowed, rewrite in
                    Route.Refinement(
                        matchIndex: matchIndex,
                        match: narrowed,
                        action: .forward(forward.refined(by: route, to: shares, path: rewrite, backend: backend)),
                        requestHeaders: rule.requestHeaders.merging(route.requestHeaders),
                        responseHeaders: rule.responseHeaders.merging(route.responseHeaders),
                        origin: router.origin
                    )
                }
            }
        }
        return refinements
    }

    private mutating func reportUnusedRoutes() {
        for (service, used) in self.usedRoutes {
            guard let router = self.entries.routers[service] else { continue }
            for route in router.routes where !used.contains(route.number) {
                self.report(
                    "SB337",
                    service,
                    router,
                    "route \(route.number): no rule that leads to the service has its requests"
                )
            }
        }
    }

    private mutating func report(_ code: String, _ service: ServiceName, _ router: ServiceRouter, _ message: String) {
        let cure =
            switch code {
            case "SB333": "match by prefixes or exact paths in both, or write the route as a document"
            case "SB337": "correct the path or the method, or take the route out"
            default: "write one rule for each, or write the routes as documents"
            }
        self.diagnostics.insert(
            Diagnostic(
                code == "SB333" ? .error : .warning,
                code: code,
                subject: router.key(of: service).description,
                message: message,
                cure: cure,
                origin: router.origin
            )
        )
    }
}

extension RouteName {
    /// No document has an "@" in its name.
    fileprivate var isOfTags: Bool { self.rawValue.hasSuffix("@tags") }
}

extension ServiceRouter {
    fileprivate func key(of service: ServiceName) -> ConfigEntry.Key {
        ConfigEntry.Key(kind: "service-router", name: service.rawValue)
    }
}
