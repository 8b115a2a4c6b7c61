// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// How proxies talk to one service: Consul's `service-defaults`, with the load balancer of its `service-resolver`.
package struct ServiceDefaults: Hashable, Sendable {
    package enum `Protocol`: String, Hashable, Sendable, CaseIterable {
        /// HTTP/1.1.
        case http
        /// HTTP/2 with prior knowledge.
        case http2
        /// As `http2`.
        case grpc
    }

    package enum LoadBalancerPolicy: String, Hashable, Sendable, CaseIterable {
        case leastRequest = "least_request"
        case roundRobin = "round_robin"
        case random
        case ringHash = "ring_hash"
        case maglev
    }

    /// Limits per proxy and cluster beyond which requests fail at once. Nil: Envoy's default (1,024; 3 retries).
    package struct CircuitBreaker: Hashable, Sendable {
        package var maxConnections: UInt32?
        package var maxPendingRequests: UInt32?
        package var maxConcurrentRequests: UInt32?
        package var maxConcurrentRetries: UInt32?

        package init(
            maxConnections: UInt32? = nil,
            maxPendingRequests: UInt32? = nil,
            maxConcurrentRequests: UInt32? = nil,
            maxConcurrentRetries: UInt32? = nil
        ) {
            self.maxConnections = maxConnections
            self.maxPendingRequests = maxPendingRequests
            self.maxConcurrentRequests = maxConcurrentRequests
            self.maxConcurrentRetries = maxConcurrentRetries
        }
    }

    /// Nil: Envoy's default, or of no meaning for the policy.
    package struct LoadBalancerOptions: Hashable, Sendable {
        /// Of `ring_hash`, `ringSizeRange`; not over the maximum.
        package var minimumRingSize: Int?
        package var maximumRingSize: Int?
        /// Of `least_request`: how many instances are compared, at least 2.
        package var choiceCount: UInt32?

        package static let ringSizeRange = 1...8_388_608

        package init(minimumRingSize: Int? = nil, maximumRingSize: Int? = nil, choiceCount: UInt32? = nil) {
            self.minimumRingSize = minimumRingSize
            self.maximumRingSize = maximumRingSize
            self.choiceCount = choiceCount
        }
    }

    /// The service it is about.
    package var service: ServiceName
    package var `protocol`: `Protocol`
    /// Default 5 s, as in Consul and Envoy.
    package var connectTimeout: Duration
    package var loadBalancer: LoadBalancerPolicy
    package var loadBalancerOptions: LoadBalancerOptions
    package var circuitBreaker: CircuitBreaker
    package var origin: Origin

    package init(
        service: ServiceName,
        protocol: `Protocol` = .http,
        connectTimeout: Duration = .seconds(5),
        loadBalancer: LoadBalancerPolicy = .roundRobin,
        loadBalancerOptions: LoadBalancerOptions = LoadBalancerOptions(),
        circuitBreaker: CircuitBreaker = CircuitBreaker(),
        origin: Origin
    ) {
        self.service = service
        self.protocol = `protocol`
        self.connectTimeout = connectTimeout
        self.loadBalancer = loadBalancer
        self.loadBalancerOptions = loadBalancerOptions
        self.circuitBreaker = circuitBreaker
        self.origin = origin
    }
}
