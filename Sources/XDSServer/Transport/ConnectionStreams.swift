// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP2

/// The streams of one connection, without a channel for each: a proxy has one or a few, and a channel costs more than all
/// else that is done for a message. Between nio-http2, which keeps the rules of the protocol and what the peer's windows do
/// not let out, and the handler that keeps the connection alive.
final class ConnectionStreams: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// The handler behind this one takes whatever is read for a sign of life and starts a timer anew, which is not cheap:
    /// it is told so often, and of what it answers to.
    private static let signsOfLife = TimeAmount.seconds(1)
    /// A proxy repeats many names on the streams of its clusters and endpoints, if these are not one.
    private static let mostWideStreams = 2

    let channel: any Channel
    let budget: AnswerBudget
    var unread = UnreadWatch()
    var stallTimer: Scheduled<Void>?
    private let age: TimeAmount?
    private var ageTimer: Scheduled<Void>?
    private var isOld = false
    private let makeCall: (HTTP2Stream) -> DiscoveryCall
    private var context: ChannelHandlerContext?
    private(set) var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    private var isReading = false
    /// A stream waits until it can be written to.
    var hasWaiting = false
    private var wideStreams = 0
    private var lastSignOfLife = NIODeadline.uptimeNanoseconds(0)
    private var passedOn = false
    private(set) lazy var peerName = self.channel.remoteAddress.map(\.peerName) ?? ""

    /// - Parameter age: how long the connection lives; nil: for ever.
    init(
        _ channel: any Channel,
        budget: AnswerBudget,
        age: TimeAmount?,
        makeCall: @escaping (HTTP2Stream) -> DiscoveryCall
    ) {
        self.channel = channel
        self.budget = budget
        self.age = age
        self.makeCall = makeCall
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.ageTimer?.cancel()
        self.closeAll(nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        // Goes out with the first answer.
        let increment = HTTP2Stream.connectionWindow - HTTP2Stream.initialConnectionWindow
        self.write(HTTP2Frame(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: increment)))
        if let age = self.age {
            let bound = NIOLoopBound(self, eventLoop: self.channel.eventLoop)
            self.ageTimer = self.channel.eventLoop.scheduleTask(in: age) { bound.value.retire() }
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.ageTimer?.cancel()
        self.closeAll(nil)
        context.fireChannelInactive()
    }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = true
        let frame = self.unwrapInboundIn(data)
        if frame.streamID == .rootStream || self.isSignOfLifeDue() {
            self.passedOn = true
            context.fireChannelRead(data)
        }
        switch frame.payload {
        case .headers:
            self.stream(frame.streamID).received(frame.payload)
            // The client had not heard of it yet.
            if self.isOld { self.streams[frame.streamID]?.call?.retire() }
        case .data: self.streams[frame.streamID]?.received(frame.payload)
        default: return
        }
    }

    private func stream(_ id: HTTP2StreamID) -> HTTP2Stream {
        if let stream = self.streams[id] { return stream }
        let stream = HTTP2Stream(id, on: self)
        self.streams[id] = stream
        stream.begin(self.makeCall(stream))
        return stream
    }

    private func isSignOfLifeDue() -> Bool {
        if self.passedOn { return true }
        let now = NIODeadline.now()
        guard now - self.lastSignOfLife >= Self.signsOfLife else { return false }
        self.lastSignOfLife = now
        return true
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // nio-http2 has flushed what was written meanwhile.
        self.isReading = false
        if self.passedOn {
            self.passedOn = false
            context.fireChannelReadComplete()
        }
        self.writeIfPossible()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let change as NIOHTTP2WindowUpdatedEvent:
            guard let size = change.inboundWindowSize else { return }
            if change.streamID == .rootStream {
                self.connectionWindowChanged(to: size)
            } else {
                self.streams[change.streamID]?.windowChanged(to: size)
            }
        case is NIOHTTP2BulkStreamWindowChangeEvent:
            // Of our own settings, when the client has acknowledged them. What comes next on a stream tells its size.
            return
        case let closed as StreamClosedEvent:
            let stream = self.streams.removeValue(forKey: closed.streamID)
            if stream?.isWide == true { self.wideStreams -= 1 }
            stream?.closed(closed.reason.map { "reset: \($0)" })
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Whether one more stream may have a wide window.
    func widen() -> Bool {
        guard self.wideStreams < Self.mostWideStreams else { return false }
        self.wideStreams += 1
        return true
    }

    private func connectionWindowChanged(to size: Int) {
        guard size <= HTTP2Stream.connectionWindow / 2 else { return }
        let increment = HTTP2Stream.connectionWindow - size
        self.write(HTTP2Frame(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: increment)))
        self.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.writeIfPossible()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? NIOHTTP2Errors.StreamError {
            // What we wrote came too late, or was not allowed.
            let stream = self.streams[error.streamID]
            stream?.call?.closed("\(error.baseError)")
            stream?.reset()
        } else if !(error is any NIOHTTP2Error) {
            // Of the socket. What is wrong with HTTP/2 also closes the stream or the connection.
            self.closeAll("\(error)")
        }
        context.fireErrorCaught(error)
    }

    /// Old enough. GOAWAY goes out before the ends of the streams: a client that only lost its stream would open the next one
    /// on the same connection. The handler behind this one says it, and closes the connection when the streams are gone.
    private func retire() {
        self.isOld = true
        self.context?.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        for stream in Array(self.streams.values) { stream.call?.retire() }
    }

    private func closeAll(_ reason: String?) {
        let streams = self.streams
        self.streams = [:]
        for stream in streams.values { stream.closed(reason) }
        self.stallTimer?.cancel()
        self.stallTimer = nil
    }

    // MARK: What goes out

    func write(_ frame: HTTP2Frame) {
        self.context?.write(self.wrapOutboundOut(frame), promise: nil)
    }

    /// While something is read, all answers to it go out together.
    func flush() {
        guard !self.isReading else { return }
        self.context?.flush()
        guard self.hasWaiting else { return }
        let bound = NIOLoopBound(self, eventLoop: self.channel.eventLoop)
        self.channel.eventLoop.execute { bound.value.writeIfPossible() }
    }

    func writeIfPossible() {
        guard self.hasWaiting else { return }
        for stream in self.streams.values { stream.writeIfPossible() }
        self.hasWaiting = self.streams.values.contains { $0.isWaiting }
    }
}

extension ConnectionStreams: NIOHTTP2FrameDelegate {
    /// nio-http2 has let it go.
    func wroteFrame(_ frame: HTTP2Frame) {
        guard case .data(let content) = frame.payload else { return }
        self.streams[frame.streamID]?.wrote(content.data.readableBytes)
    }
}

extension HTTP2Stream {
    /// See https://www.rfc-editor.org/rfc/rfc9113#section-6.9.2
    static let initialConnectionWindow = 65_535
}
