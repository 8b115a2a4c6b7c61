// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One connection of an `APIMultiplex`. It works on the frames, without a channel for each question: there are thousands,
/// and an answer is little more than a header.
final class APIMultiplexHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundIn = Never
    typealias OutboundOut = HTTP2Frame

    struct Answers: Sendable {
        /// Nil: the question is refused.
        var indexes: [String: UInt64?] = [:]
        /// The statuses of what was refused.
        var refusals: Set<Int> = []
    }

    /// What is to wait from now on. Sent down the channel.
    struct Batch: Sendable {
        var questions: [APIMultiplex.Question]
        var heads: @Sendable (APIMultiplex.Question) throws -> HPACKHeaders
        /// How long one may wait for its answer.
        var lifetime: TimeAmount
        var promise: EventLoopPromise<Answers>
    }

    /// Of a question that waits.
    private struct Waiting {
        /// Nil: nobody wants to know any more. It waits all the same: a server that is told to stop goes on, and some count
        /// it until it would have answered.
        var key: String?
        var deadline: NIODeadline
        var index: UInt64?
        var status: Int?
        var bytes = 0
    }

    /// Of one answer's body: it should have none to speak of.
    static let maximumBytes = 16 * 1024
    /// What stands on the way may have forgotten a connection on which nothing happened for long.
    private static let ping = TimeAmount.seconds(20)
    /// What the sender may send, beyond the 64 KiB of the protocol; it is given back in pieces.
    private static let window = 16 * 1024 * 1024
    private static let refill = 16 * 1024
    private static let lastStream = HTTP2StreamID(Int(Int32.max) - 2)

    private let product: APIConfiguration.Product
    private let opened: EventLoopPromise<Int>
    private var isOpened = false
    private var batch: Batch?
    private var waiting: [HTTP2StreamID: Waiting] = [:]
    private var streams: [String: HTTP2StreamID] = [:]
    /// Nobody was told of these yet.
    private var answers = Answers()
    private var next = HTTP2StreamID(1)
    private var consumed = 0
    private var isPinged = false
    private var isEnded = false
    private var pings: RepeatedTask?

    init(_ product: APIConfiguration.Product, opened: EventLoopPromise<Int>) {
        self.product = product
        self.opened = opened
    }

    static func http2() -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 16 * 1024),
        ]
        return NIOHTTP2Handler(mode: .client, connectionConfiguration: connection, streamConfiguration: .init())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.write(.windowUpdate(windowSizeIncrement: Self.window), .rootStream, context)
        context.flush()
        self.pings = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.ping, delay: Self.ping) { _ in
            let (handler, context) = loopBound.value
            handler.lookAfter(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.pings?.cancel()
    }

    // MARK: What is to be asked

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let batch = event as? Batch else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        guard context.channel.isActive, !self.isEnded else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        self.batch?.promise.succeed(Answers())
        self.batch = batch
        promise?.succeed()
        do {
            let gone = Set(self.streams.keys).subtracting(batch.questions.lazy.map(\.key))
            for key in gone { self.drop(key) }
            for question in batch.questions where self.streams[question.key] == nil {
                // What is known by now is no news.
                if let index = self.answers.indexes[question.key], index != question.index { continue }
                self.answers.indexes.removeValue(forKey: question.key)
                try self.ask(question, of: batch, context)
            }
            context.flush()
            self.tell()
        } catch {
            self.end(context, error)
        }
    }

    private func ask(_ question: APIMultiplex.Question, of batch: Batch, _ context: ChannelHandlerContext) throws {
        guard self.next < Self.lastStream else { throw ChannelError.eof }
        let stream = self.next
        self.next = stream.advanced(by: 2)
        self.streams[question.key] = stream
        self.waiting[stream] = Waiting(key: question.key, deadline: .now() + batch.lifetime)
        self.write(.headers(.init(headers: try batch.heads(question), endStream: true)), stream, context)
    }

    private func drop(_ key: String) {
        self.answers.indexes.removeValue(forKey: key)
        guard let stream = self.streams.removeValue(forKey: key) else { return }
        self.waiting[stream]?.key = nil
    }

    /// Those who wait for an answer, if there is one.
    private func tell() {
        guard !self.answers.indexes.isEmpty, let batch = self.batch else { return }
        self.batch = nil
        batch.promise.succeed(self.answers)
        self.answers = Answers()
    }

    // MARK: What is answered

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isEnded else { return }
        let frame = self.unwrapInboundIn(data)
        switch frame.payload {
        case .settings(.settings(let settings)) where !self.isOpened:
            self.isOpened = true
            let limit = settings.last { $0.parameter == .maxConcurrentStreams }?.value
            self.opened.succeed(min(limit ?? APIMultiplex.maximumQuestions, APIMultiplex.maximumQuestions))
        case .headers(let head):
            self.answered(frame.streamID, head.headers)
            if head.endStream { self.completed(frame.streamID) }
        case .data(let body):
            guard case .byteBuffer(let bytes) = body.data else { return }
            self.received(bytes, frame.streamID, context)
            if body.endStream { self.completed(frame.streamID) }
        case .rstStream: self.completed(frame.streamID)
        case .goAway: self.end(context, ChannelError.eof)
        case .ping(_, ack: true): self.isPinged = false
        default: return
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        self.tell()
    }

    private func answered(_ stream: HTTP2StreamID, _ headers: HPACKHeaders) {
        guard self.waiting[stream] != nil, let status = headers.first(name: ":status").flatMap({ Int($0) }) else {
            return
        }
        self.waiting[stream]?.status = status
        guard status == 200 else { return }
        let name = self.product == .consul ? "x-consul-index" : "x-nomad-index"
        self.waiting[stream]?.index = headers.first(name: name).flatMap { UInt64($0) }
    }

    private func received(_ bytes: ByteBuffer, _ stream: HTTP2StreamID, _ context: ChannelHandlerContext) {
        self.consumed += bytes.readableBytes
        if self.consumed >= Self.refill {
            self.write(.windowUpdate(windowSizeIncrement: self.consumed), .rootStream, context)
            self.consumed = 0
        }
        self.waiting[stream]?.bytes += bytes.readableBytes
        guard self.waiting[stream]?.bytes ?? 0 > Self.maximumBytes else { return }
        self.end(context, APIError(.tooLarge, "the answer to a small question is larger than 16 KiB"))
    }

    private func completed(_ stream: HTTP2StreamID) {
        guard let waiting = self.waiting.removeValue(forKey: stream), let key = waiting.key else { return }
        self.streams[key] = nil
        self.answers.indexes[key] = .some(waiting.index)
        if waiting.index == nil, let status = waiting.status { self.answers.refusals.insert(status) }
    }

    // MARK: The end

    private func lookAfter(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        guard !self.isPinged, !self.waiting.values.contains(where: { $0.deadline < now }) else {
            self.end(context, HTTPClientError.deadlineExceeded)
            return
        }
        self.isPinged = true
        self.write(.ping(HTTP2PingData(withInteger: 0), ack: false), .rootStream, context)
        context.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(context, ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(context, error)
    }

    private func end(_ context: ChannelHandlerContext, _ error: any Error) {
        self.isEnded = true
        self.opened.fail(error)
        self.batch?.promise.fail(error)
        self.batch = nil
        context.close(promise: nil)
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload,
        _ stream: HTTP2StreamID,
        _ context: ChannelHandlerContext
    ) {
        context.write(self.wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
    }
}
