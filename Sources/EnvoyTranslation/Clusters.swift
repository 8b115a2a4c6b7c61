// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

extension Envoy_Config_Cluster_V3_Cluster {
    init(_ target: Target.Settings, configSource: ConfigSource, for client: RouteClient) {
        self.init()
        self.name = target.id.clusterName
        self.type = .eds
        self.edsClusterConfig.edsConfig = .init(configSource)
        self.connectTimeout = .init(rounding: target.connectTimeout)
        self.lbPolicy = .init(client.knows(target.loadBalancer) ? target.loadBalancer : .roundRobin)
        self.add(target.loadBalancerOptions)
        self.typedExtensionProtocolOptions[HTTPProtocolOptions.extensionName] = .init(
            packing: HTTPProtocolOptions(target.protocol)
        )
        if let thresholds = CircuitBreakerThresholds(target.circuitBreaker) {
            self.circuitBreakers.thresholds = [thresholds]
        }
        // The source of the endpoints is the judge of their health. Without this Envoy would go on sending requests
        // to a removed endpoint for as long as an active health check of its own found it healthy.
        self.ignoreHealthOnHostRemoval = true
        // Nor are there unhealthy endpoints to fall back on, only draining ones: without this Envoy would send requests to
        // those as soon as they are the greater part.
        self.commonLbConfig.healthyPanicThreshold.value = 0
    }
}

extension Envoy_Config_Cluster_V3_Cluster {
    /// Envoy refuses those of another policy.
    private mutating func add(_ options: ServiceDefaults.LoadBalancerOptions) {
        switch self.lbPolicy {
        case .ringHash where options.minimumRingSize != nil || options.maximumRingSize != nil:
            if let size = options.minimumRingSize { self.ringHashLbConfig.minimumRingSize = .init(UInt64(size)) }
            if let size = options.maximumRingSize { self.ringHashLbConfig.maximumRingSize = .init(UInt64(size)) }
        case .leastRequest:
            if let count = options.choiceCount { self.leastRequestLbConfig.choiceCount = .init(count) }
        default:
            break
        }
    }
}

extension Envoy_Config_Cluster_V3_Cluster.LbPolicy {
    fileprivate init(_ policy: ServiceDefaults.LoadBalancerPolicy) {
        self =
            switch policy {
            case .roundRobin: .roundRobin
            case .leastRequest: .leastRequest
            case .random: .random
            case .ringHash: .ringHash
            case .maglev: .maglev
            }
    }
}

private typealias HTTPProtocolOptions = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions

extension HTTPProtocolOptions {
    /// The key that Envoy looks it up by.
    fileprivate static let extensionName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

    fileprivate init(_ protocol: ServiceDefaults.`Protocol`) {
        self.init()
        switch `protocol` {
        case .http: self.explicitHTTPConfig.httpProtocolOptions = .init()
        case .http2, .grpc: self.explicitHTTPConfig.http2ProtocolOptions = .init()
        }
    }
}

private typealias CircuitBreakerThresholds = Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds

extension CircuitBreakerThresholds {
    /// Nil if every limit is Envoy's default.
    fileprivate init?(_ circuitBreaker: ServiceDefaults.CircuitBreaker) {
        guard circuitBreaker != ServiceDefaults.CircuitBreaker() else { return nil }
        self.init()
        if let limit = circuitBreaker.maxConnections { self.maxConnections = .init(limit) }
        if let limit = circuitBreaker.maxPendingRequests { self.maxPendingRequests = .init(limit) }
        if let limit = circuitBreaker.maxConcurrentRequests { self.maxRequests = .init(limit) }
        if let limit = circuitBreaker.maxConcurrentRetries { self.maxRetries = .init(limit) }
    }
}
