// SPDX-License-Identifier: Apache-2.0

/// The type of a resource, as it stands in `type_url`.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol#resource-types
package enum TypeURL: Hashable, Sendable {
    case listener
    case routeConfiguration
    case scopedRouteConfiguration
    case virtualHost
    case cluster
    case endpoints
    case secret
    case runtime
    case extensionConfig
    /// A type that we have no resources of. Asking for one is legitimate and is answered with "there is none".
    case other(String)

    package static let known: [TypeURL] = [
        .listener, .routeConfiguration, .scopedRouteConfiguration, .virtualHost, .cluster, .endpoints, .secret,
        .runtime, .extensionConfig,
    ]

    private static let byRawValue = Dictionary(uniqueKeysWithValues: known.map { ($0.rawValue, $0) })

    package init(rawValue: String) {
        self = Self.byRawValue[rawValue] ?? .other(rawValue)
    }

    private static let utf8ByIndex = known.map { Array($0.rawValue.utf8) }

    /// Of `rawValue`, made once for those that are `known`.
    var utf8: [UInt8] {
        self.index.map { Self.utf8ByIndex[$0] } ?? Array(self.rawValue.utf8)
    }

    /// The type's place in `known`; nil of `other`.
    package var index: Int? {
        switch self {
        case .listener: 0
        case .routeConfiguration: 1
        case .scopedRouteConfiguration: 2
        case .virtualHost: 3
        case .cluster: 4
        case .endpoints: 5
        case .secret: 6
        case .runtime: 7
        case .extensionConfig: 8
        case .other: nil
        }
    }

    package var rawValue: String {
        switch self {
        case .listener: "type.googleapis.com/envoy.config.listener.v3.Listener"
        case .routeConfiguration: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
        case .scopedRouteConfiguration: "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
        case .virtualHost: "type.googleapis.com/envoy.config.route.v3.VirtualHost"
        case .cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        case .endpoints: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
        case .secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
        case .runtime: "type.googleapis.com/envoy.service.runtime.v3.Runtime"
        case .extensionConfig: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
        case .other(let rawValue): rawValue
        }
    }

    /// The field's short word, for logs, metrics (a closed set) and people.
    package var shortName: String {
        switch self {
        case .listener: "LDS"
        case .routeConfiguration: "RDS"
        case .scopedRouteConfiguration: "SRDS"
        case .virtualHost: "VHDS"
        case .cluster: "CDS"
        case .endpoints: "EDS"
        case .secret: "SDS"
        case .runtime: "RTDS"
        case .extensionConfig: "ECDS"
        case .other: "other"
        }
    }

    /// Whether a state-of-the-world response must list everything, so that what it leaves out is removed, and whether an
    /// empty first subscription means everything.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol#grouping-resources-into-responses
    package var isRoot: Bool {
        switch self {
        case .listener, .cluster: true
        // The specification does not ask for it, but Envoy removes the scopes that a response leaves out.
        case .scopedRouteConfiguration: true
        default: false
        }
    }

    /// Whether an empty first subscription means everything. Scoped routes are asked for so, too.
    package var hasLegacyWildcard: Bool {
        self.isRoot
    }
}

extension TypeURL: CustomStringConvertible {
    package var description: String {
        if case .other(let rawValue) = self { rawValue } else { self.shortName }
    }
}
