// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import HashTreeCollections
import XDSProtocol
import XDSServer

/// `GET /state`: what every proxy wants, holds, has in flight and refused, and what is wrong with the documents.
/// Its keys are documented in `docs/admin.md` and are stable within an `apiVersion`.
struct StateDocument: Encodable {
    struct Stream: Encodable {
        struct Node: Encodable {
            var id: String
            var cluster: String
            var userAgent: String
        }

        var id: UInt64
        var method: String
        var variant: String
        var peer: String
        /// Absent until the first request.
        var node: Node?
        /// The gateways that select the proxy; empty if none does.
        var group: [String]
        /// By short name. Absent if the stream ended meanwhile.
        var types: [String: TypeEntry]?
    }

    struct TypeEntry: Encodable {
        struct InFlight: Encodable {
            var nonce: String
            var names: [String]
        }

        struct Rejected: Encodable {
            var name: String
            var version: String
            var message: String
        }

        var typeURL: String
        var wildcard: Bool
        var subscribed: [String]
        var wanted: [String: String]
        /// An empty version: the proxy holds one that is not ours.
        var acknowledged: [String: String]
        var inFlight: InFlight?
        var rejected: [Rejected]
        var responsesSent: Int
        var resourcesSent: Int
        var namesDropped: Int
    }

    struct RejectionEntry: Encodable {
        var node: String
        var type: String
        var names: [String]
        var versions: [String]
        var message: String
        /// Where what was refused was made from: files and lines.
        var origin: String
    }

    var apiVersion = "signalbox/v1"
    var ready: Bool
    /// Why it is not ready.
    var blockers: [String]
    var generation: UInt64
    /// Documents in force, by kind.
    var documents: [String: Int]
    var sources: [SourceState]
    /// What is in force against the word of its source.
    var held: [HeldState]
    var diagnostics: [DiagnosticEntry]
    var streams: [Stream]
    /// The newest last; bounded.
    var rejections: [RejectionEntry]
}

extension StateDocument.Stream {
    init(_ record: StreamRecord) {
        self.id = record.id
        self.method = record.method
        self.variant = record.variant.rawValue
        self.peer = record.peer
        self.node = record.node.map { Node(id: $0.id, cluster: $0.cluster, userAgent: $0.userAgent) }
        self.group = record.group?.members ?? []
        self.types = record.status.map { status in
            Dictionary(status.map { ($0.type.description, StateDocument.TypeEntry($0)) }) { first, _ in first }
        }
    }
}

extension StateDocument.TypeEntry {
    init(_ status: TypeStatus) {
        self.typeURL = status.type.rawValue
        self.wildcard = status.subscription.isWildcard
        self.subscribed = status.subscription.names.map(\.rawValue).sorted()
        self.wanted = [:]
        for (name, version) in status.wanted { self.wanted[name.rawValue] = version.description }
        self.acknowledged = [:]
        for (name, version) in status.acknowledged { self.acknowledged[name.rawValue] = version?.description ?? "" }
        self.inFlight = status.inFlight.map { InFlight(nonce: $0.nonce.rawValue, names: $0.names.map(\.rawValue)) }
        self.rejected = status.rejected.map {
            Rejected(name: $0.name.rawValue, version: $0.version.description, message: $0.message)
        }
        self.responsesSent = status.responsesSent
        self.resourcesSent = status.resourcesSent
        self.namesDropped = status.namesDropped
    }
}

extension StateDocument.RejectionEntry {
    init(_ reported: ReportedRejection) {
        self.node = reported.nodeID
        self.type = reported.type.shortName
        self.names = reported.blamed.map(\.name.rawValue)
        self.versions = reported.blamed.map(\.version.description)
        self.message = String(reported.message.prefix(1024))
        self.origin = Set(reported.blamed.flatMap(\.origins)).sorted().prefix(100).joined(separator: ", ")
    }
}
