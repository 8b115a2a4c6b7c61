// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Testing

/// Streams of lines, as of Nomad's events.
@Suite struct LineStreamTests {
    private static let closing = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    private func stream(
        idle: Duration = .seconds(10),
        maximumBytes: Int = 1024 * 1024,
        _ reply: @escaping TestServer.Reply,
        _ body: (LineStream, TestServer) async throws -> Void
    ) async throws {
        let server = try await TestServer.start(reply: reply)
        try await withClient(server.address, product: .nomad) { client in
            let request = APIRequest(.get, "/v1/event/stream", deadline: .seconds(5), maximumBytes: maximumBytes)
            try await body(try await client.stream(request, idle: idle), server)
        }
    }

    private static func text(_ stream: LineStream) async throws(APIError) -> [String] {
        var lines: [String] = []
        for try await line in stream { lines.append(String(buffer: line)) }
        return lines
    }

    @Test func `lines come however they are cut, until the server ends`() async throws {
        let parts = ["{}\n{\"a\"", ":1}\r", "\n\n\n", "x", "y\nz\ncut off"]
        try await self.stream { _, connection in
            connection.write(Self.closing)
            for (number, part) in parts.enumerated() {
                connection.after(.milliseconds(Int64(20 * number))) { connection.write(part) }
            }
            connection.after(.milliseconds(150)) { connection.close() }
        } _: { stream, _ in
            let lines = try await Self.text(stream)
            #expect(lines == ["{}", "{\"a\":1}", "xy", "z"])
        }
    }

    @Test func `a stream may be chunked`() async throws {
        try await self.stream { _, connection in
            connection.write(Self.chunked + Self.chunk("{}\n") + Self.chunk("a") + Self.chunk("b\nc\n"))
            connection.after(.milliseconds(50)) { connection.write("0\r\n\r\n") }
        } _: { stream, _ in
            let lines = try await Self.text(stream)
            #expect(lines == ["{}", "ab", "c"])
        }
    }

    @Test func `no line is lost that comes before anybody waits for it`() async throws {
        let server = try await TestServer.start { _, connection in
            connection.write(Self.closing + "a\nb\n")
            connection.close()
        }
        try await withClient(server.address, product: .nomad) { client in
            for _ in 0..<300 {
                let stream = try await client.stream(APIRequest(.get, "/v1/event/stream"), idle: .seconds(10))
                let lines = try await Self.text(stream)
                #expect(lines == ["a", "b"])
            }
        }
    }

    @Test func `a line comes as soon as it ends`() async throws {
        try await self.stream { _, connection in
            connection.write(Self.closing + "{}\n")
        } _: { stream, _ in
            var lines = stream.makeAsyncIterator()
            let line = try await lines.next()
            #expect(line == ByteBuffer(string: "{}"))
        }
    }

    @Test func `a stream that is cut off is told as such`() async throws {
        try await self.stream { _, connection in
            connection.write(Self.chunked + Self.chunk("{}\n"))
            connection.after(.milliseconds(50)) { connection.close() }
        } _: { stream, _ in
            let error = await failure { () async throws(APIError) in _ = try await Self.text(stream) }
            #expect(error?.kind == .unreachable)
        }
    }

    @Test func `heartbeats keep it alive, and silence does not`() async throws {
        try await self.stream(idle: .milliseconds(300)) { _, connection in
            connection.write(Self.closing)
            for number in 1...6 {
                connection.after(.milliseconds(Int64(100 * number))) { connection.write("{}\n") }
            }
        } _: { stream, _ in
            var count = 0
            let error = await failure { () async throws(APIError) in
                for try await _ in stream { count += 1 }
            }
            #expect(count == 6)
            #expect(error?.kind == .timedOut)
        }
    }

    @Test func `bytes without the end of a line are silence`() async throws {
        try await self.stream(idle: .milliseconds(300)) { _, connection in
            connection.write(Self.closing)
            connection.every(.milliseconds(20)) { connection.write("x") }
        } _: { stream, _ in
            let error = await failure { () async throws(APIError) in _ = try await Self.text(stream) }
            #expect(error?.kind == .timedOut)
        }
    }

    @Test func `a line without end is given up`() async throws {
        try await self.stream(maximumBytes: 100_000) { _, connection in
            connection.write(Self.closing)
            connection.every(.milliseconds(1)) { connection.write(String(repeating: "x", count: 10_000)) }
        } _: { stream, _ in
            let error = await failure { () async throws(APIError) in _ = try await Self.text(stream) }
            #expect(error?.kind == .tooLarge)
            #expect(error?.message.contains("100000 bytes") == true)
        }
    }

    @Test func `a refusal is told in the server's words`() async throws {
        let error = await #expect(throws: APIError.self) {
            try await self.stream { _, connection in
                connection.answer("403 Forbidden", "Permission denied")
            } _: { _, _ in
            }
        }
        #expect(error?.kind == .status)
        #expect(error?.status == 403)
        #expect(error?.message.contains("Permission denied") == true)
    }

    @Test func `a server that does not start is given up`() async throws {
        let server = try await TestServer.start { _, _ in }
        try await withClient(server.address, product: .nomad) { client in
            let error = await failure { () async throws(APIError) in
                _ = try await client.stream(APIRequest(.get, "/v1/x", deadline: .milliseconds(100)), idle: .seconds(9))
            }
            #expect(error?.kind == .timedOut)
            let isClosed = try await eventually { server.openConnections == 0 }
            #expect(isClosed)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a slow reader stops the server and loses nothing`() async throws {
        let written = Counter()
        let size = 64 * 1024
        let count = 1024
        try await self.stream(idle: .milliseconds(300)) { _, connection in
            connection.write(Self.closing)
            let chunk = ByteBuffer(string: String(repeating: "x", count: size - 1) + "\n")
            connection.pour(chunk, times: count) { bytes in
                written.add(bytes)
                if written.value == size * count { connection.close() }
            }
        } _: { stream, _ in
            try await Task.sleep(for: .milliseconds(700))
            #expect(written.value < 16 * 1024 * 1024)
            var lines = 0
            for try await line in stream {
                #expect(line.readableBytes == size - 1)
                lines += 1
            }
            #expect(lines == count)
        }
    }

    @Test func `dropping the stream ends the request`() async throws {
        let server = try await TestServer.start { _, connection in connection.write(Self.closing + "{}\n") }
        try await withClient(server.address, product: .nomad, maximumConnections: 1) { client in
            for _ in 0..<3 {
                for try await _ in try await client.stream(APIRequest(.get, "/v1/x"), idle: .seconds(60)) { break }
            }
            _ = try await client.stream(APIRequest(.get, "/v1/x"), idle: .seconds(60))
            let isClosed = try await eventually { server.openConnections == 0 }
            #expect(isClosed)
        }
    }

    @Test func `cancelling the reader ends the request`() async throws {
        try await self.stream { _, connection in
            connection.write(Self.closing + "{}\n")
        } _: { stream, server in
            let error = await withTaskGroup(of: APIError?.self) { group in
                group.addTask {
                    await failure { () async throws(APIError) in _ = try await Self.text(stream) }
                }
                _ = try? await eventually { server.openConnections == 1 }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.kind == .cancelled)
        }
    }
}
