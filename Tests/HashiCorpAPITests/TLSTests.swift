// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOSSL
import Testing

@testable import HashiCorpAPI

/// Whom the client trusts, and who it says it is.
@Suite struct TLSTests {
    private let certificates: Certificates

    init() throws {
        self.certificates = try Certificates()
    }

    /// The answer's status, or the error, of one request to a server with TLS.
    private func ask(
        _ options: TLSOptions,
        of name: String = "server",
        wantsClient: Bool = false
    ) async throws -> Result<Int, APIError> {
        let server = try await TestServer.start(
            tls: self.certificates.serverContext(name, wantsClient: wantsClient)
        ) { _, connection in connection.answer() }
        var result: Result<Int, APIError> = .success(0)
        try await withClient(server.address, tls: options) { client in
            do throws(APIError) {
                result = .success(try await client.send(APIRequest(.get, "/v1/x", deadline: .seconds(10))).status)
            } catch {
                result = .failure(error)
            }
        }
        return result
    }

    private func error(
        _ options: TLSOptions,
        of name: String = "server",
        wantsClient: Bool = false
    ) async throws -> APIError? {
        switch try await self.ask(options, of: name, wantsClient: wantsClient) {
        case .success: nil
        case .failure(let error): error
        }
    }

    /// The certificate of "server" is for 127.0.0.1, too.
    @Test(arguments: [("server", true), ("named", false)])
    func `small questions in one go are asked of whom the certificate names, by its address`(
        name: String,
        isTrusted: Bool
    ) async throws {
        let server = try await TestServer.start(tls: self.certificates.serverContext(name)) { _, connection in
            connection.answer(headers: "X-Consul-Index: 5\r\n")
        }
        try await withClient(server.address, tls: TLSOptions(caFile: self.certificates.certificate("ca"))) { client in
            let pipeline = APIPipeline(client)
            let requests = (0..<8).map { APIRequest(.get, "/v1/health/service/s\($0)") }
            var indexes: [UInt64] = []
            let error = await failure { () async throws(APIError) in
                indexes = try await pipeline.indexes(of: requests, deadline: .seconds(10))
            }
            #expect(indexes == (isTrusted ? Array(repeating: 5, count: 8) : []))
            #expect(error?.kind == (isTrusted ? nil : .tls))
            pipeline.shutdown()
        }
    }

    @Test func `a connection whose handshake failed before anything was asked says why`() async throws {
        let server = try await TestServer.start(tls: self.certificates.serverContext("named")) { _, connection in
            connection.answer(headers: "X-Consul-Index: 5\r\n")
        }
        let trust = TLSOptions(caFile: self.certificates.certificate("other-ca"))
        try await withClient(server.address, tls: trust) { client in
            let connections = APIPipelineConnections(client)
            let (connection, _) = try await connections.take(fresh: true)
            try await connection.channel.closeFuture.get()
            let error = connection.cause.behind(ChannelError.ioOnClosedChannel)
            #expect(APIError(error, of: client.configuration, limit: 0).kind == .tls)
            connections.shutdown()
        }
    }

    @Test func `a server of a trusted authority is spoken to`() async throws {
        let file = TLSOptions(caFile: self.certificates.certificate("ca"))
        #expect(try await self.ask(file) == .success(200))
        try self.certificates.directory.makeDirectory("cas/more")
        try self.certificates.directory.copy("other-ca.pem", to: "cas/a.pem")
        try self.certificates.directory.copy("ca.pem", to: "cas/more/b.pem")
        let directory = TLSOptions(caDirectory: self.certificates.directory("cas"))
        #expect(try await self.ask(directory) == .success(200))
    }

    @Test func `a server of an unknown authority is not`() async throws {
        let system = try await self.error(TLSOptions())
        #expect(system?.kind == .tls)
        #expect(system?.message.contains("name its CA") == true)
        let other = try await self.error(TLSOptions(caFile: self.certificates.certificate("other-ca")))
        #expect(other?.kind == .tls)
    }

    @Test func `it must have the name that is asked for`() async throws {
        var options = TLSOptions(caFile: self.certificates.certificate("ca"), serverName: "server.dc1.consul")
        #expect(try await self.ask(options, of: "named") == .success(200))
        for name in ["server.dc2.consul", nil] {
            options.serverName = name
            let error = try await self.error(options, of: "named")
            #expect(error?.kind == .tls)
            #expect(error?.message.contains("made out to another name") == true)
        }
    }

    @Test func `without verification anybody is spoken to`() async throws {
        #expect(try await self.ask(TLSOptions(verify: false)) == .success(200))
    }

    @Test func `a server that wants to know us gets our certificate`() async throws {
        var options = TLSOptions(caFile: self.certificates.certificate("ca"))
        let nobody = try await self.error(options, wantsClient: true)
        #expect(nobody?.kind == .tls)
        #expect(nobody?.message.contains("client certificate") == true)
        options.certificateFile = self.certificates.certificate("client")
        options.keyFile = self.certificates.key("client")
        #expect(try await self.ask(options, wantsClient: true) == .success(200))
        options.certificateFile = self.certificates.certificate("other-client")
        options.keyFile = self.certificates.key("other-client")
        #expect(try await self.error(options, wantsClient: true)?.kind == .tls)
    }

    @Test(arguments: [true, false])
    func `a server that closes without a word may want a certificate of ours`(isClient: Bool) async throws {
        let server = try await TestServer.start(tls: self.certificates.serverContext()) { _, connection in
            connection.close()
        }
        var options = TLSOptions(caFile: self.certificates.certificate("ca"))
        if isClient {
            options.certificateFile = self.certificates.certificate("client")
            options.keyFile = self.certificates.key("client")
        }
        try await withClient(server.address, tls: options) { client in
            let error = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x", deadline: .seconds(10)))
            }
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains("name a client certificate") == !isClient)
        }
    }

    @Test func `a certificate that is replaced is used by the next connection`() async throws {
        let directory = self.certificates.directory
        try directory.copy("other-client.pem", to: "mine.pem")
        try directory.copy("other-client-key.pem", to: "mine-key.pem")
        let server = try await TestServer.start(
            tls: self.certificates.serverContext(wantsClient: true)
        ) { _, connection in connection.answer() }
        let options = TLSOptions(
            caFile: self.certificates.certificate("ca"),
            certificateFile: directory("mine.pem"),
            keyFile: directory("mine-key.pem")
        )
        try await withClient(server.address, tls: options) { client in
            let error = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .tls)
            try directory.copy("client.pem", to: "mine.pem")
            try directory.copy("client-key.pem", to: "mine-key.pem")
            try await client.send(APIRequest(.get, "/v1/x")).expect(200)
            // A file that is gone leaves what was read in use.
            try directory.remove("mine.pem")
            try await client.send(APIRequest(.get, "/v1/x")).expect(200)
        }
    }

    @Test func `files that break are named while what was last read stays in use`() async throws {
        let directory = self.certificates.directory
        for name in ["ca", "client", "client-key"] { try directory.copy("\(name).pem", to: "my-\(name).pem") }
        let server = try await TestServer.start(
            tls: self.certificates.serverContext(wantsClient: true)
        ) { _, connection in connection.answer(headers: "Connection: close\r\n") }
        let options = TLSOptions(
            caFile: directory("my-ca.pem"),
            certificateFile: directory("my-client.pem"),
            keyFile: directory("my-client-key.pem")
        )
        try await withClient(server.address, tls: options) { client in
            #expect(client.certificateProblem() == nil)
            try await client.send(APIRequest(.get, "/v1/x")).expect(200)
            for (name, words) in [
                ("ca", "something else"), ("client", "something else"), ("client-key", "no PEM private key"),
            ] {
                try directory.write("nothing", to: "my-\(name).pem")
                // As a handshake that fails does: nobody waits for the next look.
                client.certificates.refused()
                let problem = client.certificateProblem()
                #expect(problem?.contains(words) == true, "\(problem ?? "nothing")")
                try await client.send(APIRequest(.get, "/v1/x")).expect(200)
                try directory.copy("\(name).pem", to: "my-\(name).pem")
                client.certificates.refused()
                #expect(client.certificateProblem() == nil)
            }
            // One of both is replaced before the other.
            try directory.copy("other-client.pem", to: "my-client.pem")
            client.certificates.refused()
            #expect(client.certificateProblem()?.contains("do not belong together") == true)
            try await client.send(APIRequest(.get, "/v1/x")).expect(200)
            try directory.copy("client.pem", to: "my-client.pem")
            // Without a failure, the next look sees it.
            try await Task.sleep(for: .milliseconds(1100))
            #expect(client.certificateProblem() == nil)
        }
    }

    @Test func `files that are no certificates are told by their names`() async throws {
        try self.certificates.directory.write("nothing", to: "empty.pem")
        let certificate = self.certificates.certificate("client")
        let empty = self.certificates.directory("empty.pem")
        let none = self.certificates.directory("none.pem")
        for (options, word) in [
            (TLSOptions(caFile: none), none), (TLSOptions(caFile: empty), empty),
            (TLSOptions(caDirectory: none), none), (TLSOptions(caFile: "/dev/zero"), "no regular file"),
            (TLSOptions(certificateFile: certificate), "without a key"),
            (TLSOptions(keyFile: certificate), "without a certificate"),
            (TLSOptions(certificateFile: certificate, keyFile: empty), "no PEM private key"),
        ] {
            let error = try await self.error(options)
            #expect(error?.kind == .tls)
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `of a directory of authorities the file that is none is named`() async throws {
        let directory = self.certificates.directory
        #expect(mkdir(directory("authorities"), 0o700) == 0)
        try directory.copy("ca.pem", to: "authorities/a.pem")
        let options = TLSOptions(caDirectory: directory("authorities"))
        #expect(try await self.error(options) == nil)
        try directory.write("nothing", to: "authorities/b.pem")
        let error = try await self.error(options)
        #expect(error?.message.contains(directory("authorities/b.pem")) == true, "\(error?.message ?? "")")
    }

    @Test func `a port without TLS is told as such`() async throws {
        let server = try await TestServer.start(greeting: "HTTP/1.1 400 Bad Request\r\n\r\n") { _, _ in }
        guard case .http(let host, let port) = server.address else { return }
        try await withClient(.https(host: host, port: port)) { client in
            let error = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/x"))
            }
            #expect(error?.kind == .tls)
            #expect(error?.message.contains("does not speak TLS") == true)
        }
    }
}
