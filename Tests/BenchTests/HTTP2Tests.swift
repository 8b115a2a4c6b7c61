// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Testing

@testable import Bench

/// The load generator's own HTTP/2 against nio-http2's.
@Suite struct HTTP2Tests {
    /// A server that takes what a client writes, and keeps the frames of it.
    private final class Server {
        let channel: EmbeddedChannel
        private(set) var content: [UInt8] = []
        private(set) var headers: HPACKHeaders?
        private(set) var largest = 0

        init(window: Int, largestFrame: Int = 16_384) throws {
            self.channel = EmbeddedChannel()
            let settings = [
                HTTP2Setting(parameter: .initialWindowSize, value: window),
                HTTP2Setting(parameter: .maxFrameSize, value: largestFrame),
            ]
            let handler = NIOHTTP2Handler(mode: .server, initialSettings: settings)
            try self.channel.pipeline.syncOperations.addHandler(handler)
            self.channel.connect(to: try SocketAddress(unixDomainSocketPath: "test"), promise: nil)
        }

        func take(_ writer: inout FrameWriter) throws {
            var all = ByteBuffer()
            writer.takePieces { all.writeImmutableBuffer($0) }
            if all.readableBytes > 0 { try self.channel.writeInbound(all) }
            while let frame = try self.channel.readInbound(as: HTTP2Frame.self) {
                switch frame.payload {
                case .data(let data):
                    guard case .byteBuffer(let bytes) = data.data else { continue }
                    self.content += Array(bytes.readableBytesView)
                    self.largest = max(self.largest, bytes.readableBytes)
                case .headers(let head): self.headers = head.headers
                default: continue
                }
            }
        }

        /// What it answers goes to the client.
        func answer(_ writer: inout FrameWriter) throws {
            var frames = Assembler.frames
            while let data = try self.channel.readOutbound(as: IOData.self) {
                guard case .byteBuffer(let bytes) = data else { continue }
                try frames.feed(bytes) { frame in
                    let head = try #require(FrameHead(frame))
                    let content = frame.getSlice(at: frame.readerIndex + FrameHead.size, length: head.length)
                    let settings = try #require(content)
                    if head.kind == .settings, !head.flags.contains(.ack) { writer.take(settings: settings) }
                    if head.kind == .windowUpdate { writer.take(windowUpdate: settings, stream: head.stream) }
                }
            }
        }

        func grant(_ bytes: Int, on stream: HTTP2StreamID) {
            let frame = HTTP2Frame(streamID: stream, payload: .windowUpdate(windowSizeIncrement: bytes))
            self.channel.writeAndFlush(frame, promise: nil)
        }
    }

    @Test func `what is sent comes whole, in frames as large as are allowed, as far as the windows let it out`() throws
    {
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let server = try Server(window: 100_000, largestFrame: 32_768)
        var writer = FrameWriter()
        writer.open(try StreamHandler.requestHeaders(.sotw, authority: "here:1"))
        writer.send(ByteBuffer(bytes: content[..<10]))
        writer.send(ByteBuffer(bytes: content[10...]))
        try server.take(&writer)
        #expect(server.headers?.first(name: ":path") == Variant.sotw.path)
        #expect(server.headers?.first(name: ":authority") == "here:1")
        // What HTTP/2 begins with.
        #expect(server.content.count == 65_535)
        try server.answer(&writer)
        try server.take(&writer)
        // The stream has room now, and the connection has not.
        #expect(server.content.count == 65_535)
        for _ in 0..<20 {
            server.grant(20_000, on: .rootStream)
            try server.answer(&writer)
            try server.take(&writer)
            #expect(server.largest <= 32_768)
        }
        #expect(server.content.count == 100_000)
        server.grant(200_000, on: 1)
        try server.answer(&writer)
        try server.take(&writer)
        #expect(server.content == content)
        _ = try? server.channel.finish()
    }

    @Test(arguments: [1, 5, 9, 10, 100])
    func `frames are put together however they were cut`(size: Int) throws {
        let frames: [(FrameHead, [UInt8])] = [
            (FrameHead(length: 0, kind: .settings, flags: .ack, stream: 0), []),
            (FrameHead(length: 300, kind: .data, flags: [.endStream], stream: 1), Array(repeating: 3, count: 300)),
            (FrameHead(length: 8, kind: .ping, stream: 0), Array(repeating: 4, count: 8)),
        ]
        var stream = ByteBuffer()
        for (head, content) in frames {
            head.write(to: &stream)
            stream.writeBytes(content)
        }
        var assembler = Assembler.frames
        var got: [(FrameHead?, [UInt8])] = []
        while let part = stream.readSlice(length: min(size, stream.readableBytes)), part.readableBytes > 0 {
            try assembler.feed(part) {
                got.append((FrameHead($0), Array($0.readableBytesView.dropFirst(FrameHead.size))))
            }
        }
        #expect(got.map(\.0) == frames.map(\.0))
        #expect(got.map(\.1) == frames.map(\.1))
    }

    @Test func `padding and priority are no content`() throws {
        var content = ByteBuffer(bytes: [2, 7, 8, 9, 0, 0])
        try content.unpad(FrameHead(length: 6, kind: .data, flags: .padded, stream: 1))
        #expect(Array(content.readableBytesView) == [7, 8, 9])
        content = ByteBuffer(bytes: [1, 0, 0, 0, 0, 0, 7, 0])
        try content.unpad(FrameHead(length: 8, kind: .headers, flags: [.padded, .priority], stream: 1))
        #expect(Array(content.readableBytesView) == [7])
        content = ByteBuffer(bytes: [9, 1])
        let head = FrameHead(length: 2, kind: .data, flags: .padded, stream: 1)
        #expect(throws: MalformedMessage.self) { try content.unpad(head) }
    }

    @Test func `a stream that ends says why`() throws {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        func block(_ headers: HPACKHeaders) throws -> ByteBuffer {
            var block = ByteBuffer()
            try encoder.encode(headers: headers, to: &block)
            return block
        }
        let first = try block([":status": "200", "content-type": "application/grpc"])
        let last = try block(["grpc-status": "8", "grpc-message": "too much"])
        var headers = ResponseHeaders()
        #expect(try headers.take(first, isWhole: true, isLast: false) == nil)
        // In two frames.
        var rest = last
        let part = rest.readSlice(length: 3)
        #expect(try headers.take(try #require(part), isWhole: false, isLast: true) == nil)
        #expect(try headers.take(rest, isWhole: true, isLast: true) == "ended with gRPC status 8 too much")

        encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var other = ResponseHeaders()
        let refusal = try block([":status": "415"])
        #expect(try other.take(refusal, isWhole: true, isLast: false) == "HTTP status 415")
    }
}
