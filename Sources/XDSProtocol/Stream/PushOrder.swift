// SPDX-License-Identifier: Apache-2.0

/// Make before break: the order in which a change goes out on an aggregated stream. One row a step, shared by SotW and
/// delta. A step waits until every step before it has nothing left to send and nothing un-ACKed; what a client asks for
/// by name is answered at once.
///
/// The order is the one of
/// https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol#eventual-consistency-considerations
package enum PushOrder {
    package enum Step: Hashable, Sendable {
        case upserts(TypeURL)
        case removals(TypeURL)

        var isRemoval: Bool {
            switch self {
            case .upserts: false
            case .removals: true
            }
        }

        var type: TypeURL {
            switch self {
            case .upserts(let type), .removals(let type): type
            }
        }
    }

    package static let steps: [Step] = [
        // Refers to nothing.
        .upserts(.runtime),
        // A cluster must be there, and warm, before a route leads to it.
        .upserts(.cluster),
        // A cluster is warm when its endpoints came; they follow every update of their cluster.
        .upserts(.endpoints),
        // A listener that names a secret or a filter's configuration waits for it: have it arrive first.
        .upserts(.secret),
        .upserts(.extensionConfig),
        // Listener removals go with the upserts: nothing refers to a listener, and the next one may want its port.
        .upserts(.listener),
        // A listener that is new asks for its routes by itself; these are the ones that changed.
        .upserts(.scopedRouteConfiguration),
        .upserts(.routeConfiguration),
        // After their route configuration, which forgets them when it changes.
        .upserts(.virtualHost),
        // From here on, what nothing acknowledged refers to any more, from the referring to the referred to.
        .removals(.virtualHost),
        .removals(.routeConfiguration),
        .removals(.scopedRouteConfiguration),
        .removals(.extensionConfig),
        .removals(.secret),
        .removals(.cluster),
        .removals(.endpoints),
        .removals(.runtime),
    ]

    /// Types whose resources refer to clusters, endpoints and secrets. While a proxy has refused the newest of one, it
    /// works with an older one, and what that may refer to is not removed.
    static let referring: [TypeURL] = [.listener, .scopedRouteConfiguration, .routeConfiguration, .virtualHost]

    /// Whether a type's removals need no step of their own.
    static func removesWithUpserts(_ type: TypeURL) -> Bool {
        type == .listener
    }
}
