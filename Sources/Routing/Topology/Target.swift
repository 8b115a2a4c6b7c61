// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// A service, or a subset of it: what becomes one cluster.
package struct TargetID: Hashable, Sendable {
    package var service: ServiceName
    package var subset: Subset

    package init(service: ServiceName, subset: Subset = .all) {
        self.service = service
        self.subset = subset
    }

    /// - Parameter instance: of the service.
    package func selects(_ instance: Instance) -> Bool {
        self.subset.contains(instance, of: self.service) { RegularExpression.matches($0, in: $1) }
    }
}

package struct Target: Hashable, Sendable {
    /// All but the endpoints: what seldom changes, and becomes a resource of its own.
    package struct Settings: Hashable, Sendable {
        package var id: TargetID
        package var `protocol`: ServiceDefaults.`Protocol`
        package var connectTimeout: Duration
        package var loadBalancer: ServiceDefaults.LoadBalancerPolicy
        package var loadBalancerOptions: ServiceDefaults.LoadBalancerOptions
        package var circuitBreaker: ServiceDefaults.CircuitBreaker
    }

    package var settings: Settings
    /// The routable instances, in the order of their priorities, localities and IDs. May be empty: the service is known and has none.
    package var endpoints: [LocalityEndpoints]
    /// The service's; nil if there is no such service.
    package var origin: Origin?

    package init(id: TargetID, settings: ServiceDefaults, endpoints: [LocalityEndpoints], origin: Origin? = nil) {
        self.settings = Settings(
            id: id,
            protocol: settings.protocol,
            connectTimeout: settings.connectTimeout,
            loadBalancer: settings.loadBalancer,
            loadBalancerOptions: settings.loadBalancerOptions,
            circuitBreaker: settings.circuitBreaker
        )
        self.endpoints = endpoints
        self.origin = origin
    }

    package var id: TargetID { self.settings.id }
}

package struct LocalityEndpoints: Hashable, Sendable {
    /// 0 is used first, the next one where nobody of the ones before is left. No number is left out.
    package var priority: Int
    package var locality: Locality
    package var endpoints: [Endpoint]

    package init(priority: Int = 0, locality: Locality, endpoints: [Endpoint]) {
        self.priority = priority
        self.locality = locality
        self.endpoints = endpoints
    }
}

package struct Endpoint: Hashable, Sendable {
    package var address: String
    package var port: UInt16
    package var weight: Weight
    /// Gets no new requests. Never said of all of a target: one that is about to stop is better than none.
    package var isDraining: Bool

    package init(address: String, port: UInt16, weight: Weight, isDraining: Bool = false) {
        self.address = address
        self.port = port
        self.weight = weight
        self.isDraining = isDraining
    }
}
