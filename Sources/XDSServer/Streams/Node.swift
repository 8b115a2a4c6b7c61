// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf

/// A proxy as it describes itself in the first request of a stream. Not to be trusted beyond choosing its group.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/base.proto#config-core-v3-node
package struct Node: Hashable, Sendable {
    package var id: String
    package var cluster: String
    /// The top-level entries that are strings.
    package var metadata: [String: String]
    /// For people: "envoy 1.40.0" or what a gRPC library calls itself.
    package var userAgent: String

    package init(id: String, cluster: String = "", metadata: [String: String] = [:], userAgent: String = "") {
        self.id = id
        self.cluster = cluster
        self.metadata = metadata
        self.userAgent = userAgent
    }
}

extension Node {
    /// As it came in a request.
    init(_ bytes: [UInt8], limits: StreamLimits) throws {
        guard bytes.count <= limits.nodeBytes else {
            throw RPCError(code: .resourceExhausted, message: "node is larger than \(limits.nodeBytes) bytes")
        }
        let node: Envoy_Config_Core_V3_Node
        do { node = try Envoy_Config_Core_V3_Node(serializedBytes: bytes) } catch { throw RPCError.malformedRequest }
        guard !node.id.isEmpty else { throw RPCError.nodeMissing }
        guard node.id.utf8.count <= limits.nodeIDBytes, !node.id.unicodeScalars.contains(where: \.isControl) else {
            throw RPCError(
                code: .invalidArgument,
                message: "node.id is longer than \(limits.nodeIDBytes) bytes or has control characters"
            )
        }
        self.init(node)
    }

    init(_ node: Envoy_Config_Core_V3_Node) {
        self.id = node.id
        self.cluster = node.cluster
        self.metadata = [:]
        for (key, value) in node.metadata.fields {
            if case .stringValue(let text) = value.kind { self.metadata[key] = text }
        }
        switch node.userAgentVersionType {
        case .userAgentBuildVersion(let build):
            let version = build.version
            self.userAgent =
                "\(node.userAgentName) \(version.majorNumber).\(version.minorNumber).\(version.patch)"
        case .userAgentVersion(let version): self.userAgent = "\(node.userAgentName) \(version)"
        case nil: self.userAgent = node.userAgentName
        }
    }
}

/// Those proxies that share a snapshot, byte for byte.
package struct NodeGroup: Hashable, Sendable {
    /// What makes up the group, for example the gateways that select its proxies, in order.
    package var members: [String]
    /// A resource that points at others has to say which kind of stream to get them from.
    package var streams: StreamKind
    /// Whether they are gRPC clients and no proxies.
    package var isProxyless: Bool

    package init(members: [String], streams: StreamKind, isProxyless: Bool = false) {
        self.members = members
        self.streams = streams
        self.isProxyless = isProxyless
    }
}

/// How a proxy's subscriptions are spread over streams, which its bootstrap decides.
package enum StreamKind: Hashable, Sendable {
    /// One for all types, delta.
    case aggregated
    /// One for all types, state of the world.
    case aggregatedSotW
    /// One for each type, state of the world.
    case sotwPerType
    /// One for each type, delta.
    case deltaPerType
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { self.properties.generalCategory == .control }
}
