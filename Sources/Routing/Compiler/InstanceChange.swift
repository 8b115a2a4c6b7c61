// SPDX-License-Identifier: Apache-2.0

package import Catalog

extension Topology {
    /// Services whose instances decide more than the endpoints of one target: those with subsets (a subset may come to
    /// choose none, which is worth a warning), and those that stand in for others or have others stand in for them.
    package func entangledServices(of policy: Policy) -> Set<ServiceName> {
        var services: Set<ServiceName> = []
        for gateway in self.gateways.values {
            for id in gateway.targets.keys where !id.subset.isAll { services.insert(id.service) }
        }
        // Also those that lead nowhere yet: they are warned of.
        for route in policy.routes.values {
            for backend in route.backends where !backend.subset.isAll { services.insert(backend.service) }
        }
        for (id, alternatives) in policy.failovers {
            services.insert(id.service)
            services.formUnion(alternatives.map(\.service))
        }
        return services
    }

    /// The short cut of a change that is only about instances, which is nearly every change: what `compile` would decide,
    /// at a cost that does not depend on how much else there is.
    ///
    /// - Parameter services: known before and now, not entangled, and with what else they say unchanged.
    /// - Returns: the targets that are not as before.
    package mutating func replaceInstances(
        of services: some Sequence<Service>,
        policy: Policy
    ) -> Set<TargetID> {
        let levels = EndpointLevels(policy: policy)
        var changed: Set<TargetID> = []
        for service in services {
            let id = TargetID(service: service.name)
            let holders = self.gateways.filter { $0.value.targets[id] != nil }.map(\.key)
            guard !holders.isEmpty else { continue }
            let endpoints = levels.endpoints(of: service.instances)
            for gateway in holders {
                let target = self.gateways[gateway]?.targets[id]
                guard target?.endpoints != endpoints || target?.origin != service.origin else { continue }
                self.gateways[gateway]?.targets[id]?.endpoints = endpoints
                self.gateways[gateway]?.targets[id]?.origin = service.origin
                changed.insert(id)
            }
        }
        return changed
    }
}
