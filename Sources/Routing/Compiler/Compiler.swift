// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Decides, from what operators wrote and what is running, which requests each gateway sends where.
///
/// Total: what does not resolve (`admit` lets none through) leads to a target without endpoints or attaches nowhere.
/// Equal inputs give equal results. The diagnostics are warnings, in the order of their origins.
package func compile(catalog: Catalog, policy: Policy) -> (topology: Topology, diagnostics: [Diagnostic]) {
    var compiler = Compiler(catalog: catalog, policy: policy)
    compiler.checkBackends()
    let routes = compiler.routesByListener()
    let rawResources = compiler.rawResourcesByGateway()
    var topology = Topology()
    for (name, gateway) in policy.gateways {
        topology.gateways[name] = compiler.compile(
            gateway,
            routes: routes[name] ?? [:],
            rawResources: rawResources[name] ?? []
        )
    }
    return (topology, compiler.diagnostics.inOrder)
}

/// One run of `compile`.
struct Compiler {
    let catalog: Catalog
    let policy: Policy
    /// Made once each, however many gateways lead to them.
    var targets: [TargetID: Target] = [:]
    /// A set: what is found again for another listener is one finding.
    var diagnostics: Set<Diagnostic> = []

    init(catalog: Catalog, policy: Policy) {
        self.catalog = catalog
        self.policy = policy
    }

    /// For every gateway and listener name the routes that attach, in the order of their names.
    func routesByListener() -> [GatewayName: [String: [Route]]] {
        var attached: [GatewayName: [String: [Route]]] = [:]
        for (_, route) in self.policy.routes.sorted(by: { $0.key < $1.key }) {
            for reference in route.gateways {
                guard let gateway = self.policy.gateways[reference.gateway] else { continue }
                for listener in gateway.listeners where reference.attaches(to: listener) {
                    // A route may name a listener twice, as "edge" and "edge/http". It is the last that attached, then.
                    if attached[gateway.name]?[listener.name]?.last?.name == route.name { continue }
                    attached[gateway.name, default: [:]][listener.name, default: []].append(route)
                }
            }
        }
        return attached
    }

    func rawResourcesByGateway() -> [GatewayName: [RawResource]] {
        var resources: [GatewayName: [RawResource]] = [:]
        for (_, resource) in self.policy.rawResources.sorted(by: { $0.key < $1.key }) {
            for gateway in Set(resource.gateways) {
                resources[gateway, default: []].append(resource)
            }
        }
        return resources
    }

    mutating func compile(
        _ gateway: Gateway,
        routes: [String: [Route]],
        rawResources: [RawResource]
    ) -> GatewayTopology {
        let listeners = gateway.listeners.sorted { $0.name < $1.name }.map { listener in
            let routes = routes[listener.name] ?? []
            return ListenerTopology(
                listener: listener,
                virtualHosts: self.virtualHosts(of: routes),
                origins: Self.origins(of: routes)
            )
        }
        return GatewayTopology(
            name: gateway.name,
            proxies: gateway.proxies,
            listeners: listeners,
            targets: self.targets(of: listeners),
            virtualHosts: gateway.virtualHosts,
            clusters: gateway.clusters,
            rawResources: rawResources,
            origin: gateway.origin
        )
    }
}
