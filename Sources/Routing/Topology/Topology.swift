// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What was decided, in no proxy's words yet: for every gateway its listeners with their virtual hosts, and every target
/// that a route leads to.
package struct Topology: Hashable, Sendable {
    package var gateways: [GatewayName: GatewayTopology]

    package init(gateways: [GatewayName: GatewayTopology] = [:]) {
        self.gateways = gateways
    }
}

package struct GatewayTopology: Hashable, Sendable {
    package var name: GatewayName
    package var proxies: ProxySelector
    /// In the order of their names.
    package var listeners: [ListenerTopology]
    /// Everything that the listeners' routes lead to.
    package var targets: [TargetID: Target]
    package var virtualHosts: Gateway.Delivery
    package var clusters: Gateway.Delivery
    /// In the order of their names.
    package var rawResources: [RawResource]
    /// The gateway document's, for what is found out only when gateways share a proxy.
    package var origin: Origin

    package init(
        name: GatewayName,
        proxies: ProxySelector,
        listeners: [ListenerTopology],
        targets: [TargetID: Target],
        virtualHosts: Gateway.Delivery = .all,
        clusters: Gateway.Delivery = .all,
        rawResources: [RawResource] = [],
        origin: Origin
    ) {
        self.name = name
        self.proxies = proxies
        self.listeners = listeners
        self.targets = targets
        self.virtualHosts = virtualHosts
        self.clusters = clusters
        self.rawResources = rawResources
        self.origin = origin
    }
}

package struct ListenerTopology: Hashable, Sendable {
    package var listener: Gateway.Listener
    /// Hostnames are unique; in the order of the hostnames.
    package var virtualHosts: [VirtualHost]
    /// What the routes of each hostname are made of: documents, services with tags, config entries.
    package var origins: [String: Set<Origin>]

    package init(listener: Gateway.Listener, virtualHosts: [VirtualHost], origins: [String: Set<Origin>] = [:]) {
        self.listener = listener
        self.virtualHosts = virtualHosts
        self.origins = origins
    }
}

/// All routes of one host name.
package struct VirtualHost: Hashable, Sendable {
    /// "web.example.com", "*.example.com" or "*".
    package var hostname: String
    /// In the order in which a request tries them: the most specific first.
    package var entries: [RouteEntry]

    package init(hostname: String, entries: [RouteEntry]) {
        self.hostname = hostname
        self.entries = entries
    }
}

/// One match of one rule.
package struct RouteEntry: Hashable, Sendable {
    package var route: RouteName
    /// Index of the rule in its route, and of the match in its rule.
    package var ruleIndex: Int
    package var matchIndex: Int
    /// Of the refinement among those of its rule; nil if it is what the rule itself says.
    package var refinementIndex: Int?
    package var match: Match
    package var action: Route.Action
    package var requestHeaders: HeaderModifier
    package var responseHeaders: HeaderModifier

    package init(
        route: RouteName,
        ruleIndex: Int,
        matchIndex: Int,
        refinementIndex: Int? = nil,
        match: Match,
        action: Route.Action,
        requestHeaders: HeaderModifier,
        responseHeaders: HeaderModifier
    ) {
        self.route = route
        self.ruleIndex = ruleIndex
        self.matchIndex = matchIndex
        self.refinementIndex = refinementIndex
        self.match = match
        self.action = action
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
    }
}
