// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Testing

/// How connections are used, and how requests end early.
@Suite struct ConnectionTests {
    @Test func `a connection is used again`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address) { client in
            for _ in 0..<20 { _ = try await client.send(APIRequest(.get, "/v1/x")) }
        }
        #expect(server.connections == 1)
        #expect(server.requests.count == 20)
    }

    @Test func `no more connections are made than allowed, and nobody is left out`() async throws {
        let server = try await TestServer.start { _, connection in
            connection.after(.milliseconds(20)) { connection.answer() }
        }
        try await withClient(server.address, maximumConnections: 3) { client in
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 {
                    group.addTask { try await client.send(APIRequest(.get, "/v1/x")).status }
                }
                return try await group.reduce(into: 0) { count, _ in count += 1 }
            }
            #expect(answers == 30)
        }
        #expect(server.mostConnections == 3)
    }

    @Test func `waiting for a connection counts towards the deadline`() async throws {
        let server = try await TestServer.start { _, _ in }
        try await withClient(server.address, maximumConnections: 1) { client in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try? await client.send(APIRequest(.get, "/v1/blocking", deadline: .seconds(30)))
                }
                _ = try? await eventually { server.requests.count == 1 }
                let error = await failure { () async throws(APIError) in
                    _ = try await client.send(APIRequest(.get, "/v1/x", deadline: .milliseconds(100)))
                }
                #expect(error?.kind == .timedOut)
                #expect(error?.message.contains("in use") == true)
                group.cancelAll()
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a cancelled request ends at once and makes room`() async throws {
        let server = try await TestServer.start { request, connection in
            if request.line.contains("/v1/x") { connection.answer() }
        }
        try await withClient(server.address, maximumConnections: 1) { client in
            let start = ContinuousClock.now
            let errors = await withTaskGroup(of: APIError?.self) { group in
                // The second waits for the first one's connection.
                for _ in 0..<2 {
                    group.addTask {
                        await failure { () async throws(APIError) in
                            _ = try await client.send(APIRequest(.get, "/v1/blocking", deadline: .seconds(60)))
                        }
                    }
                }
                _ = try? await eventually { server.requests.count == 1 }
                group.cancelAll()
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(errors.map { $0?.kind } == [.cancelled, .cancelled])
            #expect(ContinuousClock.now - start < .seconds(5))
            try await client.send(APIRequest(.get, "/v1/x")).expect(200)
        }
    }

    @Test func `a request of a cancelled task is not sent`() async throws {
        let server = try await TestServer.start { _, _ in }
        try await withClient(server.address) { client in
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    let error = await failure { () async throws(APIError) in
                        _ = try await client.send(APIRequest(.get, "/v1/x"))
                    }
                    #expect(error?.kind == .cancelled)
                }
            }
        }
    }

    @Test func `a shutdown ends what is under way, and all later requests`() async throws {
        let server = try await TestServer.start { _, _ in }
        let client = APIClient(APIConfiguration(product: .consul, address: server.address))
        await withTaskGroup(of: APIError?.self) { group in
            group.addTask {
                await failure { () async throws(APIError) in
                    _ = try await client.send(APIRequest(.get, "/v1/x", deadline: .seconds(60)))
                }
            }
            _ = try? await eventually { server.requests.count == 1 }
            await client.shutdown()
            let error = await group.next()
            #expect(error??.kind == .cancelled)
        }
        let later = await failure { () async throws(APIError) in
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        #expect(later?.kind == .cancelled)
        await client.shutdown()
        let isClosed = try await eventually { server.openConnections == 0 }
        #expect(isClosed)
    }

    @Test func `a client that is dropped closes its connections`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        do {
            let client = APIClient(APIConfiguration(product: .consul, address: server.address))
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        let isClosed = try await eventually { server.openConnections == 0 }
        #expect(isClosed)
    }

    @Test func `an agent is reached through a socket`() async throws {
        let directory = try TemporaryDirectory()
        let server = try await TestServer.start(socket: directory("a b.sock")) { _, connection in
            connection.answer()
        }
        try await withClient(server.address, product: .nomad) { client in
            try await client.send(APIRequest(.get, "/v1/x", query: ["stale"])).expect(200)
        }
        #expect(server.requests.map(\.line) == ["GET /v1/x?stale HTTP/1.1"])
        #expect(server.requests.first?.header("Host") == "localhost")
        try await server.stop()
        try await withClient(.unix(path: directory("none.sock"))) { client in
            let error = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains("no such socket") == true)
        }
    }
}
