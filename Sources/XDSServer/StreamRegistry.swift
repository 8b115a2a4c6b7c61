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
        /// The newest last; bounded.
        var rejections: [ReportedRejection] = []
        var isDraining = false
    }

    static let rejectionsKept = 256

    let metrics = XDSMetrics()
    private let state = Mutex(State())
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    func open(
        method: DiscoveryMethod,
        peer: String,
        control: AsyncStream<DiscoveryStream.Control>.Continuation
    ) -> StreamRecord {
        self.state.withLock { state in
            let record = StreamRecord(id: state.nextID, method: method, peer: peer, control: control)
            state.nextID += 1
            state.records[record.id] = record
            self.metrics.streamOpened(method.variant)
            return record
        }
    }

    func close(_ record: StreamRecord, reason: String) {
        record.end()
        self.state.withLock { state in
            state.records[record.id] = nil
            self.metrics.streamClosed(record.variant)
        }
        self.logger.info("stream closed", metadata: record.logMetadata.merging(["reason": "\(reason)"]) { $1 })
    }

    func beginDrain() {
        self.state.withLock { $0.isDraining = true }
    }

    var isDraining: Bool { self.state.withLock { $0.isDraining } }

    func report(_ rejection: Rejection, from record: StreamRecord) {
        let report = ReportedRejection(nodeID: record.nodeID, rejection: rejection)
        self.state.withLock { state in
            state.rejections.append(report)
            if state.rejections.count > Self.rejectionsKept { state.rejections.removeFirst() }
        }
        self.metrics.rejected(rejection.type)
        var metadata = record.logMetadata
        metadata["xds.type"] = "\(rejection.type)"
        metadata["xds.nonce"] = "\(rejection.nonce)"
        metadata["xds.names"] = "\(rejection.resources.prefix(10).map(\.name.rawValue).joined(separator: ","))"
        metadata["origin"] = "\(rejection.resources.first?.origin ?? "")"
        metadata["xds.error"] = "\(rejection.message.prefix(1024))"
        self.logger.warning("proxy rejected resources", metadata: metadata)
    }

    package var streams: [StreamRecord] {
        self.state.withLock { $0.records.values.sorted { $0.id < $1.id } }
    }

    package var rejections: [ReportedRejection] {
        self.state.withLock { $0.rejections }
    }
}

/// A NACK and whose it was.
package struct ReportedRejection: Sendable {
    package var nodeID: String
    package var rejection: Rejection
}

/// One open stream as the outside sees it.
package final class StreamRecord: Sendable {
    package let id: UInt64
    /// The gRPC method, without its service.
    package let method: String
    package let variant: StreamStateMachine.Variant
    package let peer: String
    private let control: AsyncStream<DiscoveryStream.Control>.Continuation
    private let watch = Mutex<SnapshotWatch?>(nil)

    init(
        id: UInt64,
        method: DiscoveryMethod,
        peer: String,
        control: AsyncStream<DiscoveryStream.Control>.Continuation
    ) {
        self.id = id
        self.method = method.descriptor.method
        self.variant = method.variant
        self.peer = peer
        self.control = control
    }

    func identify(_ watch: SnapshotWatch) {
        self.watch.withLock { $0 = watch }
    }

    func end() {
        self.control.finish()
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

    /// What each type of the stream is up to; nil if the stream is busy sending for longer than `timeout`, or gone.
    package func status(timeout: Duration = .seconds(1)) async -> [TypeStatus]? {
        let (answers, answer) = AsyncStream.makeStream(of: [TypeStatus].self)
        if case .terminated = self.control.yield(.describe(answer)) { return nil }
        return await withTaskGroup(of: [TypeStatus]?.self) { group in
            group.addTask {
                // The stream answers when its loop comes round; ours is not to wait for it for ever.
                for await status in answers { return status }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
