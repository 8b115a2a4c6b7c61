// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What the operator wrote about routing: the documents other than services, by name.
package struct Policy: Hashable, Sendable {
    package var gateways: [GatewayName: Gateway]
    package var routes: [RouteName: Route]
    package var serviceDefaults: [ServiceName: ServiceDefaults]
    /// By document name. Empty unless the operator allowed them.
    package var rawResources: [String: RawResource]
    /// Those that instances may be in, the one to prefer first: the others are used where it has nobody.
    package var datacenters: [String]
    /// What stands in for a target that has nobody, in this order.
    package var failovers: [TargetID: [TargetID]]

    package init(
        gateways: [GatewayName: Gateway] = [:],
        routes: [RouteName: Route] = [:],
        serviceDefaults: [ServiceName: ServiceDefaults] = [:],
        rawResources: [String: RawResource] = [:],
        datacenters: [String] = [],
        failovers: [TargetID: [TargetID]] = [:]
    ) {
        self.gateways = gateways
        self.routes = routes
        self.serviceDefaults = serviceDefaults
        self.rawResources = rawResources
        self.datacenters = datacenters
        self.failovers = failovers
    }
}

/// A resource in the proxy's own words, passed on unchecked: the document kind `envoy-resource`, off by default.
package struct RawResource: Hashable, Sendable {
    package var name: String
    package var gateways: [GatewayName]
    /// The resource in protobuf's JSON form, with its `@type`. Opaque here.
    package var json: String
    /// After this long without news a proxy drops it. Nil: it keeps it.
    package var timeToLive: Duration?
    package var origin: Origin

    package init(
        name: String,
        gateways: [GatewayName],
        json: String,
        timeToLive: Duration? = nil,
        origin: Origin
    ) {
        self.name = name
        self.gateways = gateways
        self.json = json
        self.timeToLive = timeToLive
        self.origin = origin
    }
}

/// The name of a gateway document.
package struct GatewayName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }

    package static func < (left: GatewayName, right: GatewayName) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The name of a route document.
package struct RouteName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }

    package static func < (left: RouteName, right: RouteName) -> Bool {
        left.rawValue < right.rawValue
    }
}
