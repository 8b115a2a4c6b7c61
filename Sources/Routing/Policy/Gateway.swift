// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// A set of proxies and the listeners they open.
package struct Gateway: Hashable, Sendable {
    package var name: GatewayName
    package var proxies: ProxySelector
    /// At least one; names unique within the gateway.
    package var listeners: [Listener]
    /// Of the listeners that are not proxyless: gRPC clients ask by name anyway.
    package var virtualHosts: Delivery
    /// Of everything that its routes lead to.
    package var clusters: Delivery
    package var origin: Origin

    package init(
        name: GatewayName,
        proxies: ProxySelector,
        listeners: [Listener],
        virtualHosts: Delivery = .all,
        clusters: Delivery = .all,
        origin: Origin
    ) {
        self.name = name
        self.proxies = proxies
        self.listeners = listeners
        self.virtualHosts = virtualHosts
        self.clusters = clusters
        self.origin = origin
    }

    /// When proxies get what there may be more of than fits into their memory.
    package enum Delivery: String, Hashable, Sendable, CaseIterable {
        /// All of it, before it is needed.
        case all
        /// Only what is needed, when the first request needs it.
        case onDemand = "on-demand"
    }

    package struct Listener: Hashable, Sendable {
        package enum `Protocol`: String, Hashable, Sendable, CaseIterable {
            /// HTTP/1.1 and HTTP/2 in clear.
            case http
            /// No socket: an `api_listener` for gRPC clients that speak xDS themselves (`xds:///<hostname>`).
            case proxyless
        }

        package var name: String
        /// What to bind, an address literal. "0.0.0.0" by default. Of no meaning for `proxyless`.
        package var address: String
        /// What to bind, 1...65535. Nil exactly for `proxyless`.
        package var port: UInt16?
        package var `protocol`: `Protocol`

        package init(name: String, address: String = "0.0.0.0", port: UInt16?, protocol: `Protocol` = .http) {
            self.name = name
            self.address = address
            self.port = port
            self.protocol = `protocol`
        }
    }
}

/// Chooses proxies by what they say of themselves. Every part that is given must hold; an empty selector chooses all.
package struct ProxySelector: Hashable, Sendable {
    /// `node.id` is one of these; a trailing `*` stands for any rest. Empty: any.
    package var ids: [String]
    /// `node.cluster` is one of these; a trailing `*` stands for any rest. Empty: any.
    package var clusters: [String]
    /// `node.metadata` has every one of these keys, at its top level, with this string value.
    package var metadata: [String: String]

    package init(ids: [String] = [], clusters: [String] = [], metadata: [String: String] = [:]) {
        self.ids = ids
        self.clusters = clusters
        self.metadata = metadata
    }

    package func selects(id: String, cluster: String, metadata: [String: String]) -> Bool {
        Self.matches(id, self.ids) && Self.matches(cluster, self.clusters)
            && self.metadata.allSatisfy { metadata[$0.key] == $0.value }
    }

    private static func matches(_ value: String, _ patterns: [String]) -> Bool {
        patterns.isEmpty
            || patterns.contains { $0.hasSuffix("*") ? value.hasPrefix($0.dropLast()) : value == $0 }
    }
}
