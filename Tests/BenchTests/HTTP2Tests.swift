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

        func take(_ output: inout Output) throws {
            if !output.isEmpty { try self.channel.writeInbound(ByteBuffer(bytes: output.bytes + output.tail)) }
            output.clear()
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
        func answer(_ writer: inout FrameWriter, _ output: inout Output) throws {
            var frames = FrameReader()
            while let data = try self.channel.readOutbound(as: IOData.self) {
                guard case .byteBuffer(let bytes) = data else { continue }
                try bytes.withUnsafeReadableBytes { bytes in
                    try frames.feed(bytes) { head, content in
                        if head.kind == .settings, !head.flags.contains(.ack) {
                            writer.take(settings: content, &output)
                        }
                        if head.kind == .windowUpdate {
                            writer.take(windowUpdate: content, stream: head.stream, &output)
                        }
                    }
                }
            }
        }

        func grant(_ bytes: Int, on stream: HTTP2StreamID) {
            let frame = HTTP2Frame(streamID: stream, payload: .windowUpdate(windowSizeIncrement: bytes))
            self.channel.writeAndFlush(frame, promise: nil)
        }
    }

    private static func request(names: Int) -> FramedRequest {
        FramedRequest(.sotw, type: .endpoints, names: EncodedNames((0..<names).map { Array("service-\($0)".utf8) }))
    }

    @Test func `a request comes whole, in frames as large as are allowed, as far as the windows let it out`() throws {
        let request = Self.request(names: 20_000)
        let whole = request.head + (request.names?.bytes ?? [])
        let server = try Server(window: 100_000, largestFrame: 32_768)
        var (writer, output) = (FrameWriter(), Output())
        writer.open(try StreamConnection.requestHeaders(.sotw, authority: "here:1"), &output)
        writer.send(request, &output)
        try server.take(&output)
        #expect(server.headers?.first(name: ":path") == Variant.sotw.path)
        #expect(server.headers?.first(name: ":authority") == "here:1")
        // What HTTP/2 begins with.
        #expect(server.content.count == 65_535)
        try server.answer(&writer, &output)
        try server.take(&output)
        // The stream has room now, and the connection has not.
        #expect(server.content.count == 65_535)
        for _ in 0..<20 {
            server.grant(20_000, on: .rootStream)
            try server.answer(&writer, &output)
            try server.take(&output)
        }
        #expect(server.content.count == 100_000)
        server.grant(250_000, on: 1)
        try server.answer(&writer, &output)
        try server.take(&output)
        #expect(server.content == whole)
        #expect(server.largest <= 32_768)
        _ = try? server.channel.finish()
    }

    @Test func `within the windows a long list of names goes out as it is, framed once, and something can follow it`()
        throws
    {
        let (request, other) = (Self.request(names: 3_000), Self.request(names: 3))
        let server = try Server(window: 1 << 20, largestFrame: 16_384)
        var (writer, output) = (FrameWriter(), Output())
        writer.open(try StreamConnection.requestHeaders(.sotw, authority: "here:1"), &output)
        try server.take(&output)
        server.grant(1 << 20, on: .rootStream)
        try server.answer(&writer, &output)
        writer.send(request, &output)
        #expect(output.tail == request.names?.frames(of: 16_384))
        try server.take(&output)
        writer.send(request, &output)
        writer.send(other, &output)
        try server.take(&output)
        let (long, short) = (request.head + (request.names?.bytes ?? []), other.head + (other.names?.bytes ?? []))
        #expect(server.content == long + long + short)
        _ = try? server.channel.finish()
    }

    @Test(arguments: [1, 5, 9, 10, 100, 1_000])
    func `frames are put together however they were cut`(size: Int) throws {
        let frames: [(FrameHead, [UInt8])] = [
            (FrameHead(length: 0, kind: .settings, flags: .ack, stream: 0), []),
            (FrameHead(length: 300, kind: .data, stream: 1), Array(repeating: 3, count: 300)),
            (FrameHead(length: 8, kind: .ping, stream: 0), Array(repeating: 4, count: 8)),
            (FrameHead(length: 3, kind: .data, flags: [.padded], stream: 1), [1, 7, 0]),
            (FrameHead(length: 20, kind: .data, flags: [.endStream], stream: 1), Array(repeating: 5, count: 20)),
            (FrameHead(length: 0, kind: .data, flags: [.endStream], stream: 1), []),
        ]
        var stream: [UInt8] = []
        for (head, content) in frames {
            head.write(to: &stream)
            stream += content
        }
        var reader = FrameReader()
        var (heads, content, ends) = ([FrameHead](), [UInt8](), 0)
        while !stream.isEmpty {
            let part = Array(stream.prefix(size))
            stream.removeFirst(part.count)
            try part.withUnsafeBytes { bytes in
                try reader.feed(bytes) { head, bytes in
                    content += bytes
                    if head.kind == .data, head.flags.contains(.endStream) { ends += 1 }
                    if head.kind != .data { heads.append(head) }
                }
            }
        }
        #expect(heads == frames.map(\.0).filter { $0.kind != .data })
        #expect(content == frames.flatMap(\.1))
        #expect(ends == 2)
    }

    @Test func `padding and priority are no content`() throws {
        func content(_ bytes: [UInt8], _ kind: FrameHead.Kind, _ flags: FrameHead.Flags) throws -> [UInt8] {
            let head = FrameHead(length: bytes.count, kind: kind, flags: flags, stream: 1)
            return try bytes.withUnsafeBytes { Array(try head.unpadded($0)) }
        }
        #expect(try content([2, 7, 8, 9, 0, 0], .data, .padded) == [7, 8, 9])
        #expect(try content([1, 0, 0, 0, 0, 0, 7, 0], .headers, [.padded, .priority]) == [7])
        #expect(throws: MalformedMessage.self) { try content([9, 1], .data, .padded) }
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
