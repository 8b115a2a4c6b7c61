// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

/// The types that may stand in an `Any`, which the JSON form has to look up by name.
package enum EnvoyTypes {
    /// What proxies ask for by name.
    static let resources: [any ResourceMessage.Type] = [
        Envoy_Config_Cluster_V3_Cluster.self,
        Envoy_Config_Endpoint_V3_ClusterLoadAssignment.self,
        Envoy_Config_Listener_V3_Listener.self,
        Envoy_Config_Route_V3_RouteConfiguration.self,
        Envoy_Config_Route_V3_VirtualHost.self,
        Envoy_Config_Route_V3_ScopedRouteConfiguration.self,
        Envoy_Extensions_TransportSockets_Tls_V3_Secret.self,
        Envoy_Service_Runtime_V3_Runtime.self,
        Envoy_Config_Core_V3_TypedExtensionConfig.self,
    ]

    /// "Cluster" and so on, as people call them.
    static let resourceNames = resources.map { String($0.protoMessageName.split(separator: ".").last ?? "") }

    /// What stands inside of them.
    private static let parts: [any Message.Type] = [
        Envoy_Extensions_Filters_Http_OnDemand_V3_OnDemand.self,
        Envoy_Extensions_Filters_Http_Router_V3_Router.self,
        Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.self,
        Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.self,
        Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext.self,
        Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext.self,
        Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self,
        // Any extension at all: its type URL, and its fields as they would be in JSON.
        Xds_Type_V3_TypedStruct.self,
    ]

    /// Once a process: SwiftProtobuf's registry is global.
    private static let registered = (resources + parts).allSatisfy { Google_Protobuf_Any.register(messageType: $0) }

    /// To be called before a message of this module is read from JSON or printed as JSON.
    package static func register() {
        precondition(self.registered, "two types of one name")
    }
}

extension Google_Protobuf_Any {
    init(packing message: some Message) {
        do {
            try self.init(message: message, partial: true)
        } catch {
            preconditionFailure("packing checks required fields only, and not when partial: \(error)")
        }
    }
}
