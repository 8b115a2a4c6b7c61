// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// What every entry has besides what it is for.
enum EntryEnvelope {
    static let fields: Set<String> = [
        "Kind", "Name", "Namespace", "Partition", "Meta", "CreateIndex", "ModifyIndex", "Hash", "Status",
    ]
}

extension ServiceSettings {
    private static let meshOnly: Set<String> = [
        "MeshGateway", "Expose", "ExternalSNI", "TransparentProxy", "Mode", "MutualTLSMode", "EnvoyExtensions",
        "Destination", "MaxInboundConnections", "LocalConnectTimeoutMs", "LocalRequestTimeoutMs",
        "BalanceInboundConnections", "RateLimits", "AccessLogs", "Locality",
    ]

    /// `service-defaults`.
    /// See https://developer.hashicorp.com/consul/docs/reference/config-entry/service-defaults
    init(_ fields: EntryFields, origin: Origin, findings: inout EntryFindings) throws(EntryRefusal) {
        self.init(origin: origin)
        try fields.requireOwnNamespace()
        fields.note(
            allBut: EntryEnvelope.fields.union(["Protocol", "UpstreamConfig"]),
            meshOnly: Self.meshOnly,
            in: &findings
        )
        try self.readProtocol("Protocol", of: fields)
        guard let upstreams = try fields.object("UpstreamConfig") else { return }
        if let overrides = upstreams.members["Overrides"], !overrides.isEmpty {
            findings.meshOnly.append(upstreams.path(of: "Overrides"))
        }
        upstreams.note(allBut: ["Defaults", "Overrides"], in: &findings)
        guard let defaults = try upstreams.object("Defaults") else { return }
        defaults.note(
            allBut: ["ConnectTimeoutMs", "Limits"],
            meshOnly: [
                "Name", "MeshGateway", "EnvoyListenerJSON", "EnvoyClusterJSON", "Protocol",
                "BalanceOutboundConnections",
            ],
            in: &findings
        )
        self.connectTimeout = try defaults.integer("ConnectTimeoutMs", in: 1...86_400_000).map { .milliseconds($0) }
        guard let limits = try defaults.object("Limits") else { return }
        limits.note(allBut: ["MaxConnections", "MaxPendingRequests", "MaxConcurrentRequests"], in: &findings)
        self.circuitBreaker.maxConnections = try limits.limit("MaxConnections")
        self.circuitBreaker.maxPendingRequests = try limits.limit("MaxPendingRequests")
        self.circuitBreaker.maxConcurrentRequests = try limits.limit("MaxConcurrentRequests")
    }

    /// `proxy-defaults`.
    /// See https://developer.hashicorp.com/consul/docs/reference/config-entry/proxy-defaults
    init(proxyDefaults fields: EntryFields, origin: Origin, findings: inout EntryFindings) throws(EntryRefusal) {
        self.init(origin: origin)
        fields.note(
            allBut: EntryEnvelope.fields.union(["Config"]),
            meshOnly: Self.meshOnly.union(["FailoverPolicy", "PrioritizeByLocality"]),
            in: &findings
        )
        guard let configuration = try fields.object("Config") else { return }
        // All of it is the sidecar's.
        for name in configuration.members.keys.sorted() where name != "protocol" {
            findings.meshOnly.append(configuration.path(of: name.printable))
        }
        try self.readProtocol("protocol", of: configuration)
    }

    private mutating func readProtocol(_ name: String, of fields: EntryFields) throws(EntryRefusal) {
        guard let text = try fields.string(name)?.lowercased() else { return }
        let known: ServiceDefaults.`Protocol`? = .init(rawValue: text)
        if text == "tcp" {
            self.isTCP = true
        } else if let known {
            self.protocol = known
        } else {
            throw fields.refusal(name, "'\(text.printable)' is not known", cure: "write http, http2, grpc or tcp")
        }
    }
}

extension EntryFields {
    fileprivate func limit(_ name: String) throws(EntryRefusal) -> UInt32? {
        try self.integer(name, in: 0...Int(UInt32.max)).flatMap { UInt32(exactly: $0) }
    }
}
