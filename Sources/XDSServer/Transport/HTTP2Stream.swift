// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP2

/// One HTTP/2 stream of a connection, as the call on it sees it: it can be written to, or not now; it is read, or waits.
/// To be used on its event loop only.
final class HTTP2Stream {
    /// With so many bytes that HTTP/2 has not let go yet, no more is asked for.
    private static let watermark = 8_192
    /// What a client may send before it is read. Requests are small, and most of those that are not come once a stream.
    static let firstWindow = 1 << 18
    private static let wideWindow = 3 * firstWindow
    /// On all streams of a connection.
    static let connectionWindow = 4 * firstWindow

    let id: HTTP2StreamID
    let eventLoop: any EventLoop
    /// Nil once the stream is closed: both refer to each other until then.
    private var connection: ConnectionStreams?
    private(set) var call: DiscoveryCall?
    private var isReset = false
    private var window = firstWindow
    /// What is left of it; nil before the client has sent anything.
    private var windowLeft: Int?
    private(set) var isReading = true
    /// What came while the call did not want to read: the window bounds it.
    private var unread: [HTTP2Frame.FramePayload] = []
    private var unreadBytes = 0
    /// Bytes of messages that wait for the client's window, or for the connection.
    private var unwritten = 0
    /// Those of them that count for the budget: of what is small the number of streams is bound enough.
    private var counted = 0
    private var waitsToWrite = false
    private var waitsForRoom = false

    init(_ id: HTTP2StreamID, on connection: ConnectionStreams) {
        self.id = id
        self.eventLoop = connection.channel.eventLoop
        self.connection = connection
    }

    /// Must be called before anything is received.
    func begin(_ call: DiscoveryCall) {
        self.call = call
    }

    // MARK: What the call does

    var peerName: String { self.connection?.peerName ?? "" }

    /// Whether there is any use in writing. If not, the call is told when there is.
    var isWritable: Bool {
        if self.canWrite { return true }
        self.waitsToWrite = true
        self.connection?.hasWaiting = true
        return false
    }

    private var canWrite: Bool {
        guard self.unwritten < Self.watermark, let connection = self.connection else { return false }
        return connection.channel.isWritable && connection.hasRoom
    }

    /// Whether an answer may be made, also if what was written before is not read yet. If not, the call is told when.
    var hasRoom: Bool {
        guard let connection = self.connection, !connection.hasRoom else { return true }
        self.waitsForRoom = true
        connection.hasWaiting = true
        return false
    }

    func write(_ payload: HTTP2Frame.FramePayload) {
        guard let connection = self.connection else { return }
        if case .data(let content) = payload {
            self.unwritten += content.data.readableBytes
            self.count()
        }
        connection.write(HTTP2Frame(streamID: self.id, payload: payload))
    }

    func flush() {
        self.connection?.flush()
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        guard isReading, !self.unread.isEmpty else { return }
        let unread = self.unread
        self.unread = []
        self.unreadBytes = 0
        // What is still not wanted is put back by this.
        for payload in unread { self.received(payload) }
        self.openWindow()
        self.flush()
    }

    /// Ends the stream, whatever is on its way.
    func reset(_ code: HTTP2ErrorCode = .cancel) {
        guard !self.isReset else { return }
        self.isReset = true
        self.writeLast(.rstStream(code))
    }

    /// Nothing follows it. The stream may be closed by it, and not know its connection any more.
    func writeLast(_ payload: HTTP2Frame.FramePayload) {
        let connection = self.connection
        self.write(payload)
        connection?.flush()
    }

    private func count() {
        let due = self.unwritten < Self.watermark ? 0 : self.unwritten
        guard due != self.counted else { return }
        self.connection?.count(due - self.counted)
        self.counted = due
    }

    // MARK: What happens to the stream

    func received(_ payload: HTTP2Frame.FramePayload) {
        guard let call = self.call else { return }
        guard self.isReading else {
            self.unread.append(payload)
            self.unreadBytes += payload.flowControlledBytes
            return
        }
        switch payload {
        case .headers(let head): call.received(head.headers, isLast: head.endStream)
        case .data(let content):
            if case .byteBuffer(let bytes) = content.data { call.received(bytes, isLast: content.endStream) }
        default: return
        }
    }

    /// HTTP/2 counts what the client may still send; what is not read yet does not open the window again.
    func windowChanged(to size: Int) {
        self.windowLeft = size
        self.openWindow()
    }

    /// The client sends requests of this size, and will again: with each ACK, if it repeats many names. Then it is not told
    /// each time that there is room for more. Few streams of a connection may send so much before it is read.
    func received(message bytes: Int) {
        guard bytes > Self.firstWindow / 4, self.window == Self.firstWindow, self.connection?.widen() == true else {
            return
        }
        self.window = Self.wideWindow
    }

    var isWide: Bool { self.window == Self.wideWindow }

    private func openWindow() {
        guard let left = self.windowLeft, left + self.unreadBytes <= self.window / 2 else { return }
        self.write(.windowUpdate(windowSizeIncrement: self.window - left - self.unreadBytes))
    }

    func wrote(_ bytes: Int) {
        self.unwritten -= bytes
        self.count()
    }

    var isWaiting: Bool { self.waitsToWrite || self.waitsForRoom }

    func writeIfPossible() {
        guard self.isWaiting else { return }
        guard (self.waitsForRoom && self.connection?.hasRoom == true) || (self.waitsToWrite && self.canWrite) else {
            return
        }
        self.waitsToWrite = false
        self.waitsForRoom = false
        self.call?.becameWritable()
    }

    /// Whether a large answer waits to be read.
    var isUnread: Bool { self.counted > 0 }

    /// - Parameter reason: nil if both sides ended it, or the connection is gone.
    func closed(_ reason: String?) {
        self.unwritten = 0
        self.count()
        self.connection = nil
        self.unread = []
        self.call?.closed(reason)
        self.call = nil
    }
}

extension HTTP2Frame.FramePayload {
    /// What it takes of the windows: padding, too.
    fileprivate var flowControlledBytes: Int {
        guard case .data(let content) = self else { return 0 }
        return content.data.readableBytes + (content.paddingBytes.map { $0 + 1 } ?? 0)
    }
}
