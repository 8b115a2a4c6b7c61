// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import NIOHTTP2

/// One connection with one aggregated stream on it, as an Envoy has: HTTP/2 and gRPC around a `SimulatedEnvoy`.
///
/// It works on the frames of the connection, without a channel for the stream, because there is never a second one.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// What Envoy allows by default for a stream; here for the connection, too.
    private static let window = 16 << 20
    private static let initialConnectionWindow = 65_535
    private static let stream = HTTP2StreamID(1)

    private let number: Int
    private let authority: String
    private let fleet: Fleet
    private var envoy: SimulatedEnvoy
    private var assembler = MessageAssembler()
    private var wasInSync = false
    /// Received since the last WINDOW_UPDATE.
    private var consumed = 0

    init(number: Int, authority: String, fleet: Fleet) {
        self.number = number
        self.authority = authority
        self.fleet = fleet
        self.envoy = SimulatedEnvoy(fleet.variant)
    }

    /// The handlers of a connection, in their order.
    static func add(to channel: any Channel, number: Int, authority: String, fleet: Fleet) throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.window),
        ]
        connection.headerBlockValidation = .disabled
        connection.contentLengthValidation = .disabled
        // A Go server answers each ACK with a PING, to measure the bandwidth.
        connection.controlFrameRateLimit.maximumCount = .max
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(
            NIOHTTP2Handler(mode: .client, connectionConfiguration: connection, streamConfiguration: .init())
        )
        try pipeline.addHandler(StreamHandler(number: number, authority: authority, fleet: fleet))
    }

    func channelActive(context: ChannelHandlerContext) {
        self.fleet.opened(self.number, context.channel)
        self.write(.windowUpdate(windowSizeIncrement: Self.window - Self.initialConnectionWindow), .rootStream, context)
        let headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":path": self.fleet.variant.path, ":authority": self.authority,
            "content-type": "application/grpc", "te": "trailers", "user-agent": "signalbox-bench",
        ]
        self.write(.headers(.init(headers: headers)), Self.stream, context)
        self.send(self.envoy.opened(as: Self.nodeID(self.number)), context)
        context.flush()
    }

    private static func nodeID(_ number: Int) -> String {
        let digits = String(number)
        return "bench-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data).payload {
        case .data(let body):
            if case .byteBuffer(let bytes) = body.data { self.received(bytes, context) }
        case .headers(let head):
            // The trailers, or an answer that is nothing else.
            if let status = head.headers.first(name: "grpc-status") {
                let message = head.headers.first(name: "grpc-message") ?? ""
                self.end("ended with gRPC status \(status) \(message)", context)
            } else if let status = head.headers.first(name: ":status"), status != "200" {
                self.end("HTTP status \(status)", context)
            }
        case .rstStream(let code): self.end("reset: \(code)", context)
        case .goAway(_, let code, _): self.end("GOAWAY: \(code)", context)
        default: return
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fleet.lost(self.number, "the connection was closed")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end("\(error)", context)
    }

    private func end(_ reason: String, _ context: ChannelHandlerContext) {
        self.fleet.lost(self.number, reason)
        context.close(promise: nil)
    }

    private func received(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        self.consumed += bytes.readableBytes
        if self.consumed >= Self.window / 4 {
            self.write(.windowUpdate(windowSizeIncrement: self.consumed), .rootStream, context)
            self.write(.windowUpdate(windowSizeIncrement: self.consumed), Self.stream, context)
            self.consumed = 0
        }
        do {
            try self.assembler.feed(bytes) { message in
                let receipt = try self.envoy.received(message, awaiting: self.fleet.awaited, names: &self.fleet.names)
                for request in receipt.requests { self.send(request, context) }
                self.fleet.received(receipt, bytes: message.count, self.number, at: now)
            }
        } catch {
            self.end("\(error)", context)
        }
        if !self.wasInSync, self.envoy.isInSync {
            self.wasInSync = true
            self.fleet.inSync(self.number, holding: self.envoy.held, at: now)
        }
    }

    private func send(_ request: FramedRequest, _ context: ChannelHandlerContext) {
        self.write(.data(.init(data: .byteBuffer(request.head))), Self.stream, context)
        if let tail = request.tail { self.write(.data(.init(data: .byteBuffer(tail))), Self.stream, context) }
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload,
        _ stream: HTTP2StreamID,
        _ context: ChannelHandlerContext
    ) {
        context.write(self.wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
    }
}
