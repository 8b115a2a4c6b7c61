// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOHPACK
import NIOHTTP2
import NIOSSL
import Testing

/// Many questions that wait, on one connection.
@Suite struct MultiplexTests {
    private let certificates: Certificates

    init() throws {
        self.certificates = try Certificates()
    }

    private func server(streams: Int? = 100) async throws -> HTTP2Server {
        try await HTTP2Server(try self.certificates.serverContext(protocols: ["h2"]), streams: streams)
    }

    private func with(
        _ server: HTTP2Server,
        _ body: (APIMultiplex) async throws -> Void
    ) async throws {
        let tls = TLSOptions(caFile: self.certificates.certificate("ca"))
        try await withClient(server.address, tls: tls) { (client: APIClient) async throws in
            let multiplex = APIMultiplex(client)
            try await body(multiplex)
            multiplex.shutdown()
        }
        try await server.stop()
    }

    private static func questions(_ keys: String..., index: UInt64 = 5) -> [APIMultiplex.Question] {
        keys.map { .init(key: $0, index: index) }
    }

    private static func request(_ question: APIMultiplex.Question) -> APIRequest {
        APIRequest(.get, "/\(question.key)", query: [.init("index", String(question.index))], deadline: .seconds(60))
    }

    private static func ask(
        _ multiplex: APIMultiplex,
        _ questions: [APIMultiplex.Question]
    ) async throws -> [String: UInt64?] {
        try await multiplex.answers(to: questions, in: "dc1/0", request: Self.request)
    }

    private static func error(_ multiplex: APIMultiplex, _ questions: [APIMultiplex.Question]) async -> APIError? {
        await failure { () async throws(APIError) in
            _ = try await multiplex.answers(to: questions, in: "dc1/0", request: Self.request)
        }
    }

    @Test func `each is answered when its index goes beyond, and the others go on waiting`() async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            #expect(try await multiplex.open("dc1/0") == 100)
            async let first = Self.ask(multiplex, Self.questions("a", "b", "c"))
            #expect(try await eventually { server.waiting == ["/a", "/b", "/c"] })
            server.answer("/b", index: 7)
            #expect(try await first == ["b": 7])
            // What was asked before is not asked again.
            async let second = Self.ask(multiplex, Self.questions("a", "c") + Self.questions("b", index: 7))
            #expect(try await eventually { server.waiting == ["/a", "/b", "/c"] })
            #expect(
                server.headers.map { $0.first(name: ":path") } == ["/a", "/b", "/c"].map { "\($0)?index=5" } + [
                    "/b?index=7"
                ]
            )
            server.answer("/a", index: 9)
            #expect(try await second == ["a": 9])
            #expect(server.openConnections == 1)
        }
    }

    @Test func `the answer to what is asked for no more is dropped, and a call whose place is taken ends`() async throws
    {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            async let first = Self.ask(multiplex, Self.questions("a", "b"))
            #expect(try await eventually { server.waiting.count == 2 })
            async let second = Self.ask(multiplex, Self.questions("b", "c"))
            #expect(try await first == [:])
            #expect(try await eventually { server.waiting == ["/a", "/b", "/c"] })
            server.answer("/a", index: 6)
            server.answer("/c", index: 6)
            #expect(try await second == ["c": 6])
        }
    }

    @Test func `an answer that came before it was asked for is kept`() async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            async let first = Self.ask(multiplex, Self.questions("a", "b"))
            #expect(try await eventually { server.waiting.count == 2 })
            server.answer("/a", index: 6)
            #expect(try await first == ["a": 6])
            server.answer("/b", index: 8)
            #expect(try await eventually { server.waiting.isEmpty })
            #expect(try await Self.ask(multiplex, Self.questions("b")) == ["b": 8])
        }
    }

    @Test func `who does not choose HTTP/2 takes no questions`() async throws {
        let server = try await TestServer.start(tls: try self.certificates.serverContext()) { _, connection in
            connection.answer()
        }
        let tls = TLSOptions(caFile: self.certificates.certificate("ca"))
        try await withClient(server.address, tls: tls) { (client: APIClient) async throws in
            #expect(try await APIMultiplex(client).open("dc1/0") == 0)
        }
    }

    @Test func `who says something else than HTTP/2 takes no questions`() async throws {
        let server = try await HTTP2Server(
            try self.certificates.serverContext(maximumVersion: .tlsv12),
            isMute: true,
            greeting: "HTTP/1.1 408 Request Timeout\r\n\r\n"
        )
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            #expect(try await multiplex.open("dc1/0") == 0)
            #expect(try await eventually { server.openConnections == 0 })
        }
    }

    @Test(arguments: [403, 500, 200])
    func `one that is refused does not end the others`(status: Int) async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            async let first = Self.ask(multiplex, Self.questions("a", "b"))
            #expect(try await eventually { server.waiting.count == 2 })
            server.answer("/a", status: status, index: nil, body: "Permission denied")
            #expect(try await first == ["a": nil])
            async let second = Self.ask(multiplex, Self.questions("b"))
            server.answer("/b", index: 6)
            #expect(try await second == ["b": 6])
        }
        #expect(server.headers.count == 2)
    }

    @Test(arguments: [HTTP2ErrorCode.refusedStream, .cancel, .internalError, .http11Required])
    func `one whose stream is reset is refused, and the others go on waiting`(code: HTTP2ErrorCode) async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            async let first = Self.ask(multiplex, Self.questions("a", "b"))
            #expect(try await eventually { server.waiting.count == 2 })
            server.reset("/a", code)
            #expect(try await first == ["a": nil])
            async let second = Self.ask(multiplex, Self.questions("b"))
            server.answer("/b", index: 6, isInformed: true)
            #expect(try await second == ["b": 6])
        }
        #expect(server.headers.count == 2)
    }

    @Test func `what the answers take of the window is given back`() async throws {
        let server = try await self.server()
        let keys = (0..<100).map { "k\($0)" }
        let body = String(repeating: "x", count: 16_000)
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            // 17.6 MB.
            for round in 0..<11 as Range<UInt64> {
                var left = Set(keys)
                while !left.isEmpty {
                    let questions = left.map { APIMultiplex.Question(key: $0, index: round) }
                    async let answers = Self.ask(multiplex, questions)
                    #expect(try await eventually { server.waiting.count == left.count || left.count < 100 })
                    for key in left { server.answer("/\(key)", index: round + 1, body: body) }
                    left.subtract(try await answers.keys)
                }
            }
        }
    }

    @Test func `a server that allows fewer than wait is left`() async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            async let error = Self.error(multiplex, Self.questions("a", "b", "c"))
            #expect(try await eventually { server.waiting.count == 3 })
            server.allow(streams: 3)
            server.allow(streams: 2)
            #expect(await error?.message.contains("no more than 2 questions") == true)
            #expect(try await eventually { server.openConnections == 0 })
        }
    }

    @Test func `each group has a connection of its own`() async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            for group in ["dc1/0", "dc2/0"] { _ = try await multiplex.open(group) }
            #expect(server.openConnections == 2)
            // And no more than one.
            _ = try await multiplex.open("dc1/0")
            #expect(try await eventually { server.openConnections == 2 })
        }
    }

    @Test func `a server that accepts and says nothing is left`() async throws {
        let server = try await HTTP2Server(try self.certificates.serverContext(protocols: ["h2"]), isMute: true)
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            let begin = ContinuousClock.now
            let error = await failure { () async throws(APIError) in _ = try await multiplex.open("dc1/0") }
            #expect(error?.kind == .timedOut)
            // And not by a ping that is not answered.
            #expect(begin.duration(to: .now) < .seconds(30))
            #expect(try await eventually { server.openConnections == 0 })
        }
    }

    @Test(arguments: ["close", "goodbye", "large"])
    func `a connection that is of no use any more fails what waits`(how: String) async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            async let error = Self.error(multiplex, Self.questions("a"))
            #expect(try await eventually { server.waiting.count == 1 })
            switch how {
            case "close": server.closeAll()
            case "goodbye": server.sayGoodbye()
            default: server.answer("/a", index: 6, body: String(repeating: "x", count: 40_000))
            }
            let kinds: [String: APIError.Kind] = ["large": .tooLarge]
            #expect(await error?.kind == kinds[how] ?? .unreachable)
            #expect(await Self.error(multiplex, []) != nil)
            // And another one can be had.
            #expect(try await multiplex.open("dc1/0") == 100)
        }
    }

    @Test func `whoever gives up closes the connection`() async throws {
        let server = try await self.server()
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            _ = try await multiplex.open("dc1/0")
            let task = Task { try await Self.ask(multiplex, Self.questions("a")) }
            #expect(try await eventually { server.waiting.count == 1 })
            task.cancel()
            #expect(try await eventually { server.openConnections == 0 })
            await #expect(throws: APIError.self) { try await task.value }
        }
    }

    @Test func `as many as the server allows, and not more than are of use`() async throws {
        for (streams, capacity) in [(7, 7), (100_000, APIMultiplex.maximumQuestions), (nil, 100)] as [(Int?, Int)] {
            let server = try await self.server(streams: streams)
            try await self.with(server) { (multiplex: APIMultiplex) async throws in
                #expect(try await multiplex.open("dc1/0") == capacity)
            }
        }
    }

    @Test func `whom the certificate does not name is not asked`() async throws {
        let server = try await HTTP2Server(try self.certificates.serverContext("named", protocols: ["h2"]))
        try await self.with(server) { (multiplex: APIMultiplex) async throws in
            let error = await failure { () async throws(APIError) in _ = try await multiplex.open("dc1/0") }
            #expect(error?.kind == .tls)
        }
    }

    @Test func `the token goes along`() async throws {
        let server = try await self.server()
        let tls = TLSOptions(caFile: self.certificates.certificate("ca"))
        try await withClient(server.address, tls: tls, token: .value("s3cret")) { (client: APIClient) async throws in
            let multiplex = APIMultiplex(client)
            _ = try await multiplex.open("dc1/0")
            async let answers = Self.ask(multiplex, Self.questions("a"))
            #expect(try await eventually { server.waiting.count == 1 })
            server.answer("/a", index: 6)
            _ = try await answers
            multiplex.shutdown()
        }
        #expect(server.headers.first?.first(name: "x-consul-token") == "s3cret")
        try await server.stop()
    }
}
