// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What Consul 1.8.7 answers to `GET /v1/config/<kind>`, after `consul config write` of the same.
enum EntryFixtures {
    static let proxyDefaults = entry(
        "proxy-defaults",
        "global",
        #"""
        {"Kind": "proxy-defaults", "Name": "global", "Config": {"handshake_timeout_ms": 10000,
        "local_connect_timeout_ms": 1000, "protocol": "http"}, "MeshGateway": {"Mode": "local"}, "Expose":
        {"Checks": true, "Paths": [{"ListenerPort": 21500, "Path": "/healthz", "LocalPathPort": 8080,
        "Protocol": "http2", "ParsedFromCheck": false}]}, "CreateIndex": 13, "ModifyIndex": 13}
        """#
    )

    static let meshDefaults = entry(
        "service-defaults",
        "sni",
        #"""
        {"Kind": "service-defaults", "Name": "sni", "Protocol": "http", "MeshGateway": {"Mode": "local"},
        "Expose": {}, "ExternalSNI": "web.example.com", "CreateIndex": 14, "ModifyIndex": 14}
        """#
    )

    static let defaults = entry(
        "service-defaults",
        "web",
        #"""
        {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "MeshGateway": {}, "Expose": {},
        "CreateIndex": 16, "ModifyIndex": 16}
        """#
    )

    static let redirect = entry(
        "service-resolver",
        "moved",
        #"""
        {"Kind": "service-resolver", "Name": "moved", "Redirect": {"Service": "web", "ServiceSubset": "v2",
        "Datacenter": "dc2"}, "CreateIndex": 20, "ModifyIndex": 20}
        """#
    )

    static let resolver = entry(
        "service-resolver",
        "web",
        #"""
        {"ConnectTimeout": "15s", "Kind": "service-resolver", "Name": "web", "DefaultSubset": "v1", "Subsets":
        {"v1": {"Filter": "Service.Meta.version == v1"}, "v2": {"Filter": "Service.Meta.version == v2",
        "OnlyPassing": true}}, "Failover": {"*": {"Service": "backup"}, "v2": {"Service": "other",
        "Datacenters": ["dc2", "dc3"]}}, "CreateIndex": 19, "ModifyIndex": 19}
        """#
    )

    static let splitter = entry(
        "service-splitter",
        "web",
        #"""
        {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 90, "ServiceSubset": "v1"}, {"Weight":
        9.99, "ServiceSubset": "v2"}, {"Weight": 0.01, "Service": "other"}], "CreateIndex": 22, "ModifyIndex":
        22}
        """#
    )

    static let router = entry(
        "service-router",
        "web",
        #"""
        {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/admin",
        "Header": [{"Name": "x-debug", "Exact": "1"}, {"Name": "x-p", "Prefix": "a", "Invert": true}, {"Name":
        "x-s", "Suffix": "b"}, {"Name": "x-r", "Regex": "[a-z]+"}, {"Name": "x-there", "Present": true}],
        "QueryParam": [{"Name": "q", "Exact": "1"}, {"Name": "r", "Regex": "[0-9]+"}, {"Name": "t", "Present":
        true}], "Methods": ["GET", "PUT"]}}, "Destination": {"RequestTimeout": "5s", "Service": "admin",
        "Namespace": "default", "PrefixRewrite": "/", "NumRetries": 3, "RetryOnConnectFailure": true,
        "RetryOnStatusCodes": [502, 503]}}, {"Match": {"HTTP": {"PathExact": "/exact"}}, "Destination":
        {"ServiceSubset": "v2"}}, {"Match": {"HTTP": {"PathRegex": "/v[0-9]+/x"}}, "Destination": {"Service":
        "other"}}], "CreateIndex": 23, "ModifyIndex": 23}
        """#
    )
}

/// An entry as the source passes it on.
func entry(_ kind: String, _ name: String, _ json: String) -> ConfigEntry {
    ConfigEntry(
        key: ConfigEntry.Key(kind: kind, name: name),
        json: Array(json.utf8),
        origin: Origin(file: "consul:config/\(kind)/\(name)")
    )
}
