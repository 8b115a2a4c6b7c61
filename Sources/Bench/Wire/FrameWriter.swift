// SPDX-License-Identifier: Apache-2.0

/// What a client writes on a connection with one stream: HTTP/2 frames, as far as the server's windows let them out.
///
/// By hand and not by nio-http2, which is made for both sides of any number of streams: it took a third of the load
/// generator's time, and that time is taken from the server on the same cores. See https://www.rfc-editor.org/rfc/rfc9113
struct FrameWriter {
    /// What Envoy allows by default for a stream; here for the connection, too.
    static let window = 16 << 20
    static let stream: UInt32 = 1
    private static let initialWindow = 65_535
    /// Names of fewer bytes are copied behind the rest of their request.
    private static let small = 4_096

    /// What the server may still be sent.
    private var streamWindow = Self.initialWindow
    private var connectionWindow = Self.initialWindow
    /// What `streamWindow` was at first; the server's settings may change it later.
    private var firstWindow = Self.initialWindow
    private var largestFrame = 16_384
    /// Received since the server was last told that there is room again.
    private var consumed = 0
    /// Content that the windows do not let out yet.
    private var unsent: ArraySlice<UInt8> = []

    // MARK: What is written

    /// The first of all, up to the headers of the stream.
    mutating func open(_ headers: [UInt8], _ output: inout Output) {
        output.bytes += Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        Self.write(.settings, stream: 0, length: 12, &output)
        Self.write(.enablePush, 0, &output)
        Self.write(.initialWindowSize, UInt32(Self.window), &output)
        Self.writeWindowUpdate(Self.window - Self.initialWindow, stream: 0, &output)
        Self.write(.headers, .endHeaders, stream: Self.stream, length: headers.count, &output)
        output.bytes += headers
    }

    mutating func send(_ request: FramedRequest, _ output: inout Output) {
        let length = request.head.count + (request.names?.bytes.count ?? 0)
        guard self.unsent.isEmpty, length <= min(self.streamWindow, self.connectionWindow) else {
            self.unsent += request.head
            if let names = request.names { self.unsent += names.bytes }
            self.pump(&output)
            return
        }
        self.streamWindow -= length
        self.connectionWindow -= length
        guard let names = request.names else { return Self.writeData(request.head[...], &output) }
        if length <= Self.small {
            Self.write(.data, stream: Self.stream, length: length, &output)
            output.bytes += request.head
            output.bytes += names.bytes
        } else {
            Self.writeData(request.head[...], &output)
            output.tail = names.frames(of: self.largestFrame)
        }
    }

    /// So much content was received.
    mutating func consume(_ bytes: Int, _ output: inout Output) {
        self.consumed += bytes
        guard self.consumed >= Self.window / 4 else { return }
        Self.writeWindowUpdate(self.consumed, stream: 0, &output)
        Self.writeWindowUpdate(self.consumed, stream: Self.stream, &output)
        self.consumed = 0
    }

    /// - Parameter content: what the PING has, which its answer repeats.
    func answerPing(_ content: UnsafeRawBufferPointer, _ output: inout Output) {
        Self.write(.ping, .ack, stream: 0, length: content.count, &output)
        output.bytes += content
    }

    private mutating func pump(_ output: inout Output) {
        while !self.unsent.isEmpty {
            let length = min(self.unsent.count, self.largestFrame, self.streamWindow, self.connectionWindow)
            guard length > 0 else { return }
            self.streamWindow -= length
            self.connectionWindow -= length
            Self.writeData(self.unsent.prefix(length), &output)
            self.unsent = self.unsent.dropFirst(length)
        }
        self.unsent = []
    }

    static func writeData(_ content: ArraySlice<UInt8>, _ output: inout Output) {
        Self.write(.data, stream: Self.stream, length: content.count, &output)
        output.bytes += content
    }

    private static func write(
        _ kind: FrameHead.Kind,
        _ flags: FrameHead.Flags = [],
        stream: UInt32,
        length: Int,
        _ output: inout Output
    ) {
        output.foldTail()
        FrameHead(length: length, kind: kind, flags: flags, stream: stream).write(to: &output.bytes)
    }

    private static func write(_ setting: Setting, _ value: UInt32, _ output: inout Output) {
        output.bytes.append(integer: setting.rawValue)
        output.bytes.append(integer: value)
    }

    private static func writeWindowUpdate(_ increment: Int, stream: UInt32, _ output: inout Output) {
        Self.write(.windowUpdate, stream: stream, length: 4, &output)
        output.bytes.append(integer: UInt32(increment))
    }

    // MARK: What the server says of it

    /// See https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2
    private enum Setting: UInt16 {
        case enablePush = 0x2
        case initialWindowSize = 0x4
        case maxFrameSize = 0x5
    }

    mutating func take(settings: UnsafeRawBufferPointer, _ output: inout Output) {
        for offset in stride(from: 0, to: settings.count - 5, by: 6) {
            let number = UInt16(bigEndian: settings.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            let value = Int(settings.integer(at: offset + 2))
            switch Setting(rawValue: number) {
            case .initialWindowSize:
                self.streamWindow += value - self.firstWindow
                self.firstWindow = value
            case .maxFrameSize: self.largestFrame = value
            case .enablePush, nil: continue
            }
        }
        Self.write(.settings, .ack, stream: 0, length: 0, &output)
        self.pump(&output)
    }

    mutating func take(windowUpdate: UnsafeRawBufferPointer, stream: UInt32, _ output: inout Output) {
        guard windowUpdate.count == 4 else { return }
        let increment = Int(windowUpdate.integer(at: 0) & 0x7fff_ffff)
        if stream == 0 { self.connectionWindow += increment } else { self.streamWindow += increment }
        self.pump(&output)
    }
}
