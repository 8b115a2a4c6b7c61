// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// `kind: gateway`: a set of proxies and the listeners they open.
enum GatewayFormats {
    static let document = Format<Document.Body>.object(
        DocumentKind.gateway.field,
        CommonFormats.name,
        Field("proxies", proxies, .required, "Which proxies. Every part that is given must hold; {} is every proxy."),
        Field("listeners", .list(of: listener.located, atLeast: 1), .required, "What the proxies listen on."),
        Field(
            "virtual_hosts",
            .choice,
            .default("all"),
            "all: proxies hold the routes of every host. on-demand: of a host from its first request on."
        ),
        Field(
            "clusters",
            .choice,
            .default("all"),
            "all: proxies hold every service. on-demand: a service from the first request for it on."
        )
    ) { origin, faults, _, name, proxies, listeners, virtualHosts, clusters in
        faults.reportRepetitions(
            of: "listener name",
            in: listeners,
            by: \.name,
            cure: "give each listener its own name"
        )
        faults.reportRepetitions(
            of: "address and port",
            in: listeners,
            by: Self.socket,
            cure: "give each listener its own address or port"
        )
        guard let name, let proxies, let listeners, !listeners.isEmpty else { return nil }
        return .gateway(
            Gateway(
                name: GatewayName(name),
                proxies: proxies,
                listeners: listeners.map(\.value),
                virtualHosts: virtualHosts ?? .all,
                clusters: clusters ?? .all,
                origin: origin
            )
        )
    }

    private static let proxies = Format<ProxySelector>.object(
        Field(
            "ids",
            .list(of: .proxyPattern, atLeast: 1),
            "The proxy's node.id is one of these. A * at the end stands for any rest."
        ),
        Field(
            "clusters",
            .list(of: .proxyPattern, atLeast: 1),
            "The proxy's node.cluster is one of these. A * at the end stands for any rest."
        ),
        Field("metadata", .map, "The proxy's node.metadata has these keys, at its top level, with these strings.")
    ) { _, _, ids, clusters, metadata in
        ProxySelector(ids: ids ?? [], clusters: clusters ?? [], metadata: metadata ?? [:])
    }

    private static let listener = Format<Gateway.Listener>.object(
        Field("name", .name, .required, "Unique within the gateway. Routes refer to it as <gateway>/<listener>."),
        Field("address", .ipAddress, .default("0.0.0.0"), "The address to bind."),
        Field("port", .port, "The port to bind. Required unless the protocol is proxyless."),
        Field(
            "protocol",
            .choice,
            .default("http"),
            "http: HTTP/1.1 and HTTP/2 in clear. proxyless: no socket, for gRPC clients that speak xDS themselves."
        ),
        rules: [
            .variant(field: "protocol", value: "proxyless", forbidden: ["address", "port"], required: ["port"])
        ]
    ) { _, _, name, address, port, `protocol` in
        name.map {
            Gateway.Listener(name: $0, address: address ?? "0.0.0.0", port: port, protocol: `protocol` ?? .http)
        }
    }

    private struct Socket: Hashable {
        var address: IPAddress
        var port: UInt16
    }

    private static func socket(_ listener: Gateway.Listener) -> Socket? {
        guard let address = IPAddress(listener.address), let port = listener.port else { return nil }
        return Socket(address: address, port: port)
    }
}
