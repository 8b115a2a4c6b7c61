// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// `kind: service-defaults`: how proxies talk to one service.
enum ServiceDefaultsFormats {
    static let document = Format<Document.Body>.object(
        DocumentKind.serviceDefaults.field,
        Field("name", .name, "The service it is about."),
        Field(
            "protocol",
            .choice,
            .default("http"),
            "http: HTTP/1.1. http2: HTTP/2 without upgrade. grpc: as http2."
        ),
        Field("connectTimeout", .duration(), .default("5s"), "For opening a connection to an instance."),
        Field("loadBalancer", loadBalancer, "How to choose among the instances."),
        Field("circuitBreaker", circuitBreaker, "Limits of each proxy, beyond which requests fail at once.")
    ) { origin, _, _, name, `protocol`, connectTimeout, loadBalancer, circuitBreaker in
        guard let name else { return nil }
        var defaults = ServiceDefaults(service: ServiceName(name), origin: origin)
        defaults.protocol = `protocol` ?? defaults.protocol
        defaults.connectTimeout = connectTimeout ?? defaults.connectTimeout
        defaults.loadBalancer = loadBalancer ?? defaults.loadBalancer
        defaults.circuitBreaker = circuitBreaker ?? defaults.circuitBreaker
        return .serviceDefaults(defaults)
    }

    private static let loadBalancer = Format<ServiceDefaults.LoadBalancerPolicy>.object(
        Field("policy", .choice, .default("round_robin"), "Envoy's policy.")
    ) { _, _, policy in
        policy ?? .roundRobin
    }

    private static let circuitBreaker = Format<ServiceDefaults.CircuitBreaker>.object(
        Field("maxConnections", limit, .default(1024), "Connections to the service."),
        Field("maxPendingRequests", limit, .default(1024), "Requests that wait for a connection."),
        Field("maxConcurrentRequests", limit, .default(1024), "Requests under way."),
        Field("maxConcurrentRetries", limit, .default(3), "Retries under way.")
    ) { _, _, connections, pendingRequests, concurrentRequests, concurrentRetries in
        ServiceDefaults.CircuitBreaker(
            maxConnections: connections,
            maxPendingRequests: pendingRequests,
            maxConcurrentRequests: concurrentRequests,
            maxConcurrentRetries: concurrentRetries
        )
    }

    private static let limit = Format<Int>.integer(in: 0...Int(UInt32.max)).map { UInt32(exactly: $0) }
}
