// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Closes a connection on which GOAWAY was said. swift-nio-http2 says it and leaves the rest to the peer: to one that broke
/// HTTP/2, and to one that does not answer, it would stay open for ever.
/// See https://www.rfc-editor.org/rfc/rfc9113#section-5.4.1 («the endpoint MUST close the TCP connection»)
///
/// Stands next to the network, and looks at the head of each frame that goes out. What the HTTP/2 handler reports as an
/// error does not tell: it also reports what is wrong with one stream, or came too late for one.
final class ConnectionCloser: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private enum FrameType {
        static let data: UInt8 = 0x0
        static let goAway: UInt8 = 0x7
    }

    /// So long a client that broke HTTP/2 has to read why.
    private static let farewell = TimeAmount.milliseconds(250)

    private let grace: TimeAmount
    /// What is written next is the content of a DATA frame. All other frames are written in one piece.
    private var isContent = false
    private var isEnding = false
    private var isBroken = false

    /// - Parameter grace: how long streams may take to end after an orderly GOAWAY.
    init(grace: TimeAmount) {
        self.grace = grace
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if self.isContent {
            self.isContent = false
        } else if case .byteBuffer(let frame) = self.unwrapOutboundIn(data) {
            self.look(at: frame, context.channel)
        }
        context.write(data, promise: promise)
    }

    /// See https://www.rfc-editor.org/rfc/rfc9113#section-4.1 and 6.8
    private func look(at frame: ByteBuffer, _ channel: any Channel) {
        switch frame.getInteger(at: frame.readerIndex + 3, as: UInt8.self) {
        case FrameType.data: self.isContent = true
        case FrameType.goAway:
            guard let error = frame.getInteger(at: frame.readerIndex + 13, as: UInt32.self) else { return }
            if error == 0 { self.end(channel) } else { self.cutOff(channel) }
        default: return
        }
    }

    private func end(_ channel: any Channel) {
        guard !self.isEnding else { return }
        self.isEnding = true
        channel.eventLoop.scheduleTask(in: self.grace) { channel.close(promise: nil) }
    }

    private func cutOff(_ channel: any Channel) {
        guard !self.isBroken else { return }
        self.isBroken = true
        // What else it sends is not worth a look. Closed at once, with bytes unread, TCP would throw the GOAWAY away.
        _ = channel.setOption(.autoRead, value: false)
        channel.eventLoop.scheduleTask(in: Self.farewell) { channel.close(promise: nil) }
    }
}
