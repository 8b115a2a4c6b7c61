// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOTLS

/// One connection of an `APIMultiplex`, from its start: frames are what goes into `MultiplexedQuestions`, and its actions
/// are frames. It does without a channel for each question: there are thousands, and an answer is little more than a header.
///
/// It is the last in its pipeline, so whatever ends the connection, from the handshake of TLS on, is told here and nowhere
/// else.
final class APIMultiplexHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundIn = Never
    typealias OutboundOut = HTTP2Frame

    typealias Answers = [String: MultiplexedQuestions.Answer]

    /// What is to wait from now on. Sent down the channel.
    struct Batch: Sendable {
        var questions: [APIMultiplex.Question]
        var heads: @Sendable (APIMultiplex.Question) throws -> HPACKHeaders
        /// How long one may wait for its answer.
        var lifetime: Duration
        var promise: EventLoopPromise<Answers>
    }

    private static let ping = TimeAmount.seconds(20)
    /// For the handshakes of TLS and of HTTP/2.
    private static let opening = TimeAmount.seconds(10)

    private let product: APIConfiguration.Product
    private var machine = MultiplexedQuestions()
    /// Nil: it was told.
    private var opened: EventLoopPromise<Int>?
    private var calls: [MultiplexedQuestions.Call: EventLoopPromise<Answers>] = [:]
    private var lastCall = MultiplexedQuestions.Call(number: 0)
    /// Those of the last call: some of its questions may have to wait for a stream.
    private var heads: (@Sendable (APIMultiplex.Question) throws -> HPACKHeaders)?
    /// Whether what is read is frames.
    private var isFramed = false
    private var openingTimer: Scheduled<Void>?
    private var pings: RepeatedTask?

    private init(_ product: APIConfiguration.Product, _ opened: EventLoopPromise<Int>) {
        self.product = product
        self.opened = opened
    }

    /// Adds one to a channel that is not connected yet, behind TLS.
    ///
    /// - Returns: how many questions it takes at a time; 0: the other side does not choose HTTP/2.
    static func add(to channel: any Channel, of product: APIConfiguration.Product) throws -> EventLoopFuture<Int> {
        let opened = channel.eventLoop.makePromise(of: Int.self)
        do {
            try channel.pipeline.syncOperations.addHandler(APIMultiplexHandler(product, opened))
        } catch {
            opened.fail(error)
            throw error
        }
        return opened.futureResult
    }

    // MARK: The beginning and the end

    func channelActive(context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.openingTimer = context.eventLoop.scheduleTask(in: Self.opening) {
            let (handler, context) = loopBound.value
            handler.perform(handler.machine.openingTimePassed(), context)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let negotiated): self.negotiated(negotiated, context)
        case let change as NIOHTTP2WindowUpdatedEvent where change.streamID == .rootStream:
            guard let size = change.inboundWindowSize else { return }
            self.perform(self.machine.windowChanged(to: size), context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// - Parameter name: of the protocol (RFC 7301).
    private func negotiated(_ name: String?, _ context: ChannelHandlerContext) {
        let isHTTP2 = name == "h2"
        if isHTTP2 {
            var connection = NIOHTTP2Handler.ConnectionConfiguration()
            connection.initialSettings = [
                HTTP2Setting(parameter: .enablePush, value: 0),
                HTTP2Setting(parameter: .maxHeaderListSize, value: 16 * 1024),
            ]
            let http2 = NIOHTTP2Handler(
                mode: .client,
                connectionConfiguration: connection,
                streamConfiguration: .init()
            )
            do {
                try context.pipeline.syncOperations.addHandler(http2, position: .before(self))
            } catch {
                return self.lost(error, context)
            }
            self.isFramed = true
            let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            self.pings = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.ping, delay: Self.ping) { _ in
                let (handler, context) = loopBound.value
                handler.perform(handler.machine.pingIsDue(at: Self.now), context)
            }
        }
        self.perform(self.machine.negotiated(isHTTP2: isHTTP2), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.lost(error, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // So ends each channel that is closed, also one that never was connected.
        self.lost(ChannelError.eof, context)
        self.openingTimer?.cancel()
        self.pings?.cancel()
    }

    private func lost(_ error: any Error, _ context: ChannelHandlerContext) {
        self.perform(self.machine.lost(), because: error, context)
    }

    // MARK: What goes in

    private static var now: Duration { .nanoseconds(Int64(NIODeadline.now().uptimeNanoseconds)) }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let batch = event as? Batch else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        self.lastCall.number += 1
        self.calls[self.lastCall] = batch.promise
        self.heads = batch.heads
        promise?.succeed()
        let (questions, lifetime) = (batch.questions, batch.lifetime)
        self.perform(self.machine.asked(self.lastCall, questions, lifetime: lifetime, at: Self.now), context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What does not speak HTTP/2 may say something before it is closed.
        guard self.isFramed else { return }
        let frame = self.unwrapInboundIn(data)
        let stream = MultiplexedQuestions.StreamID(frame.streamID)
        switch frame.payload {
        case .settings(.settings(let settings)):
            let limit = settings.last { $0.parameter == .maxConcurrentStreams }?.value
            self.perform(self.machine.received(settings: limit), context)
        case .headers(let head):
            let index = self.product == .consul ? "x-consul-index" : "x-nomad-index"
            self.machine.received(
                status: head.headers.first(name: ":status"),
                index: head.headers.first(name: index),
                on: stream
            )
            if head.endStream { self.machine.ended(stream) }
        case .data(let body):
            self.perform(self.machine.received(bytes: body.data.readableBytes, on: stream), context)
            if body.endStream { self.machine.ended(stream) }
        case .rstStream: self.machine.ended(stream)
        case .goAway: self.lost(ChannelError.eof, context)
        case .ping(_, ack: true): self.machine.ponged()
        default: return
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.perform(self.machine.readCompleted(at: Self.now), context)
    }

    // MARK: What comes out

    /// - Parameter cause: of the end, where it is known.
    private func perform(
        _ actions: [MultiplexedQuestions.Action],
        because cause: (any Error)? = nil,
        _ context: ChannelHandlerContext
    ) {
        guard !actions.isEmpty else { return }
        var fault: (any Error)?
        for action in actions {
            switch action {
            case .opened(let capacity):
                self.opened?.succeed(capacity)
                self.opened = nil
                self.openingTimer?.cancel()
            case .ask(let stream, let question):
                guard fault == nil, let heads = self.heads else { continue }
                do {
                    let headers = try heads(question)
                    self.write(.headers(.init(headers: headers, endStream: true)), HTTP2StreamID(stream), context)
                } catch {
                    fault = error
                }
            case .answer(let call, let answers): self.calls.removeValue(forKey: call)?.succeed(answers)
            case .fail(let call, let failure):
                self.calls.removeValue(forKey: call)?.fail(cause ?? Self.error(failure))
            case .ping: self.write(.ping(HTTP2PingData(withInteger: 0), ack: false), .rootStream, context)
            case .refill(let size): self.write(.windowUpdate(windowSizeIncrement: size), .rootStream, context)
            case .close(let failure):
                self.opened?.fail(cause ?? Self.error(failure))
                self.opened = nil
                context.close(promise: nil)
            }
        }
        context.flush()
        if let fault { self.lost(fault, context) }
    }

    private static func error(_ failure: MultiplexedQuestions.Failure) -> any Error {
        switch failure {
        case .closed, .exhausted: ChannelError.eof
        case .overdue: HTTPClientError.deadlineExceeded
        case .tooLarge: APIError(.tooLarge, "the answer to a small question is larger than 16 KiB")
        case .limited(let limit):
            APIError(.unreachable, "no more than \(limit) questions are taken on a connection by now")
        }
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload,
        _ stream: HTTP2StreamID,
        _ context: ChannelHandlerContext
    ) {
        context.write(self.wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
    }
}
