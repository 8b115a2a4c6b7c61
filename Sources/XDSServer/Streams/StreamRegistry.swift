// SPDX-License-Identifier: Apache-2.0

import GRPCCore
package import Logging
import Synchronization
package import XDSProtocol

/// Every open stream, for people and metrics: nothing in the protocol depends on it.
package final class StreamRegistry: Sendable {
    private struct State {
        var nextID: UInt64 = 1
        var records: [UInt64: StreamRecord] = [:]
        var nodes = NodeAccounts()
        /// The newest last; bounded.
        var rejections: [ReportedRejection] = []
        var isDraining = false
    }

    static let rejectionsKept = 256
    private static let originsLogged = 5

    let metrics = XDSMetrics()
    private let state = Mutex(State())
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    func open(method: DiscoveryMethod, peer: String) -> StreamRecord {
        self.state.withLock { state in
            let record = StreamRecord(id: state.nextID, method: method, peer: peer)
            state.nextID += 1
            state.records[record.id] = record
            self.metrics.streamOpened(method.variant)
            return record
        }
    }

    /// The stream is this node's.
    /// - Returns: what all streams of the node cost together.
    func identify(_ record: StreamRecord, _ watch: SnapshotWatch, _ limits: StreamLimits) throws -> Account {
        record.identify(watch)
        let (account, streams) = self.state.withLock { $0.nodes.open(watch.node.id, limits) }
        guard streams <= limits.streamsPerNode else {
            throw RPCError(
                code: .resourceExhausted,
                message: "more than \(limits.streamsPerNode) streams of one node"
            )
        }
        self.logger.info("stream opened", metadata: record.logMetadata)
        return account
    }

    /// What all that the node asks for costs together, for what is not a stream.
    func account(of node: Node, _ limits: StreamLimits) -> Account {
        self.state.withLock { $0.nodes.account(of: node.id, limits) }
    }

    func close(_ record: StreamRecord, reason: String) {
        let node = record.node?.id
        record.detach()
        self.state.withLock { state in
            state.records[record.id] = nil
            if let node { state.nodes.close(node) }
            self.metrics.streamClosed(record.variant)
        }
        self.logger.info("stream closed", metadata: record.logMetadata.merging(["reason": "\(reason)"]) { $1 })
    }

    /// The server shuts down: every stream ends.
    func drain() {
        let records = self.state.withLock { state in
            state.isDraining = true
            return Array(state.records.values)
        }
        for record in records { record.drain() }
    }

    var isDraining: Bool { self.state.withLock { $0.isDraining } }

    func report(_ rejection: Rejection, from record: StreamRecord) {
        var rejection = rejection
        // A client chooses its words, and they may be as long as a request.
        rejection.message = String(rejection.message.unicodeScalars.prefix(1024))
        let report = ReportedRejection(rejection, of: record.nodeID)
        self.state.withLock { state in
            state.rejections.append(report)
            if state.rejections.count > Self.rejectionsKept { state.rejections.removeFirst() }
        }
        self.metrics.rejected(rejection.type)
        var metadata = record.logMetadata
        metadata["xds.type"] = "\(rejection.type)"
        metadata["xds.nonce"] = "\(rejection.nonce)"
        metadata["xds.names"] = "\(rejection.resources.prefix(10).map(\.name.rawValue).joined(separator: ","))"
        if !rejection.untried.isEmpty {
            let names = rejection.untried.prefix(10).map(\.rawValue).joined(separator: ",")
            metadata["xds.untried"] = "\(rejection.untried.count): \(names)"
        }
        metadata["origin"] = "\(Self.origins(of: rejection.resources))"
        metadata["xds.error"] = "\(rejection.message)"
        self.logger.warning("proxy rejected resources", metadata: metadata)
    }

    /// Of all that are blamed, each once; of many the first, and how many more there are.
    static func origins(of resources: [Resource]) -> String {
        var origins: [String] = []
        var seen: Set<String> = []
        for origin in resources.flatMap(\.origins) where seen.insert(origin).inserted {
            origins.append(origin)
        }
        let rest = origins.count - Self.originsLogged
        return origins.prefix(Self.originsLogged).joined(separator: ",") + (rest > 0 ? " and \(rest) more" : "")
    }

    package var streams: [StreamRecord] {
        self.state.withLock { $0.records.values.sorted { $0.id < $1.id } }
    }

    package var rejections: [ReportedRejection] {
        self.state.withLock { $0.rejections }
    }
}

/// A NACK and whose it was, without the content that was refused: it is kept when nobody has that any more.
package struct ReportedRejection: Sendable {
    package struct Blamed: Sendable {
        package var name: ResourceName
        package var version: ResourceVersion
        package var origins: [String]
    }

    private static let blamedKept = 1_000

    package var nodeID: String
    package var type: TypeURL
    package var nonce: Nonce
    package var message: String
    /// The first ones of those that may be to blame.
    package var blamed: [Blamed]
    package var untried: [ResourceName]

    init(_ rejection: Rejection, of nodeID: String) {
        self.nodeID = nodeID
        self.type = rejection.type
        self.nonce = rejection.nonce
        self.message = rejection.message
        self.blamed = rejection.resources.prefix(Self.blamedKept).map {
            Blamed(name: $0.name, version: $0.version, origins: $0.origins)
        }
        self.untried = Array(rejection.untried.prefix(Self.blamedKept))
    }
}

/// One open stream as the outside sees it.
package final class StreamRecord: Sendable {
    package let id: UInt64
    /// The gRPC method, without its service.
    package let method: String
    package let variant: StreamStateMachine.Variant
    package let peer: String
    private let watch = Mutex<SnapshotWatch?>(nil)
    private let stream = Mutex<(session: StreamSession, drain: @Sendable () -> Void)?>(nil)

    init(id: UInt64, method: DiscoveryMethod, peer: String) {
        self.id = id
        self.method = method.descriptor.method
        self.variant = method.variant
        self.peer = peer
    }

    func attach(_ session: StreamSession, drain: @escaping @Sendable () -> Void) {
        self.stream.withLock { $0 = (session, drain) }
    }

    func detach() {
        self.stream.withLock { $0 = nil }
    }

    func drain() {
        self.stream.withLock { $0?.drain }?()
    }

    func identify(_ watch: SnapshotWatch) {
        self.watch.withLock { $0 = watch }
    }

    package var node: Node? { self.watch.withLock { $0?.node } }
    package var group: NodeGroup? { self.watch.withLock { $0?.group } }
    var nodeID: String { self.node?.id ?? "" }

    var logMetadata: Logger.Metadata {
        [
            "xds.stream": "\(self.id)", "xds.method": "\(self.method)", "xds.node": "\(self.nodeID)",
            "peer": "\(self.peer)",
        ]
    }

    /// What each type of the stream is up to; nil if it is over.
    package var status: [TypeStatus]? {
        self.stream.withLock { $0?.session }?.status
    }
}
