// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK

/// One connection with one aggregated stream on it, as an Envoy has: HTTP/2 and gRPC around a `SimulatedEnvoy`.
final class StreamConnection {
    /// What came of what was read.
    struct News {
        var receipts: [(receipt: SimulatedEnvoy.Receipt, bytes: Int)] = []
        /// What the stream holds, when it has just come in sync.
        var synced: Fleet.Held?
    }

    let socket: Socket
    private let number: Int
    private var envoy: SimulatedEnvoy
    private var frames = FrameReader()
    private var messages = MessageAssembler()
    private var headers = ResponseHeaders()
    private var isLastBlock = false
    private var writer = FrameWriter()
    private var wasInSync = false

    init(_ socket: Socket, number: Int, variant: Variant) {
        self.socket = socket
        self.number = number
        self.envoy = SimulatedEnvoy(variant)
    }

    /// What every stream begins with, encoded. The first block of a connection is the same on all of them.
    static func requestHeaders(_ variant: Variant, authority: String) throws -> [UInt8] {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var block = ByteBuffer()
        let headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":path": variant.path, ":authority": authority,
            "content-type": "application/grpc", "te": "trailers", "user-agent": "signalbox-bench",
        ]
        try encoder.encode(headers: headers, to: &block)
        return Array(block.readableBytesView)
    }

    func open(_ headers: [UInt8], _ output: inout Output) {
        self.writer.open(headers, &output)
        self.writer.send(self.envoy.opened(as: Self.nodeID(self.number)), &output)
    }

    private static func nodeID(_ number: Int) -> String {
        let digits = String(number)
        return "bench-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// - Throws: why the stream ended.
    func received(
        _ bytes: UnsafeRawBufferPointer,
        awaiting awaited: NameTable.Index?,
        names: inout SharedNames,
        _ output: inout Output
    ) throws -> News {
        var news = News()
        try self.frames.feed(bytes) { head, content in
            guard head.kind == .data else { return try self.take(head, content, &output) }
            self.writer.consume(content.count, &output)
            let content = head.flags.contains(.padded) ? try head.unpadded(content) : content
            try self.messages.feed(content) { message in
                let receipt = try self.envoy.received(message, awaiting: awaited, names: &names)
                for request in receipt.requests { self.writer.send(request, &output) }
                news.receipts.append((receipt, message.count))
            }
            if head.flags.contains(.endStream) { throw LoadFailure("ended without a status") }
        }
        if !self.wasInSync, self.envoy.isInSync {
            self.wasInSync = true
            news.synced = self.envoy.held
        }
        return news
    }

    private func take(_ head: FrameHead, _ content: UnsafeRawBufferPointer, _ output: inout Output) throws {
        switch head.kind {
        case .headers:
            self.isLastBlock = head.flags.contains(.endStream)
            try self.take(block: try head.unpadded(content), head)
        case .continuation: try self.take(block: content, head)
        case .rstStream: throw LoadFailure("reset: \(content.count == 4 ? content.integer(at: 0) : 0)")
        case .goAway: throw LoadFailure("GOAWAY: \(content.count >= 8 ? content.integer(at: 4) : 0)")
        case .settings: if !head.flags.contains(.ack) { self.writer.take(settings: content, &output) }
        // A Go server sends one for each ACK, to measure the bandwidth.
        case .ping: if !head.flags.contains(.ack) { self.writer.answerPing(content, &output) }
        case .windowUpdate: self.writer.take(windowUpdate: content, stream: head.stream, &output)
        case .data, .priority, .pushPromise, nil: return
        }
    }

    private func take(block: UnsafeRawBufferPointer, _ head: FrameHead) throws {
        let isWhole = head.flags.contains(.endHeaders)
        let reason = try self.headers.take(ByteBuffer(bytes: block), isWhole: isWhole, isLast: self.isLastBlock)
        if let reason { throw LoadFailure(reason) }
    }
}
