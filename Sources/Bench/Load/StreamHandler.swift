// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK

/// One connection with one aggregated stream on it, as an Envoy has: HTTP/2 and gRPC around a `SimulatedEnvoy`.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let number: Int
    private let fleet: Fleet
    private var envoy: SimulatedEnvoy
    private var frames = Assembler.frames
    private var messages = Assembler.messages
    private var headers = ResponseHeaders()
    private var isEndingStream = false
    private var writer = FrameWriter()
    private var wasInSync = false
    private var isOver = false

    init(number: Int, fleet: Fleet) {
        self.number = number
        self.fleet = fleet
        self.envoy = SimulatedEnvoy(fleet.variant)
    }

    /// What every stream begins with, encoded. The first block of a connection is the same on all of them.
    static func requestHeaders(_ variant: Variant, authority: String) throws -> ByteBuffer {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var block = ByteBuffer()
        let headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":path": variant.path, ":authority": authority,
            "content-type": "application/grpc", "te": "trailers", "user-agent": "signalbox-bench",
        ]
        try encoder.encode(headers: headers, to: &block)
        return block
    }

    func channelActive(context: ChannelHandlerContext) {
        self.fleet.opened(self.number, context.channel)
        self.writer.open(self.fleet.requestHeaders)
        self.send(self.envoy.opened(as: Self.nodeID(self.number)))
        self.flush(context)
    }

    private static func nodeID(_ number: Int) -> String {
        let digits = String(number)
        return "bench-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isOver else { return }
        do {
            try self.frames.feed(self.unwrapInboundIn(data)) { frame in
                if let reason = try self.take(frame: frame) { throw LoadFailure(reason) }
            }
        } catch {
            self.end("\(error)", context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.flush(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fleet.lost(self.number, "the connection was closed")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end("\(error)", context)
    }

    private func end(_ reason: String, _ context: ChannelHandlerContext) {
        self.isOver = true
        self.fleet.lost(self.number, reason)
        context.close(promise: nil)
    }

    private func flush(_ context: ChannelHandlerContext) {
        self.writer.takePieces { context.write(self.wrapOutboundOut($0), promise: nil) }
        context.flush()
    }

    /// - Returns: why the stream ends, if it does.
    private func take(frame: ByteBuffer) throws -> String? {
        guard let head = FrameHead(frame) else { return nil }
        var content = frame
        content.moveReaderIndex(forwardBy: FrameHead.size)
        switch head.kind {
        case .data:
            self.writer.consume(head.length)
            try content.unpad(head)
            try self.take(content: content)
            return head.flags.contains(.endStream) ? "ended without a status" : nil
        case .headers:
            try content.unpad(head)
            self.isEndingStream = head.flags.contains(.endStream)
            return try self.headers.take(
                content,
                isWhole: head.flags.contains(.endHeaders),
                isLast: self.isEndingStream
            )
        case .continuation:
            return try self.headers.take(
                content,
                isWhole: head.flags.contains(.endHeaders),
                isLast: self.isEndingStream
            )
        case .rstStream: return "reset: \(content.readInteger(as: UInt32.self) ?? 0)"
        case .goAway:
            content.moveReaderIndex(forwardBy: min(4, content.readableBytes))
            return "GOAWAY: \(content.readInteger(as: UInt32.self) ?? 0)"
        case .settings: if !head.flags.contains(.ack) { self.writer.take(settings: content) }
        // A Go server sends one for each ACK, to measure the bandwidth.
        case .ping: if !head.flags.contains(.ack) { self.writer.answerPing(content) }
        case .windowUpdate: self.writer.take(windowUpdate: content, stream: head.stream)
        case .priority, .pushPromise, nil: break
        }
        return nil
    }

    private func take(content: ByteBuffer) throws {
        let now = NIODeadline.now()
        try self.messages.feed(content) { message in
            let receipt = try message.withUnsafeReadableBytes { bytes in
                try self.envoy.received(
                    UnsafeRawBufferPointer(rebasing: bytes[FramedRequest.prefix...]),
                    awaiting: self.fleet.awaited,
                    names: &self.fleet.names
                )
            }
            for request in receipt.requests { self.send(request) }
            self.fleet.received(receipt, bytes: message.readableBytes - FramedRequest.prefix, self.number, at: now)
        }
        if !self.wasInSync, self.envoy.isInSync {
            self.wasInSync = true
            self.fleet.inSync(self.number, holding: self.envoy.held, at: now)
        }
    }

    private func send(_ request: FramedRequest) {
        self.writer.send(request.head)
        if let tail = request.tail { self.writer.send(tail) }
    }
}
