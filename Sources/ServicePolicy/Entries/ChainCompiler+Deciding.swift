// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ChainCompiler {
    /// The entry that decides where the requests of a service go, which a share for its canaries would pass by.
    ///
    /// Nil if there is none: a router without a route that can be used, and what cannot be followed, are as if they were
    /// not written.
    mutating func decidingKey(of service: ServiceName) -> ConfigEntry.Key? {
        func key(_ kind: String) -> ConfigEntry.Key { ConfigEntry.Key(kind: kind, name: service.rawValue) }

        for route in self.entries.routers[service]?.routes ?? []
        where self.shares(of: route.destination, from: service) != nil {
            return key("service-router")
        }
        let instances = self.sharesOfInstances(of: service)
        if self.entries.splitters[service] != nil, self.shares(of: service) != instances {
            return key("service-splitter")
        }
        let plain = TargetID(service: service)
        let isPlain = instances.allSatisfy { $0.target == plain }
        return isPlain && self.allFailovers[plain] == nil ? nil : key("service-resolver")
    }
}
