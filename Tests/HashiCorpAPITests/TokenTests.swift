// SPDX-License-Identifier: Apache-2.0

import Glibc
import HashiCorpAPI
import Testing

/// Tokens come from files that others write, and must not be seen.
@Suite struct TokenTests {
    private func tokens(_ server: TestServer) -> [String?] { server.requests.map { $0.header("X-Consul-Token") } }

    @Test func `a file that is replaced is read again, soon`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(" \n first\r\n", to: "token")
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address, token: .file(path: directory("token"))) { client in
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            let generation = client.tokenGeneration
            // The same one, written in another way.
            try directory.write("first", to: "token")
            try await Task.sleep(for: .milliseconds(1100))
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            #expect(client.tokenGeneration == generation)
            try directory.write("second\n", to: "token")
            try await Task.sleep(for: .milliseconds(1100))
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            #expect(client.tokenGeneration == generation + 1)
        }
        #expect(self.tokens(server) == ["first", "first", "second"])
    }

    @Test func `after a refusal it is read again at once`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("first", to: "token")
        let server = try await TestServer.start { request, connection in
            let isGood = request.header("X-Consul-Token") == "second"
            connection.answer(isGood ? "200 OK" : "403 Forbidden", "ACL not found")
        }
        try await withClient(server.address, token: .file(path: directory("token"))) { client in
            try await client.send(APIRequest(.get, "/v1/x")).expect(403)
            try directory.write("second", to: "token")
            try await client.send(APIRequest(.get, "/v1/x")).expect(200)
        }
    }

    @Test func `a file that is gone or empty for a moment leaves the last token in use`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("first", to: "token")
        let server = try await TestServer.start { _, connection in connection.answer("403 Forbidden") }
        try await withClient(server.address, token: .file(path: directory("token"))) { client in
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            try directory.write("", to: "token")
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            try directory.remove("token")
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        #expect(self.tokens(server) == ["first", "first", "first"])
    }

    @Test(arguments: [
        (nil, "there is no such file"), ("", "is empty"), ("\u{0}\n", "is empty"), ("one\ntwo\n", "something else"),
        (String(repeating: "x", count: 2_000_000), "something else"), ("/", "no regular file"),
    ])
    func `a file that breaks is named while the last token stays in use`(content: String?, words: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("first", to: "token")
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address, token: .file(path: directory("token"))) { client in
            #expect(client.tokenFileProblem() == nil)
            try directory.remove("token")
            if content == "/" {
                #expect(mkdir(directory("token"), 0o700) == 0)
            } else if let content {
                try directory.write(content, to: "token")
            }
            try await Task.sleep(for: .milliseconds(1100))
            #expect(client.tokenFileProblem()?.contains(words) == true, "\(client.tokenFileProblem() ?? "nothing")")
            #expect(client.tokenFileProblem()?.contains(directory("token")) == true)
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            try? directory.remove("token")
            try directory.write("first", to: "token")
            try await Task.sleep(for: .milliseconds(1100))
            #expect(client.tokenFileProblem() == nil)
            // Another token counts, whatever the file of the settings is like.
            client.setToken("given")
            try directory.remove("token")
            try await Task.sleep(for: .milliseconds(1100))
            #expect(client.tokenFileProblem() == nil)
        }
        #expect(self.tokens(server) == ["first"])
    }

    @Test func `a file that was never good is what requests fail for, and no token stays in use`() async throws {
        let directory = try TemporaryDirectory()
        try await withClient(.http(host: "127.0.0.1", port: 1), token: .file(path: directory("token"))) { client in
            #expect(client.tokenFileProblem() == nil)
        }
    }

    @Test(arguments: [nil, "", "two words", "line\r\nX-Evil: 1", "caf\u{e9}"])
    func `a file without a token sends nothing, and least of all an anonymous request`(content: String?) async throws {
        let directory = try TemporaryDirectory()
        if let content { try directory.write(content, to: "token") }
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address, token: .file(path: directory("token"))) { client in
            let error = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .token)
            #expect(error?.message.contains(directory("token")) == true)
            try directory.write("good", to: "token")
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        #expect(self.tokens(server) == ["good"])
    }

    @Test func `a token that no header can carry is not sent, and not told`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address) { client in
            client.setToken("sesame\r\nX-Evil: 1")
            let error = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .invalid)
            #expect(error?.message.contains("sesame") == false)
        }
        #expect(server.requests.isEmpty)
    }

    @Test func `no dump shows a secret`() {
        var configuration = APIConfiguration(product: .consul, address: .http(host: "a", port: 1))
        configuration.token = .value("sesame")
        configuration.basicAuth = BasicAuth("me:sesame")
        let login = ConsulLogin(authMethod: "m", bearerToken: Secret("sesame"))
        var dumped = ""
        dump((configuration, login), to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), "\(login)", dumped] {
            #expect(!text.contains("sesame"))
        }
    }
}
