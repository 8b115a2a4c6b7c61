// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a client writes on a connection with one stream: HTTP/2 frames, as far as the server's windows let them out.
///
/// By hand and not by nio-http2, which is made for both sides of any number of streams: it took a third of the load
/// generator's time, and that time is taken from the server on the same cores. See https://www.rfc-editor.org/rfc/rfc9113
struct FrameWriter {
    /// What Envoy allows by default for a stream; here for the connection, too.
    static let window = 16 << 20
    static let stream: UInt32 = 1
    private static let initialWindow = 65_535
    /// What is smaller is copied behind what is there already, so that it all goes out as one piece.
    private static let small = 1_024

    /// What the server may still be sent.
    private var streamWindow = Self.initialWindow
    private var connectionWindow = Self.initialWindow
    /// What `streamWindow` was at first; the server's settings may change it later.
    private var firstWindow = Self.initialWindow
    private var largestFrame = 16_384
    /// Received since the server was last told that there is room again.
    private var consumed = 0
    /// Content that the windows do not let out yet.
    private var unsent = CircularBuffer<ByteBuffer>()
    private var pieces: [ByteBuffer] = []
    private var last = ByteBuffer()

    /// Hands over all that is to be written, in its order.
    mutating func takePieces(_ body: (ByteBuffer) -> Void) {
        for piece in self.pieces { body(piece) }
        self.pieces.removeAll(keepingCapacity: true)
        guard self.last.readableBytes > 0 else { return }
        body(self.last)
        self.last = ByteBuffer()
    }

    // MARK: What is written

    /// The first of all, up to the headers of the stream.
    mutating func open(_ headers: ByteBuffer) {
        self.last.writeString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.write(.settings, stream: 0, length: 12)
        self.write(.enablePush, 0)
        self.write(.initialWindowSize, UInt32(Self.window))
        self.writeWindowUpdate(Self.window - Self.initialWindow, stream: 0)
        self.write(.headers, .endHeaders, stream: Self.stream, length: headers.readableBytes)
        self.last.writeImmutableBuffer(headers)
    }

    mutating func send(_ content: ByteBuffer) {
        self.unsent.append(content)
        self.pump()
    }

    /// So much content was received.
    mutating func consume(_ bytes: Int) {
        self.consumed += bytes
        guard self.consumed >= Self.window / 4 else { return }
        self.writeWindowUpdate(self.consumed, stream: 0)
        self.writeWindowUpdate(self.consumed, stream: Self.stream)
        self.consumed = 0
    }

    /// - Parameter content: what the PING has, which its answer repeats.
    mutating func answerPing(_ content: ByteBuffer) {
        self.write(.ping, .ack, stream: 0, length: content.readableBytes)
        self.last.writeImmutableBuffer(content)
    }

    private mutating func pump() {
        while let content = self.unsent.first {
            let length = min(content.readableBytes, self.largestFrame, self.streamWindow, self.connectionWindow)
            guard length > 0 else { return }
            self.streamWindow -= length
            self.connectionWindow -= length
            self.write(.data, stream: Self.stream, length: length)
            var rest = self.unsent.removeFirst()
            guard let part = rest.readSlice(length: length) else { return }
            if rest.readableBytes > 0 { self.unsent.prepend(rest) }
            if length <= Self.small {
                self.last.writeImmutableBuffer(part)
            } else {
                self.pieces.append(self.last)
                self.pieces.append(part)
                self.last = ByteBuffer()
            }
        }
    }

    private mutating func write(_ kind: FrameHead.Kind, _ flags: FrameHead.Flags = [], stream: UInt32, length: Int) {
        // One allocation for most of what is ever written at once.
        if self.last.capacity == 0 { self.last.reserveCapacity(256) }
        FrameHead(length: length, kind: kind, flags: flags, stream: stream).write(to: &self.last)
    }

    private mutating func write(_ setting: Setting, _ value: UInt32) {
        self.last.writeInteger(setting.rawValue)
        self.last.writeInteger(value)
    }

    private mutating func writeWindowUpdate(_ increment: Int, stream: UInt32) {
        self.write(.windowUpdate, stream: stream, length: 4)
        self.last.writeInteger(UInt32(increment))
    }

    // MARK: What the server says of it

    /// See https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2
    private enum Setting: UInt16 {
        case enablePush = 0x2
        case initialWindowSize = 0x4
        case maxFrameSize = 0x5
    }

    mutating func take(settings: ByteBuffer) {
        var settings = settings
        while let number = settings.readInteger(as: UInt16.self), let value = settings.readInteger(as: UInt32.self) {
            switch Setting(rawValue: number) {
            case .initialWindowSize:
                self.streamWindow += Int(value) - self.firstWindow
                self.firstWindow = Int(value)
            case .maxFrameSize: self.largestFrame = Int(value)
            case .enablePush, nil: continue
            }
        }
        self.write(.settings, .ack, stream: 0, length: 0)
        self.pump()
    }

    mutating func take(windowUpdate: ByteBuffer, stream: UInt32) {
        let increment = Int((windowUpdate.getInteger(at: windowUpdate.readerIndex, as: UInt32.self) ?? 0) & 0x7fff_ffff)
        if stream == 0 { self.connectionWindow += increment } else { self.streamWindow += increment }
        self.pump()
    }
}
