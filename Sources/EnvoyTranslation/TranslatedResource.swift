// SPDX-License-Identifier: Apache-2.0

package import Catalog
import EnvoyAPI
import Routing
package import SwiftProtobuf

/// One resource as it was decided. Its message is made when somebody asks for it: that is what costs, and who still has
/// what was made of equal content need not ask.
package struct TranslatedResource: Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        case cluster
        case endpoints
        case listener
        case routeConfiguration
        case virtualHost
        case scopedRouteConfiguration
        case secret
        case runtime
        case extensionConfig
    }

    /// What proxies ask for it by. Unique within its kind.
    package let name: String
    let content: Content
    /// Where to look if a proxy refuses it: documents, services with tags, entries.
    package var origins: [Origin]
    /// After this long without news a proxy drops it. Nil: it keeps it.
    package var timeToLive: Duration?
    /// Whether only proxies that ask for it by its name get it.
    package var isOnDemand: Bool

    init(
        name: String,
        content: Content,
        origins: [Origin],
        timeToLive: Duration? = nil,
        isOnDemand: Bool = false
    ) {
        self.name = name
        self.content = content
        self.origins = origins
        self.timeToLive = timeToLive
        self.isOnDemand = isOnDemand
    }

    package var kind: Kind {
        switch self.content {
        case .cluster: .cluster
        case .endpoints: .endpoints
        case .listener, .proxylessListener: .listener
        case .routeConfiguration, .onDemandRouteConfiguration: .routeConfiguration
        case .virtualHost: .virtualHost
        case .raw(let raw): raw.kind
        }
    }

    /// Whether it is the same to a proxy. Where it comes from is not a proxy's business.
    package func isSame(as other: TranslatedResource) -> Bool {
        self.name == other.name && self.content == other.content && self.timeToLive == other.timeToLive
            && self.isOnDemand == other.isOnDemand
    }
}

extension TranslatedResource {
    /// Everything that a message is made of, and nothing else: equal contents make equal messages.
    enum Content: Equatable, Sendable {
        case cluster(Target.Settings, ConfigSource, RouteClient)
        case endpoints(TargetID, [LocalityEndpoints])
        case listener(SocketListener)
        case proxylessListener(hostname: String, routeConfiguration: String)
        case routeConfiguration(name: String, [VirtualHost], RouteClient)
        /// With its virtual hosts left to be asked for.
        case onDemandRouteConfiguration(name: String)
        case virtualHost(VirtualHost, routeConfiguration: String)
        case raw(RawContent)
    }

    package var message: any Message {
        switch self.content {
        case .cluster(let settings, let configSource, let client):
            Envoy_Config_Cluster_V3_Cluster(settings, configSource: configSource, for: client)
        case .endpoints(let target, let endpoints):
            Envoy_Config_Endpoint_V3_ClusterLoadAssignment(target, endpoints)
        case .listener(let listener):
            Envoy_Config_Listener_V3_Listener(listener)
        case .proxylessListener(let hostname, let routeConfiguration):
            Envoy_Config_Listener_V3_Listener(proxylessHostname: hostname, routeConfiguration: routeConfiguration)
        case .routeConfiguration(let name, let virtualHosts, let client):
            Envoy_Config_Route_V3_RouteConfiguration(name: name, virtualHosts, for: client)
        case .onDemandRouteConfiguration(let name):
            Envoy_Config_Route_V3_RouteConfiguration(onDemand: name)
        case .virtualHost(let virtualHost, let routeConfiguration):
            Envoy_Config_Route_V3_VirtualHost(
                onDemand: virtualHost,
                name: virtualHost.resourceName(in: routeConfiguration),
                for: .proxy
            )
        case .raw(let raw): raw.message
        }
    }
}
