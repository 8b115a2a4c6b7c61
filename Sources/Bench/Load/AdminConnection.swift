// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// One HTTP/1.1 connection to the admin address, kept open so that a touch costs a write and a read. On the event loop
/// of the streams.
final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let authority: String
    private var context: ChannelHandlerContext?
    private var waiting: EventLoopPromise<Void>?
    private var status = HTTPResponseStatus.ok
    private var body = ""

    init(authority: String) {
        self.authority = authority
    }

    /// Succeeds with the answer 200 and fails with any other.
    func post(_ target: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        guard let context, self.waiting == nil else {
            promise.fail(LoadFailure("the admin connection is closed, or busy"))
            return promise.futureResult
        }
        self.waiting = promise
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: target)
        head.headers.add(name: "host", value: self.authority)
        head.headers.add(name: "content-length", value: "0")
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        return promise.futureResult
    }

    func close() {
        self.context?.close(promise: nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        self.waiting.take()?.fail(LoadFailure("the admin connection was closed"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.status = head.status
            self.body = ""
        case .body(let part): self.body += String(buffer: part)
        case .end:
            if self.status == .ok {
                self.waiting.take()?.succeed()
            } else {
                self.waiting.take()?.fail(LoadFailure("the admin address answered \(self.status.code): \(self.body)"))
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.waiting.take()?.fail(error)
        context.close(promise: nil)
    }
}
