// SPDX-License-Identifier: Apache-2.0

import EnvoyTranslation
import XDSServer

/// An Envoy bootstrap whose every listener and cluster comes from Signalbox.
///
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/bootstrap/v3/bootstrap.proto
struct EnvoyBootstrap {
    var nodeID: String
    var nodeCluster: String
    var region: String?
    var zone: String?
    var subZone: String?
    var metadata: [String: String]
    var adminAddress: NetworkAddress
    var xdsAddresses: [NetworkAddress]
    var isDelta: Bool
    var isPerType: Bool

    /// As JSON, which is YAML too.
    var text: String { self.tree.text }

    private var tree: JSONTree {
        [
            "node": self.node,
            "admin": ["address": Self.address(self.adminAddress)],
            "dynamic_resources": self.dynamicResources,
            "static_resources": ["clusters": [self.controlPlane]],
        ]
    }

    private var node: JSONTree {
        var node: JSONTree = ["id": .string(self.nodeID), "cluster": .string(self.nodeCluster)]
        let locality = [("region", self.region), ("zone", self.zone), ("sub_zone", self.subZone)]
            .compactMap { key, value in value.map { (key, JSONTree.string($0)) } }
        if !locality.isEmpty { node.append("locality", .object(locality)) }
        if !self.metadata.isEmpty {
            node.append(
                "metadata",
                .object(self.metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            )
        }
        return node
    }

    private var dynamicResources: JSONTree {
        if self.isPerType {
            let source: JSONTree = ["resource_api_version": "V3", "api_config_source": self.stream]
            return ["lds_config": source, "cds_config": source]
        }
        let source: JSONTree = ["resource_api_version": "V3", "ads": .object([])]
        return ["ads_config": self.stream, "lds_config": source, "cds_config": source]
    }

    private var stream: JSONTree {
        [
            "api_type": self.isDelta ? "DELTA_GRPC" : "GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": true,
            "grpc_services": [
                [
                    "envoy_grpc": [
                        "cluster_name": .string(controlPlaneClusterName),
                        // Envoy's default grows to 30 s and starts anew only when a message came: a proxy that is
                        // current is sent none, and would wait longer after each restart of the control plane.
                        "retry_policy": ["retry_back_off": ["base_interval": "0.1s", "max_interval": "2s"]],
                    ]
                ]
            ],
        ]
    }

    private var controlPlane: JSONTree {
        [
            "name": .string(controlPlaneClusterName),
            // A name is resolved again and again: the control plane may move.
            "type": self.xdsAddresses.contains { $0.isName } ? "STRICT_DNS" : "STATIC",
            "connect_timeout": "1s",
            "typed_extension_protocol_options": [
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": [
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": [
                        "http2_protocol_options": [
                            // A control plane that is gone without a word is found out.
                            "connection_keepalive": ["interval": "10s", "timeout": "5s"]
                        ]
                    ],
                ]
            ],
            "load_assignment": [
                "cluster_name": .string(controlPlaneClusterName),
                "endpoints": [
                    [
                        "lb_endpoints": .array(
                            self.xdsAddresses.map { ["endpoint": ["address": Self.address($0)]] }
                        )
                    ]
                ],
            ],
        ]
    }

    private static func address(_ address: NetworkAddress) -> JSONTree {
        switch address {
        case .ipv4(let host, let port), .ipv6(let host, let port), .name(let host, let port):
            ["socket_address": ["address": .string(host), "port_value": .number(port)]]
        case .unix(let path):
            ["pipe": ["path": .string(path)]]
        }
    }
}

extension NetworkAddress {
    fileprivate var isName: Bool {
        if case .name = self { true } else { false }
    }
}
