// SPDX-License-Identifier: Apache-2.0

import Routing

/// Who acts on a resource: what can be said to a proxy and to a gRPC client differs in a few places.
enum RouteClient: Hashable, Sendable {
    case proxy
    case grpc

    init(_ protocol: Gateway.Listener.`Protocol`) {
        switch `protocol` {
        case .http: self = .proxy
        case .proxyless: self = .grpc
        }
    }

    /// A gRPC client refuses a cluster whose load balancer it does not know, and then cannot reach the service at all.
    /// See https://github.com/grpc/grpc/blob/v1.76.0/src/core/xds/grpc/xds_cluster_parser.cc
    func knows(_ policy: ServiceDefaults.LoadBalancerPolicy) -> Bool {
        switch (self, policy) {
        case (.proxy, _), (.grpc, .roundRobin), (.grpc, .ringHash): true
        case (.grpc, .leastRequest), (.grpc, .random), (.grpc, .maglev): false
        }
    }
}
