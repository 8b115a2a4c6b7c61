// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

/// A message that proxies ask for by name.
protocol ResourceMessage: Message {
    static var resourceKind: TranslatedResource.Kind { get }
    /// By which it is asked for. Empty if it has none.
    var resourceName: String { get }
}

extension Envoy_Config_Cluster_V3_Cluster: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .cluster }
    var resourceName: String { self.name }
}

extension Envoy_Config_Endpoint_V3_ClusterLoadAssignment: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .endpoints }
    var resourceName: String { self.clusterName }
}

extension Envoy_Config_Listener_V3_Listener: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .listener }
    var resourceName: String { self.name }
}

extension Envoy_Config_Route_V3_RouteConfiguration: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .routeConfiguration }
    var resourceName: String { self.name }
}

extension Envoy_Config_Route_V3_ScopedRouteConfiguration: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .scopedRouteConfiguration }
    var resourceName: String { self.name }
}

extension Envoy_Config_Route_V3_VirtualHost: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .virtualHost }
    /// Its route configuration's, a slash, and the host: by nothing else would Envoy ask for it.
    var resourceName: String { self.name }
}

extension Envoy_Extensions_TransportSockets_Tls_V3_Secret: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .secret }
    var resourceName: String { self.name }
}

extension Envoy_Service_Runtime_V3_Runtime: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .runtime }
    var resourceName: String { self.name }
}

extension Envoy_Config_Core_V3_TypedExtensionConfig: ResourceMessage {
    static var resourceKind: TranslatedResource.Kind { .extensionConfig }
    var resourceName: String { self.name }
}

extension TranslatedResource.Kind {
    /// For messages.
    var words: String {
        switch self {
        case .cluster: "cluster"
        case .endpoints: "endpoints"
        case .listener: "listener"
        case .routeConfiguration: "route configuration"
        case .virtualHost: "virtual host"
        case .scopedRouteConfiguration: "scoped route"
        case .secret: "secret"
        case .runtime: "runtime layer"
        case .extensionConfig: "extension config"
        }
    }
}
