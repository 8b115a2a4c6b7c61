// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import HashiCorpAPI

/// What agents and proxies say may quote what they were sent, and is for logs.
@Suite struct SecretMaskTests {
    private static let token = "cb8c2f9e-57a1-4c1b-8d61-0f2e7a3b9c44"

    @Test(arguments: [
        ("nothing of it", "nothing of it"),
        ("for cb8c2f9e-57a1-4c1b-8d61-0f2e7a3b9c44.", "for (secret)."),
        ("CB8C2F9E-57A1-4C1B-8D61-0F2E7A3B9C44", "(secret)"),
        (
            "cb8c2f9e%2d57a1%2D4c1b-8d61-0f2e7a3b9c44 twice cb8c2f9e-57a1-4c1b-8d61-0f2e7a3b9c44",
            "(secret) twice (secret)"
        ),
        ("\"cb8c2f9e\\u002d57a1-4c1b-8d61-0f2e7a3b9c44\"", "\"(secret)\""),
        ("cb8c2f9e&#45;57a1&#x2d;4c1b-8d61-0f2e7a3b9c44", "(secret)"),
        // Cut off by the end.
        ("token cb8c2f9e-57a1-4c1b-8d61-0f2e7a3b9c4", "token (secret)"), ("token cb8c", "token (secret)"),
        ("token cb8c2f9e%2", "token (secret)"), ("token cb8", "token cb8"),
        ("cb8c2f9e-57a1 is another", "cb8c2f9e-57a1 is another"),
        // Of two.
        ("pass: a+b/c\"d&", "pass: (secret)"), ("a%2Bb%2fc%22d%26", "(secret)"), ("a+b\\/c\\\"d&", "(secret)"),
        ("a+b/c&quot;d&amp;!", "(secret)!"),
    ])
    func `a secret is blanked however it is written`(text: String, blanked: String) {
        let mask = SecretMask([Secret(Self.token), Secret("a+b/c\"d&")])
        #expect(mask.blanked(text.utf8) == blanked)
    }

    @Test func `a sentence that is whole ends as it ends`() {
        let mask = SecretMask([Secret("consul:sesame"), Secret("sesame")])
        #expect(mask.blanked("in answer to /v1/catalog/service/consul".utf8, isCutOff: false).hasSuffix("/consul"))
        #expect(mask.blanked("it says sesame".utf8, isCutOff: false) == "it says (secret)")
    }

    @Test func `of secrets within one another the longest goes`() {
        let mask = SecretMask([Secret("sesame"), Secret("me:sesame"), Secret("")])
        #expect(mask.blanked("me:sesame, sesame and me".utf8) == "(secret), (secret) and me")
        #expect(SecretMask([Secret("a"), Secret("abc")]).blanked("a abc".utf8) == "a abc")
        // What looks like an escape is one of its own characters.
        #expect(SecretMask([Secret("a%41\\u&amp;")]).blanked("x a%41\\u&amp; y".utf8) == "x (secret) y")
    }

    private static func reflecting(_ status: String = "403 Forbidden", before: String = "") async throws -> TestServer {
        try await TestServer.start { request, connection in
            let headers = ["X-Consul-Token", "X-Nomad-Token", "Authorization"].compactMap(request.header)
            connection.answer(status, before + headers.joined(separator: " auth ") + " " + request.body)
        }
    }

    @Test(arguments: [APIConfiguration.Product.consul, .nomad])
    func `an answer that quotes the token and the password is quoted without them`(
        product: APIConfiguration.Product
    ) async throws {
        let server = try await Self.reflecting()
        let auth = BasicAuth("user:p4ssw0rd")
        try await withClient(server.address, product: product, token: .value(Self.token), basicAuth: auth) { client in
            let response = try await client.send(APIRequest(.get, "/v1/x"))
            #expect(response.explanation == "(secret) auth Basic (secret)==")
            let error = APIError.unexpected(response, from: client.configuration)
            #expect(error.message.contains("answers 403 with \"(secret) auth"))
            let malformed = await failure { () async throws(APIError) in _ = try response.value(of: [String].self) }
            #expect(malformed?.message.contains("starts with \"(secret) auth") == true)
            let pipeline = APIPipeline(client)
            let refused = await failure { () async throws(APIError) in
                _ = try await pipeline.indexes(of: [APIRequest(.get, "/v1/x")], deadline: .seconds(30))
            }
            #expect(refused?.message.contains("with \"(secret) auth") == true)
            pipeline.shutdown()
            let unheard = await failure { () async throws(APIError) in
                _ = try await client.stream(APIRequest(.get, "/v1/x"), idle: .seconds(5))
            }
            #expect(unheard?.message.contains("with \"(secret) auth") == true)
        }
    }

    @Test(arguments: [150, 165, 180, 199, 250])
    func `what the end of an excerpt cuts is blanked before`(length: Int) async throws {
        let server = try await Self.reflecting(before: String(repeating: "x", count: length))
        try await withClient(server.address, token: .value(Self.token)) { client in
            let response = try await client.send(APIRequest(.get, "/v1/x"))
            #expect(response.explanation.utf8.count <= 200 && !response.explanation.contains("cb8"))
            let pipeline = APIPipeline(client)
            let refused = await failure { () async throws(APIError) in
                _ = try await pipeline.indexes(of: [APIRequest(.get, "/v1/x")], deadline: .seconds(30))
            }
            #expect(refused?.message.contains("answers 403") == true && refused?.message.contains("cb8") == false)
            pipeline.shutdown()
        }
    }

    @Test func `a token that was replaced while its question waited is a secret still`() async throws {
        let server = try await Self.reflecting()
        try await withClient(server.address) { client in
            client.setToken("first-token")
            let response = try await client.send(APIRequest(.get, "/v1/x"))
            client.setToken("second-token")
            #expect(response.explanation == "(secret)")
            let text = ByteBuffer(string: "first-token second-token")
            #expect(client.masked(APIResponse(status: 403, body: text)).explanation == "(secret) (secret)")
        }
    }

    @Test func `a login that is refused with its own identity does not show it`() async throws {
        let server = try await Self.reflecting()
        try await withClient(server.address) { client in
            let login = ConsulLogin(authMethod: "nomad", bearerToken: Secret("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"))
            let response = try await client.send(try login.request())
            #expect(response.explanation.contains("nomad") && response.explanation.contains("(secret)"))
            #expect(!response.explanation.contains("eyJ"))
        }
    }

    @Test func `a line of a stream that is none is quoted without secrets`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address, product: .nomad, token: .value(Self.token)) { client in
            let error = await failure { () async throws(APIError) in
                _ = try NomadEvents.line(ByteBuffer(string: "for \(Self.token)"), to: client)
            }
            #expect(error?.message.contains("starts with \"for (secret)\"") == true)
            #expect(error?.message.contains("cb8c") == false)
        }
    }
}
