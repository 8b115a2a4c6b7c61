// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Requests to be sent in one go, and the indexes of their answers.
struct APIPipelineBatch: Sendable {
    var heads: [HTTPRequestHead]
    /// How many are sent before the first is answered.
    var window: Int
    var promise: EventLoopPromise<Outcome>

    struct Outcome: Sendable {
        /// Of the first ones that were answered.
        var indexes: [UInt64]
        /// Why the others were not; the connection is of no use any more.
        var error: (any Error)?
    }
}

/// Sends batches, one at a time, and reads what comes back as far as it matters.
final class APIPipelineHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = APIPipelineBatch
    typealias OutboundOut = HTTPClientRequestPart

    /// An answer that is none.
    struct Refusal: Error {
        var response: APIResponse
    }

    /// Sent down the channel: whoever asked waits no longer.
    struct GiveUp: Sendable {
        var reason: any Error

        init(_ reason: any Error) {
            self.reason = reason
        }
    }

    /// Of the bodies of one batch: none of them should have one to speak of.
    static let maximumBytes = 1024 * 1024
    /// How long a connection without work is kept.
    static let idle = TimeAmount.seconds(15)

    private let product: APIConfiguration.Product
    private let cause: APIPipelineConnection.Cause
    private var batch: APIPipelineBatch?
    private var sent = 0
    private var indexes: [UInt64] = []
    private var bytes = 0
    private var refused: (head: HTTPResponseHead, body: ByteBuffer)?
    /// Whether the answer that is being read is the last one here.
    private var isLast = false

    init(_ product: APIConfiguration.Product, _ cause: APIPipelineConnection.Cause) {
        self.product = product
        self.cause = cause
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let batch = self.unwrapOutboundIn(data)
        assert(self.batch == nil, "one batch at a time")
        guard context.channel.isActive, !self.isLast else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        self.batch = batch
        self.indexes.removeAll(keepingCapacity: true)
        self.bytes = 0
        self.sent = 0
        while self.sent < min(batch.window, batch.heads.count) { self.sendNext(of: batch, context) }
        promise?.succeed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head where self.batch == nil:
            // Nobody asked, so it would be taken for the answer to what is asked next.
            context.close(promise: nil)
        case .head(let head):
            self.isLast = !head.isKeepAlive
            let name = self.product == .consul ? "X-Consul-Index" : "X-Nomad-Index"
            if head.status == .ok, let index = head.headers.first(name: name).flatMap({ UInt64($0) }) {
                self.indexes.append(index)
            } else {
                self.refused = (head, ByteBuffer())
            }
        case .body(var body):
            self.bytes += body.readableBytes
            let room = APIResponse.explanationBytes - (self.refused?.body.readableBytes ?? 0)
            if let excerpt = body.readSlice(length: min(room, body.readableBytes)) {
                self.refused?.body.writeImmutableBuffer(excerpt)
            }
            guard self.bytes > Self.maximumBytes else { return }
            self.end(context, APIError(.tooLarge, "the answers to small questions are larger than 1 MiB"))
        case .end:
            if let (head, body) = self.refused {
                let status = Int(head.status.code)
                // 200 without an index is no answer of theirs, either.
                let response = APIResponse(self.product, status: status, headers: head.headers, body: body)
                self.end(context, Refusal(response: response))
            } else if let batch = self.batch {
                self.answered(batch, context)
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(context, ChannelError.eof)
        context.fireChannelInactive()
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let giveUp = event as? GiveUp else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        self.end(context, giveUp.reason)
        promise?.succeed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.cause.note(error)
        self.end(context, error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, self.batch == nil {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func answered(_ batch: APIPipelineBatch, _ context: ChannelHandlerContext) {
        if self.indexes.count == batch.heads.count {
            self.batch = nil
            batch.promise.succeed(.init(indexes: self.indexes, error: nil))
            if self.isLast { context.close(promise: nil) }
        } else if self.isLast {
            self.end(context, ChannelError.eof)
        } else if self.sent < batch.heads.count {
            self.sendNext(of: batch, context)
            context.flush()
        }
    }

    private func sendNext(of batch: APIPipelineBatch, _ context: ChannelHandlerContext) {
        context.write(self.wrapOutboundOut(.head(batch.heads[self.sent])), promise: nil)
        context.write(self.wrapOutboundOut(.end(nil)), promise: nil)
        self.sent += 1
    }

    private func end(_ context: ChannelHandlerContext, _ error: any Error) {
        self.batch?.promise.succeed(.init(indexes: self.indexes, error: error))
        self.batch = nil
        context.close(promise: nil)
    }
}
