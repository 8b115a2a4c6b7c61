// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import XDSProtocol

/// One streaming or unary method of one discovery service: which variant it speaks and of which type it is.
struct DiscoveryMethod: Sendable {
    let descriptor: MethodDescriptor
    let variant: StreamStateMachine.Variant
    /// Nil for the aggregated service, which serves them all.
    let type: TypeURL?

    var streams: StreamKind {
        if self.type == nil { return .aggregated }
        return self.variant == .delta ? .deltaPerType : .sotwPerType
    }

    typealias ADS = Envoy_Service_Discovery_V3_AggregatedDiscoveryService.Method
    typealias LDS = Envoy_Service_Listener_V3_ListenerDiscoveryService.Method
    typealias RDS = Envoy_Service_Route_V3_RouteDiscoveryService.Method
    typealias VHDS = Envoy_Service_Route_V3_VirtualHostDiscoveryService.Method
    typealias CDS = Envoy_Service_Cluster_V3_ClusterDiscoveryService.Method
    typealias EDS = Envoy_Service_Endpoint_V3_EndpointDiscoveryService.Method
    typealias SDS = Envoy_Service_Secret_V3_SecretDiscoveryService.Method

    /// What we do not serve is not registered (rule 11).
    static let streams: [DiscoveryMethod] = [
        .init(descriptor: ADS.StreamAggregatedResources.descriptor, variant: .sotw, type: nil),
        .init(descriptor: ADS.DeltaAggregatedResources.descriptor, variant: .delta, type: nil),
        .init(descriptor: LDS.StreamListeners.descriptor, variant: .sotw, type: .listener),
        .init(descriptor: LDS.DeltaListeners.descriptor, variant: .delta, type: .listener),
        .init(descriptor: RDS.StreamRoutes.descriptor, variant: .sotw, type: .routeConfiguration),
        .init(descriptor: RDS.DeltaRoutes.descriptor, variant: .delta, type: .routeConfiguration),
        // Rule 9: virtual hosts are delta only.
        .init(descriptor: VHDS.DeltaVirtualHosts.descriptor, variant: .delta, type: .virtualHost),
        .init(descriptor: CDS.StreamClusters.descriptor, variant: .sotw, type: .cluster),
        .init(descriptor: CDS.DeltaClusters.descriptor, variant: .delta, type: .cluster),
        .init(descriptor: EDS.StreamEndpoints.descriptor, variant: .sotw, type: .endpoints),
        .init(descriptor: EDS.DeltaEndpoints.descriptor, variant: .delta, type: .endpoints),
        .init(descriptor: SDS.StreamSecrets.descriptor, variant: .sotw, type: .secret),
        .init(descriptor: SDS.DeltaSecrets.descriptor, variant: .delta, type: .secret),
    ]

    static let fetches: [DiscoveryMethod] = [
        .init(descriptor: LDS.FetchListeners.descriptor, variant: .sotw, type: .listener),
        .init(descriptor: RDS.FetchRoutes.descriptor, variant: .sotw, type: .routeConfiguration),
        .init(descriptor: CDS.FetchClusters.descriptor, variant: .sotw, type: .cluster),
        .init(descriptor: EDS.FetchEndpoints.descriptor, variant: .sotw, type: .endpoints),
        .init(descriptor: SDS.FetchSecrets.descriptor, variant: .sotw, type: .secret),
    ]
}
