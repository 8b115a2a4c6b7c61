// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Testing

/// What agents, and what is mistaken for one, do to a client.
@Suite struct AbuseTests {
    private func failure(
        _ request: APIRequest = APIRequest(.get, "/v1/x", deadline: .seconds(5)),
        reply: @escaping TestServer.Reply
    ) async throws -> APIError? {
        let server = try await TestServer.start(reply: reply)
        var error: APIError?
        try await withClient(server.address) { client in
            error = await HashiCorpAPITests.failure { () async throws(APIError) in _ = try await client.send(request) }
        }
        try await server.stop()
        return error
    }

    @Test(arguments: ["500 Internal Server Error", "429 Too Many Requests", "403 Forbidden", "503 Service Unavailable"])
    func `an error is an answer, and its text fit for a terminal`(status: String) async throws {
        let server = try await TestServer.start { _, connection in
            connection.answer(status, "No cluster\r\n\u{1b}[31mleader\u{202e} \(String(repeating: "x", count: 9999))")
        }
        try await withClient(server.address) { client in
            let response = try await client.send(APIRequest(.get, "/v1/x"))
            #expect(status.hasPrefix("\(response.status)"))
            #expect(response.explanation.hasPrefix("No cluster [31mleader xxx"))
            #expect(response.explanation.count <= 200)
            let error = APIError.unexpected(response, from: client.configuration)
            #expect(error.kind == .status)
            #expect(error.message.contains("\(server.address)"))
        }
    }

    @Test(arguments: ["\u{0}\u{1}\u{2}garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 abc\r\n\r\n"])
    func `what is not HTTP is told as such`(garbage: String) async throws {
        let error = try await self.failure { _, connection in
            connection.write(garbage)
            connection.close()
        }
        #expect(error?.kind == .malformed)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le", "",
    ])
    func `an answer that is cut off is no answer`(start: String) async throws {
        let error = try await self.failure { _, connection in
            connection.write(start)
            connection.close()
        }
        #expect(error?.kind == .unreachable)
    }

    @Test func `a body that says it is too large is not waited for`() async throws {
        let error = try await self.failure { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n[")
        }
        #expect(error?.kind == .tooLarge)
        #expect(error?.message.contains("67108864 bytes") == true)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a body of a gigabyte costs no more than the limit`() async throws {
        let taken = Counter()
        let request = APIRequest(.get, "/v1/x", deadline: .seconds(50), maximumBytes: 1024 * 1024)
        let error = try await self.failure(request) { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let size = 64 * 1024
            let chunk = ByteBuffer(string: "10000\r\n\(String(repeating: "x", count: size))\r\n")
            connection.pour(chunk, times: 1024 * 1024 * 1024 / size) { bytes in
                taken.add(bytes)
            }
        }
        #expect(error?.kind == .tooLarge)
        // What is beyond the limit lay in the buffers of the two sockets.
        #expect(taken.value < 16 * 1024 * 1024)
    }

    @Test(.timeLimit(.minutes(1)))
    func `many large bodies at once cost no more than one`() async throws {
        let taken = Counter()
        let server = try await TestServer.start { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = ByteBuffer(string: "10000\r\n\(String(repeating: "x", count: 64 * 1024))\r\n")
            connection.pour(chunk, times: 256) { bytes in taken.add(bytes) }
        }
        try await withClient(server.address, maximumBytesUnderWay: 1024 * 1024) { client in
            await withDiscardingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let error = await HashiCorpAPITests.failure { () async throws(APIError) in
                            _ = try await client.send(APIRequest(.get, "/v1/x", deadline: .seconds(50)))
                        }
                        #expect(error?.kind == .tooLarge)
                    }
                }
            }
        }
        try await server.stop()
        #expect(taken.value < 32 * 1024 * 1024)
    }

    @Test func `a byte now and then does not put off the deadline`() async throws {
        let start = ContinuousClock.now
        let error = try await self.failure(APIRequest(.get, "/v1/x", deadline: .milliseconds(300))) { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            connection.every(.milliseconds(20)) { connection.write("x") }
        }
        #expect(error?.kind == .timedOut)
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func `a header's byte now and then does not either`() async throws {
        let error = try await self.failure(APIRequest(.get, "/v1/x", deadline: .milliseconds(300))) { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nX-Consul-Index: ")
            connection.every(.milliseconds(20)) { connection.write("1") }
        }
        #expect(error?.kind == .timedOut)
    }

    @Test func `headers without end are given up`() async throws {
        let error = try await self.failure { _, connection in
            let line = "X-A: \(String(repeating: "x", count: 8000))\r\n"
            connection.write("HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 1000))
        }
        #expect(error?.kind == .tooLarge)
    }

    @Test func `nobody there is told with what to check`() async throws {
        let server = try await TestServer.start { _, _ in }
        try await server.stop()
        try await withClient(server.address) { client in
            let start = ContinuousClock.now
            let error = await HashiCorpAPITests.failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains("connection refused") == true)
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test func `a name that does not exist is told`() async throws {
        try await withClient(.http(host: "no-such-host.invalid", port: 8500)) { client in
            let error = await HashiCorpAPITests.failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x", deadline: .seconds(20)))
            }
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains("no-such-host.invalid") == true)
        }
    }

    @Test func `a kept connection that ends with the next request is told and not tried again`() async throws {
        let server = try await TestServer.start { request, connection in
            if request.number == 1 { connection.close() } else { connection.answer() }
        }
        try await withClient(server.address) { client in
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            let error = await HashiCorpAPITests.failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .unreachable)
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        #expect(server.requests.count == 3)
    }
}
