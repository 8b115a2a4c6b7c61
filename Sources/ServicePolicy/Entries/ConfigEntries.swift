// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What Consul's config entries say, as far as it means something outside the mesh.
/// See https://developer.hashicorp.com/consul/docs/connect/config-entries
package struct ConfigEntries: Hashable, Sendable {
    /// Of `proxy-defaults`, for services that have none of their own.
    package var proxyDefaults: ServiceSettings?
    package var serviceDefaults: [ServiceName: ServiceSettings]
    package var resolvers: [ServiceName: ServiceResolver]
    package var splitters: [ServiceName: ServiceSplitter]
    package var routers: [ServiceName: ServiceRouter]

    package init(
        proxyDefaults: ServiceSettings? = nil,
        serviceDefaults: [ServiceName: ServiceSettings] = [:],
        resolvers: [ServiceName: ServiceResolver] = [:],
        splitters: [ServiceName: ServiceSplitter] = [:],
        routers: [ServiceName: ServiceRouter] = [:]
    ) {
        self.proxyDefaults = proxyDefaults
        self.serviceDefaults = serviceDefaults
        self.resolvers = resolvers
        self.splitters = splitters
        self.routers = routers
    }
}

/// `service-defaults`, and what `proxy-defaults` says for all services.
package struct ServiceSettings: Hashable, Sendable {
    /// Nil if none is said, or one that is not HTTP.
    package var `protocol`: ServiceDefaults.`Protocol`?
    /// Whether it says that the service does not speak HTTP.
    package var isTCP: Bool = false
    package var connectTimeout: Duration?
    package var circuitBreaker = ServiceDefaults.CircuitBreaker()
    package var origin: Origin
}

/// A service, or a part of it, as one entry names it to another. Nil is what the one who names it is.
package struct ServiceReference: Hashable, Sendable {
    package var service: ServiceName?
    /// A name in the `service-resolver` of the service.
    package var subset: String?
    package var datacenter: String?
}

/// `service-resolver`: what the instances of a service are.
package struct ServiceResolver: Hashable, Sendable {
    package var defaultSubset: String?
    package var subsets: [String: Subset] = [:]
    package var redirect: ServiceReference?
    /// By the name of a subset, or "*": who stands in, the first first.
    package var failover: [String: [ServiceReference]] = [:]
    package var connectTimeout: Duration?
    package var requestTimeout: Duration?
    package var loadBalancer: ServiceDefaults.LoadBalancerPolicy?
    package var loadBalancerOptions = ServiceDefaults.LoadBalancerOptions()
    package var hashPolicies: [HashPolicy] = []
    package var origin: Origin
}

/// `service-splitter`: which part of a service's requests goes where.
package struct ServiceSplitter: Hashable, Sendable {
    package struct Split: Hashable, Sendable {
        /// In hundredths of a per cent.
        package var weight: Int
        package var destination: ServiceReference
        package var requestHeaders = HeaderModifier()
        package var responseHeaders = HeaderModifier()
    }

    /// Their weights have a sum above 0.
    package var splits: [Split]
    package var origin: Origin
}

/// `service-router`: which of a service's requests go where. The first route that matches counts; requests that none
/// matches go to the service itself.
package struct ServiceRouter: Hashable, Sendable {
    package enum Path: Hashable, Sendable {
        case any
        case exact(String)
        /// By characters.
        case prefix(String)
        case regularExpression(String)
    }

    package struct Route: Hashable, Sendable {
        /// 1-based, as people count; those that cannot be used are counted and not here.
        package var number: Int
        package var path: Path = .any
        /// Empty: any.
        package var methods: [String] = []
        package var headers: [Match.ValueMatch] = []
        package var queryParameters: [Match.ValueMatch] = []
        package var destination = ServiceReference()
        /// Not empty; only with a path that is exact or a prefix.
        package var prefixRewrite: String?
        package var timeout: Duration?
        package var idleTimeout: Duration?
        package var retry: Retry?
        package var requestHeaders = HeaderModifier()
        package var responseHeaders = HeaderModifier()
    }

    package var routes: [Route]
    package var origin: Origin
}
