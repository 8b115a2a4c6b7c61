// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

private typealias HTTPConnectionManager =
    Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

/// A listener that a proxy opens, with the routes of the route configuration of the same name.
struct SocketListener: Hashable, Sendable {
    var name: String
    var address: String
    var port: UInt16
    var configSource: ConfigSource
    var virtualHosts: Gateway.Delivery
    var clusters: Gateway.Delivery
}

extension Envoy_Config_Listener_V3_Listener {
    init(_ listener: SocketListener) {
        self.init()
        self.name = listener.name
        self.address = .init(address: listener.address, port: listener.port)
        var manager = HTTPConnectionManager(
            statPrefix: listener.name,
            routeConfiguration: listener.name,
            configSource: listener.configSource
        )
        if let onDemand = Envoy_Extensions_Filters_Http_OnDemand_V3_OnDemand(listener) {
            // Before the router, which needs what it asks for.
            manager.httpFilters.insert(.init(name: "envoy.filters.http.on_demand", onDemand), at: 0)
        }
        // The peer is the client: its address goes to X-Forwarded-For, and what it says of itself there is not
        // believed.
        manager.useRemoteAddress = true
        // Routes are chosen by path, so what a path means must be settled here and not again, differently, behind us:
        // no "..", no "//", and no "%2F" or "%5C", which an upstream may decode to a separator that no route saw
        // (CVE-2024-10005 and its kin). Such a request is answered with 400. To unescape instead would change the
        // meaning of paths whose encoded slash is data; to keep it would leave the hole open.
        manager.normalizePath = true
        manager.mergeSlashes = true
        manager.pathWithEscapedSlashesAction = .rejectRequest
        manager.upgradeConfigs = [.with { $0.upgradeType = "websocket" }]
        self.filterChains = [
            .with {
                $0.filters = [
                    .with {
                        $0.name = "envoy.filters.network.http_connection_manager"
                        $0.typedConfig = .init(packing: manager)
                    }
                ]
            }
        ]
    }

    /// For a gRPC client that dials `xds:///<hostname>`: no socket, and nothing that such clients do not know. They
    /// take an aggregated stream as the only source.
    init(proxylessHostname hostname: String, routeConfiguration: String) {
        self.init()
        self.name = hostname
        self.apiListener.apiListener = .init(
            packing: HTTPConnectionManager(
                statPrefix: hostname,
                routeConfiguration: routeConfiguration,
                configSource: .ads
            )
        )
    }
}

extension HTTPConnectionManager {
    fileprivate init(statPrefix: String, routeConfiguration: String, configSource: ConfigSource) {
        self.init()
        self.statPrefix = statPrefix
        self.rds.routeConfigName = routeConfiguration
        self.rds.configSource = .init(configSource)
        self.httpFilters = [
            .init(name: "envoy.filters.http.router", Envoy_Extensions_Filters_Http_Router_V3_Router())
        ]
    }
}

extension Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter {
    fileprivate init(name: String, _ configuration: some Message) {
        self.init()
        self.name = name
        self.typedConfig = .init(packing: configuration)
    }
}

extension Envoy_Extensions_Filters_Http_OnDemand_V3_OnDemand {
    /// Nil if everything is there before it is needed.
    fileprivate init?(_ listener: SocketListener) {
        let clusters = listener.clusters == .onDemand ? listener.configSource.onDemandClusters : nil
        guard listener.virtualHosts == .onDemand || clusters != nil else { return nil }
        self.init()
        if let clusters {
            self.odcds.source = .init(clusters)
        }
    }
}
