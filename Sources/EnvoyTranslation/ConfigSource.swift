// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

/// Where a proxy gets what a resource only names: a cluster its endpoints, a listener its routes.
///
/// The resource has to say so itself, and must name the kind of stream that the proxy already uses: one with an
/// aggregated stream knows of no other, one with a stream per type has no aggregated one.
package enum ConfigSource: Hashable, Sendable {
    /// From the aggregated stream, which is a delta stream.
    case ads
    /// From the aggregated stream, which is a state-of-the-world stream.
    case sotwADS
    /// From a delta stream per type, to the cluster of this name in the proxy's bootstrap.
    case delta(cluster: String)
    /// From a state-of-the-world stream per type, to the cluster of this name in the proxy's bootstrap.
    case sotw(cluster: String)

    /// A stream of its own, whatever the proxy's other streams are: of virtual hosts there is the delta variant only, and
    /// Envoy refuses them from an aggregated stream of the other.
    static let onDemandVirtualHosts = ConfigSource.delta(cluster: controlPlaneClusterName)

    /// Nil if clusters cannot be had on demand. On a state-of-the-world stream the first name that Envoy 1.40 asks for takes
    /// the place of its subscription to all clusters, so it would lose those that are there from the start.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/on_demand_updates_filter
    var onDemandClusters: ConfigSource? {
        switch self {
        case .ads, .delta: self
        case .sotwADS, .sotw: nil
        }
    }
}

extension Envoy_Config_Core_V3_ConfigSource {
    init(_ source: ConfigSource) {
        self.init()
        self.resourceApiVersion = .v3
        switch source {
        case .ads, .sotwADS: self.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
        case .delta(let cluster): self.apiConfigSource = .init(apiType: .deltaGrpc, cluster: cluster)
        case .sotw(let cluster): self.apiConfigSource = .init(apiType: .grpc, cluster: cluster)
        }
    }
}

extension Envoy_Config_Core_V3_ApiConfigSource {
    fileprivate init(apiType: ApiType, cluster: String) {
        self.init()
        self.apiType = apiType
        self.transportApiVersion = .v3
        self.grpcServices = [.with { $0.envoyGrpc.clusterName = cluster }]
        self.setNodeOnFirstMessageOnly = true
    }
}
