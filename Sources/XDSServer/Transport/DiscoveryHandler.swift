// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2
import XDSProtocol

/// One HTTP/2 stream of a proxy: which method it calls, its messages, its end. All on the connection's event loop, without
/// a task: a push is a hop to the loop and a write.
///
/// Whether the channel can be written to is the back-pressure: while a proxy does not read, nothing is made for it.
final class DiscoveryHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Call {
        /// No headers yet.
        case none
        case stream(DiscoveryStream)
        case fetch(DiscoveryMethod)
        case over
    }

    /// How long a client may take to end its side after the stream was ended on ours.
    private static let linger = TimeAmount.seconds(5)

    private let server: DiscoveryServer
    private let admissions: AdmissionQueue
    private var call = Call.none
    private var deframer: MessageDeframer
    private var hasSentHeaders = false
    private var isHalfClosed = false
    /// Ends the stream if what is on its way does not come.
    private var deadline: Scheduled<Void>?

    init(server: DiscoveryServer, admissions: AdmissionQueue) {
        self.server = server
        self.admissions = admissions
        self.deframer = MessageDeframer(limit: server.limits.requestBytes, budget: server.budget)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .headers(let head):
            if case .none = self.call { self.begin(head.headers, context) }
            if head.endStream { self.halfClosed(context) }
        case .data(let body):
            if case .byteBuffer(let bytes) = body.data { self.received(bytes, context) }
            if body.endStream { self.halfClosed(context) }
        default: return
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .stream(let stream) = self.call, context.channel.isWritable { stream.becameWritable() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish(reason: self.isHalfClosed ? "closed by the proxy" : "connection lost")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset of the stream or the connection, or a violation of HTTP/2.
        self.finish(reason: "\(error)")
        context.close(promise: nil)
    }

    // MARK: Requests

    private func begin(_ headers: HPACKHeaders, _ context: ChannelHandlerContext) {
        guard headers.first(name: "content-type")?.hasPrefix("application/grpc") == true else {
            self.call = .over
            self.write(.headers(.init(headers: GRPCHeaders.unsupportedMediaType, endStream: true)), context)
            return
        }
        let path = headers.first(name: ":path") ?? ""
        guard let (method, isStream) = DiscoveryMethod.byPath[path] else {
            // Rule 11: what is not served is not there.
            self.end(RPCError(code: .unimplemented, message: "\(path.prefix(200)) is not served here"), context)
            return
        }
        if let problem = GRPCHeaders.problem(headers) {
            self.end(problem, context)
            return
        }
        self.awaitRequest(context)
        guard isStream else {
            self.call = .fetch(method)
            return
        }
        // Now, before there is anything to say: a client takes the stream for good.
        self.sendHeaders(context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.call = .stream(
            DiscoveryStream(
                method: method,
                server: self.server,
                peer: context.channel.parent?.remoteAddress.map(\.peerName) ?? "",
                loop: context.eventLoop,
                isWritable: { bound.value.1.channel.isWritable },
                output: { output in
                    let (handler, context) = bound.value
                    handler.perform(output, context)
                }
            )
        )
    }

    private func received(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        self.deframer.append(bytes)
        do {
            while let message = try self.nextMessage() {
                switch self.call {
                case .stream(let stream): stream.received(message, self.admissions)
                case .fetch(let method): self.fetch(message, method, context)
                case .none, .over: return
                }
                self.stopWaiting()
            }
            if !self.deframer.isEmpty, self.deadline == nil { self.awaitRequest(context) }
        } catch let error as RPCError {
            self.end(error, context)
        } catch {
            self.end(RPCError(code: .internalError, message: ""), context)
        }
    }

    private func awaitRequest(_ context: ChannelHandlerContext) {
        let time = self.server.limits.requestTime
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.deadline = context.eventLoop.scheduleTask(in: TimeAmount(time)) {
            let (handler, context) = bound.value
            handler.end(RPCError(code: .resourceExhausted, message: "a request did not come within \(time)"), context)
        }
    }

    private func stopWaiting() {
        self.deadline?.cancel()
        self.deadline = nil
    }

    private func nextMessage() throws -> [UInt8]? {
        if case .over = self.call {
            self.deframer = MessageDeframer(limit: 0, budget: self.server.budget)
            return nil
        }
        return try self.deframer.next()
    }

    private func fetch(_ message: [UInt8], _ method: DiscoveryMethod, _ context: ChannelHandlerContext) {
        do {
            let response = try self.server.fetch(message, by: method)
            self.sendHeaders(context)
            self.send(response, context)
            self.end(nil, context)
        } catch let error as RPCError {
            self.end(error, context)
        } catch {
            self.end(RPCError(code: .internalError, message: ""), context)
        }
    }

    private func halfClosed(_ context: ChannelHandlerContext) {
        self.isHalfClosed = true
        switch self.call {
        case .stream(let stream): stream.halfClosed()
        case .fetch: self.end(RPCError(code: .invalidArgument, message: "a fetch needs a request"), context)
        case .none, .over: return
        }
    }

    // MARK: Responses

    private func perform(_ output: DiscoveryStream.Output, _ context: ChannelHandlerContext) {
        guard case .stream = self.call else { return }
        switch output {
        case .send(let bytes): self.send(bytes, context)
        case .flush: context.flush()
        case .read(let isOn):
            _ = context.channel.setOption(.autoRead, value: isOn)
            // A stream's channel does not begin anew by itself.
            if isOn { context.read() }
        case .end(let error): self.end(error, context)
        }
    }

    private func sendHeaders(_ context: ChannelHandlerContext) {
        self.hasSentHeaders = true
        self.write(.headers(.init(headers: GRPCHeaders.response)), context)
    }

    private func send(_ message: [UInt8], _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: message.count + 5)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(message.count))
        buffer.writeBytes(message)
        self.write(.data(.init(data: .byteBuffer(buffer))), context)
    }

    private func end(_ error: RPCError?, _ context: ChannelHandlerContext) {
        let trailers = GRPCHeaders.trailers(error, isOnly: !self.hasSentHeaders)
        self.finish(reason: error.map { "\($0.code): \($0.message)" } ?? "ended")
        self.write(.headers(.init(headers: trailers, endStream: true)), context)
        context.flush()
        guard !self.isHalfClosed else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.linger) { bound.value.close(promise: nil) }
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.write(self.wrapOutboundOut(payload), promise: nil)
    }

    private func finish(reason: String) {
        self.stopWaiting()
        self.deframer.release()
        if case .stream(let stream) = self.call { stream.end(reason: reason) }
        self.call = .over
    }
}
