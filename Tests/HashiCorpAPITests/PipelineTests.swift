// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Synchronization
import Testing

/// Many small questions on one connection.
@Suite struct PipelineTests {
    private static func requests(_ count: Int) -> [APIRequest] {
        (0..<count).map { APIRequest(.get, "/v1/health/service/s\($0)", query: [.init("tag", "~")]) }
    }

    @Test func `the indexes come in the order of the questions, on one connection`() async throws {
        let server = try await TestServer.start { request, connection in
            connection.answer(headers: "X-Consul-Index: 1\(request.service)\r\n")
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            for _ in 0..<3 {
                let indexes = try await pipeline.indexes(of: Self.requests(50), deadline: .seconds(10))
                #expect(indexes == (0..<50).compactMap { UInt64("1\($0)") })
            }
            pipeline.shutdown()
        }
        #expect(server.connections == 1)
        #expect(server.requests.count == 150)
        #expect(server.requests.last?.line == "GET /v1/health/service/s49?tag=~ HTTP/1.1")
    }

    @Test func `whoever does not take a question before it has answered is asked one by one`() async throws {
        let server = try await TestServer.start { request, connection in
            let isEarly = request.number % 2 == 1 && request.number < 2
            if isEarly { return connection.close() }
            connection.after(.milliseconds(1)) { connection.answer(headers: "X-Consul-Index: 5\r\n") }
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            for _ in 0..<2 {
                let indexes = try await pipeline.indexes(of: Self.requests(10), deadline: .seconds(10))
                #expect(indexes == Array(repeating: 5, count: 10))
            }
            pipeline.shutdown()
        }
        #expect(server.connections == 2)
    }

    @Test func `whoever ends the connection after some answers is asked the others on another one`() async throws {
        let answered = Mutex<[Int: Int]>([:])
        let server = try await TestServer.start { request, connection in
            let number = answered.withLock { answered in
                let port = connection.channel.remoteAddress?.port ?? 0
                answered[port, default: 0] += 1
                return answered[port] ?? 0
            }
            guard number <= 7 else { return connection.close() }
            connection.answer(headers: "X-Consul-Index: 1\(request.service)\r\n")
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            for _ in 0..<3 {
                let indexes = try await pipeline.indexes(of: Self.requests(32), deadline: .seconds(10))
                #expect(indexes == (0..<32).compactMap { UInt64("1\($0)") })
            }
            pipeline.shutdown()
        }
        #expect(server.connections <= 3 * 6)
    }

    @Test func `whoever says that each answer is the last on its connection is believed`() async throws {
        let server = try await TestServer.start { request, connection in
            connection.answer(headers: "X-Consul-Index: 1\(request.service)\r\nConnection: close\r\n")
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            for _ in 0..<2 {
                let indexes = try await pipeline.indexes(of: Self.requests(8), deadline: .seconds(10))
                #expect(indexes == (0..<8).compactMap { UInt64("1\($0)") })
            }
            pipeline.shutdown()
        }
        #expect(server.mostConnections <= 2)
    }

    @Test func `a connection that ended while it was kept is no reason to ask one by one`() async throws {
        // Requests that wait for an answer, and the most that did since the last look.
        let waiting = Mutex((now: 0, most: 0))
        let server = try await TestServer.start { _, connection in
            waiting.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            connection.after(.milliseconds(20)) {
                waiting.withLock { $0.now -= 1 }
                connection.answer(headers: "X-Consul-Index: 5\r\n")
            }
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            for _ in 0..<3 {
                _ = try await pipeline.indexes(of: Self.requests(32), deadline: .seconds(30))
                #expect(waiting.withLock { $0.most } > 1)
                waiting.withLock { $0.most = 0 }
                server.closeAll()
            }
            pipeline.shutdown()
        }
        #expect(server.connections == 3)
    }

    @Test func `there are no more connections than are allowed, also while batches are given up`() async throws {
        let server = try await TestServer.start { _, _ in }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client, maximumConnections: 3)
            for _ in 0..<5 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<10 {
                        group.addTask { _ = try? await pipeline.indexes(of: Self.requests(4), deadline: .seconds(60)) }
                    }
                    _ = try? await eventually { server.openConnections == 3 }
                    group.cancelAll()
                }
                let isClosed = try await eventually { server.openConnections == 0 }
                #expect(isClosed)
            }
        }
        // The server may not have seen the end of one that was given up when the next is made.
        #expect(server.mostConnections <= 6)
    }

    @Test func `an index of 0 is one`() async throws {
        let server = try await TestServer.start { _, connection in
            connection.answer(headers: "X-Consul-Index: 0\r\n")
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            let indexes = try await pipeline.indexes(of: Self.requests(2), deadline: .seconds(10))
            #expect(indexes == [0, 0])
            pipeline.shutdown()
        }
    }

    @Test func `the token is sent, and one that is refused is told`() async throws {
        let server = try await TestServer.start { request, connection in
            connection.answer(
                request.number < 3 ? "200 OK" : "403 Forbidden",
                headers: "X-Consul-Index: 5\r\n",
                request.number < 3 ? "[]" : "ACL not found"
            )
        }
        try await withClient(server.address, token: .value("secret")) { client in
            let pipeline = APIPipeline(client)
            let error = await failure { () async throws(APIError) in
                _ = try await pipeline.indexes(of: Self.requests(8), deadline: .seconds(10))
            }
            #expect(error?.kind == .status)
            #expect(error?.status == 403)
            #expect(error?.message.contains("ACL not found") == true)
            #expect(error?.meaning == .unknownToken)
            pipeline.shutdown()
        }
        #expect(server.requests.allSatisfy { $0.header("X-Consul-Token") == "secret" })
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", APIError.Kind.status),
        ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", .status),
        ("nonsense\r\n\r\n", .malformed),
        ("", .unreachable),
    ])
    func `an answer that is none fails all of them`(bytes: String, kind: APIError.Kind) async throws {
        let server = try await TestServer.start { _, connection in
            if bytes.isEmpty { connection.close() } else { connection.write(bytes) }
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            let error = await failure { () async throws(APIError) in
                _ = try await pipeline.indexes(of: Self.requests(4), deadline: .seconds(10))
            }
            #expect(error?.kind == kind)
            pipeline.shutdown()
        }
    }

    @Test func `a server that does not answer costs the deadline`() async throws {
        let server = try await TestServer.start { _, _ in }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            let error = await failure { () async throws(APIError) in
                _ = try await pipeline.indexes(of: Self.requests(4), deadline: .milliseconds(100))
            }
            #expect(error?.kind == .timedOut)
            let isClosed = try await eventually { server.openConnections == 0 }
            #expect(isClosed)
        }
    }

    @Test func `answers that are large end the connection`() async throws {
        let body = String(repeating: "x", count: 100_000)
        let server = try await TestServer.start { _, connection in
            connection.answer(headers: "X-Consul-Index: 5\r\n", body)
        }
        try await withClient(server.address) { client in
            let pipeline = APIPipeline(client)
            let error = await failure { () async throws(APIError) in
                _ = try await pipeline.indexes(of: Self.requests(32), deadline: .seconds(10))
            }
            #expect(error?.kind == .tooLarge)
        }
    }
}

extension TestServer.Request {
    /// The digits after "/s" in its path.
    fileprivate var service: Substring { self.line.split(separator: "/s").last?.prefix { $0.isNumber } ?? "" }
}
