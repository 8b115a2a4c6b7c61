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
        switch self.variant {
        case .delta: self.type == nil ? .aggregated : .deltaPerType
        case .sotw: self.type == nil ? .aggregatedSotW : .sotwPerType
        }
    }

    /// The types whose changes matter to such a stream; nil: all.
    var typesOfInterest: Set<TypeURL>? {
        switch self.type {
        case nil: nil
        // A proxy forgets its virtual hosts when their route configuration changes.
        case .virtualHost: [.virtualHost, .routeConfiguration]
        case .some(let type): [type]
        }
    }

    typealias ADS = Envoy_Service_Discovery_V3_AggregatedDiscoveryService.Method
    typealias LDS = Envoy_Service_Listener_V3_ListenerDiscoveryService.Method
    typealias RDS = Envoy_Service_Route_V3_RouteDiscoveryService.Method
    typealias VHDS = Envoy_Service_Route_V3_VirtualHostDiscoveryService.Method
    typealias CDS = Envoy_Service_Cluster_V3_ClusterDiscoveryService.Method
    typealias EDS = Envoy_Service_Endpoint_V3_EndpointDiscoveryService.Method
    typealias SDS = Envoy_Service_Secret_V3_SecretDiscoveryService.Method
    typealias SRDS = Envoy_Service_Route_V3_ScopedRoutesDiscoveryService.Method
    typealias RTDS = Envoy_Service_Runtime_V3_RuntimeDiscoveryService.Method
    typealias ECDS = Envoy_Service_Extension_V3_ExtensionConfigDiscoveryService.Method

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
        .init(descriptor: SRDS.StreamScopedRoutes.descriptor, variant: .sotw, type: .scopedRouteConfiguration),
        .init(descriptor: SRDS.DeltaScopedRoutes.descriptor, variant: .delta, type: .scopedRouteConfiguration),
        .init(descriptor: RTDS.StreamRuntime.descriptor, variant: .sotw, type: .runtime),
        .init(descriptor: RTDS.DeltaRuntime.descriptor, variant: .delta, type: .runtime),
        .init(descriptor: ECDS.StreamExtensionConfigs.descriptor, variant: .sotw, type: .extensionConfig),
        .init(descriptor: ECDS.DeltaExtensionConfigs.descriptor, variant: .delta, type: .extensionConfig),
    ]

    static let fetches: [DiscoveryMethod] = [
        .init(descriptor: LDS.FetchListeners.descriptor, variant: .sotw, type: .listener),
        .init(descriptor: RDS.FetchRoutes.descriptor, variant: .sotw, type: .routeConfiguration),
        .init(descriptor: CDS.FetchClusters.descriptor, variant: .sotw, type: .cluster),
        .init(descriptor: EDS.FetchEndpoints.descriptor, variant: .sotw, type: .endpoints),
        .init(descriptor: SDS.FetchSecrets.descriptor, variant: .sotw, type: .secret),
        .init(descriptor: SRDS.FetchScopedRoutes.descriptor, variant: .sotw, type: .scopedRouteConfiguration),
        .init(descriptor: RTDS.FetchRuntime.descriptor, variant: .sotw, type: .runtime),
        .init(descriptor: ECDS.FetchExtensionConfigs.descriptor, variant: .sotw, type: .extensionConfig),
    ]

    /// By the path of an HTTP/2 request; and whether it is a stream.
    static let byPath: [String: (method: DiscoveryMethod, isStream: Bool)] = Dictionary(
        uniqueKeysWithValues: streams.map { ($0.path, ($0, true)) } + fetches.map { ($0.path, ($0, false)) }
    )

    private var path: String { "/\(self.descriptor.service.fullyQualifiedService)/\(self.descriptor.method)" }

    /// A stream of one type may leave `type_url` out; it may not name another.
    func type(of message: RequestMessage) throws -> TypeURL {
        if let type = message.knownType, self.type == nil || self.type == type { return type }
        let text: String
        do { text = try message.typeURL } catch { throw RPCError.malformedRequest }
        if text.isEmpty {
            guard let type = self.type else {
                throw RPCError(code: .invalidArgument, message: "type_url is missing")
            }
            return type
        }
        guard text.hasPrefix("type.googleapis.com/"), text.utf8.count <= 1_024, self.type == nil else {
            throw RPCError(code: .invalidArgument, message: "type_url \(text.prefix(200)) is not served here")
        }
        return TypeURL(rawValue: text)
    }
}
