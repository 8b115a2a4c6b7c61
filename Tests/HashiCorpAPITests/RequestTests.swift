// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Testing

/// What goes over the wire, and what is read from it.
@Suite struct RequestTests {
    @Test func `names are escaped, and the query may have parameters without a value`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address) { client in
            let query: [APIRequest.Parameter] = [
                "stale", .init("index", "7"), .init("filter", "\"a&b\" in Service.Tags\r\nX: y"),
            ]
            _ = try await client.send(APIRequest(.get, "/v1/health/service/é a/b?#", query: query))
        }
        let target =
            "/v1/health/service/%C3%A9%20a/b%3F%23?stale&index=7"
            + "&filter=%22a%26b%22%20in%20Service.Tags%0D%0AX%3A%20y"
        #expect(server.requests.map(\.line) == ["GET \(target) HTTP/1.1"])
    }

    @Test(arguments: [(APIConfiguration.Product.consul, "X-Consul-Token"), (.nomad, "X-Nomad-Token")])
    func `the token has the product's header`(product: APIConfiguration.Product, header: String) async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(
            server.address,
            product: product,
            token: .value("the-token"),
            basicAuth: BasicAuth("me:a:b")
        ) { client in
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        let request = try #require(server.requests.first)
        #expect(request.header(header) == "the-token")
        #expect(request.header("Authorization") == "Basic bWU6YTpi")
        #expect(request.header("Accept-Encoding") == nil)
    }

    @Test func `a login's token is sent in place of the configured one`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address, token: .value("old")) { client in
            client.setToken("new")
            _ = try await client.send(APIRequest(.get, "/v1/x"))
            client.setToken(nil)
            _ = try await client.send(APIRequest(.get, "/v1/x"))
        }
        #expect(server.requests.map { $0.header("X-Consul-Token") } == ["new", "old"])
    }

    @Test func `a body is sent`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address) { client in
            let login = ConsulLogin(authMethod: "nomad", bearerToken: Secret("ey.J"))
            _ = try await client.send(login.request())
        }
        let request = try #require(server.requests.first)
        #expect(request.line == "POST /v1/acl/login HTTP/1.1")
        #expect(request.body.contains("\"BearerToken\":\"ey.J\""))
    }

    @Test func `an index has 64 bits`() async throws {
        let server = try await TestServer.start { _, connection in
            let headers = [
                "X-Consul-Index: 12893940808748276891", "X-Consul-Knownleader: true",
                "Content-Type: application/json",
            ]
            connection.answer(headers: headers.map { "\($0)\r\n" }.joined(), "[1]")
        }
        try await withClient(server.address) { client in
            let response = try await client.send(APIRequest(.get, "/v1/event/list"))
            #expect(response.status == 200)
            #expect(response.index == 12_893_940_808_748_276_891)
            #expect(response.knownLeader == true)
            #expect(response.contentType == "application/json")
            #expect(String(buffer: response.body) == "[1]")
        }
    }

    @Test func `headers that make no sense are as good as none`() async throws {
        let server = try await TestServer.start { _, connection in
            let headers = "X-Nomad-Index: -1\r\nX-Nomad-KnownLeader: maybe\r\n"
            connection.answer(headers: headers + "X-Nomad-NextToken: default.x\r\n")
        }
        try await withClient(server.address, product: .nomad) { client in
            let response = try await client.send(APIRequest(.get, "/v1/services"))
            #expect(response.index == nil)
            #expect(response.knownLeader == nil)
            #expect(response.nextToken == "default.x")
        }
    }

    @Test func `a redirect is an answer and not followed`() async throws {
        let server = try await TestServer.start { _, connection in
            connection.answer("301 Moved Permanently", headers: "Location: /ui/\r\n", "")
        }
        try await withClient(server.address, token: .value("t")) { client in
            try await client.send(APIRequest(.get, "/")).expect(301)
        }
        #expect(server.requests.count == 1)
    }

    @Test func `an informational answer is not the answer`() async throws {
        let server = try await TestServer.start { _, connection in
            connection.write("HTTP/1.1 103 Early Hints\r\nX-Consul-Index: 1\r\n\r\n")
            connection.answer(headers: "X-Consul-Index: 2\r\n")
        }
        try await withClient(server.address) { client in
            let index = try await client.send(APIRequest(.get, "/v1/x")).index
            #expect(index == 2)
        }
    }

    @Test func `a proxy's path comes before all others`() async throws {
        let server = try await TestServer.start { _, connection in connection.answer() }
        try await withClient(server.address, pathPrefix: "/consul") { client in
            _ = try await client.send(APIRequest(.get, "/v1/x", query: ["stale"]))
        }
        #expect(server.requests.map(\.line) == ["GET /consul/v1/x?stale HTTP/1.1"])
    }
}
