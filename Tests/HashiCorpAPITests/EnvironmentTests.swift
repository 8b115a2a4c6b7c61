// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import Testing

/// HashiCorp's own variables, with HashiCorp's own meaning.
@Suite struct EnvironmentTests {
    @Test func `without variables the agent of this machine is asked`() throws {
        let consul = try ConsulEnvironment(["CONSUL_HTTP_ADDR": ""])
        #expect(consul.api == APIConfiguration(product: .consul, address: .http(host: "127.0.0.1", port: 8500)))
        let nomad = try NomadEnvironment([:])
        #expect(nomad.api == APIConfiguration(product: .nomad, address: .http(host: "127.0.0.1", port: 4646)))
    }

    @Test func `Consul's variables are all known`() throws {
        let consul = try ConsulEnvironment([
            "CONSUL_HTTP_ADDR": "consul.example:8501", "CONSUL_HTTP_SSL": "true", "CONSUL_HTTP_SSL_VERIFY": "0",
            "CONSUL_HTTP_AUTH": "me:a:b", "CONSUL_HTTP_TOKEN": "t", "CONSUL_CACERT": "/ca.pem", "CONSUL_CAPATH": "/cas",
            "CONSUL_CLIENT_CERT": "/c.pem", "CONSUL_CLIENT_KEY": "/k.pem",
            "CONSUL_TLS_SERVER_NAME": "server.dc1.consul",
            "CONSUL_NAMESPACE": "team", "CONSUL_PARTITION": "part",
        ])
        let expected = APIConfiguration(
            product: .consul,
            address: .https(host: "consul.example", port: 8501),
            tls: TLSOptions(
                caFile: "/ca.pem",
                caDirectory: "/cas",
                certificateFile: "/c.pem",
                keyFile: "/k.pem",
                serverName: "server.dc1.consul",
                verify: false
            ),
            basicAuth: BasicAuth(user: "me", password: "a:b"),
            token: .value("t"),
            tokenOrigin: "CONSUL_HTTP_TOKEN"
        )
        #expect(consul.api == expected)
        #expect(consul.namespace == "team" && consul.partition == "part")
    }

    @Test func `a token file wins over a token, as in consul`() throws {
        let consul = try ConsulEnvironment(["CONSUL_HTTP_TOKEN": "t", "CONSUL_HTTP_TOKEN_FILE": "/token"])
        #expect(consul.api.token == .file(path: "/token"))
        #expect(consul.api.tokenName == "/token (CONSUL_HTTP_TOKEN_FILE)")
    }

    @Test func `Consul may be behind a socket or a proxy`() throws {
        #expect(
            try ConsulEnvironment(["CONSUL_HTTP_ADDR": "unix:///run/c.sock"]).api.address == .unix(path: "/run/c.sock")
        )
        let proxied = try ConsulEnvironment(["CONSUL_HTTP_ADDR": "https://proxy/consul/"]).api
        #expect(proxied.address == .https(host: "proxy", port: 443))
        #expect(proxied.pathPrefix == "/consul")
        let secure = try ConsulEnvironment(["CONSUL_HTTP_SSL": "1"]).api
        #expect(secure.address == .https(host: "127.0.0.1", port: 8500))
    }

    @Test func `Nomad's variables are all known`() throws {
        let nomad = try NomadEnvironment([
            "NOMAD_ADDR": "https://nomad.example:4646", "NOMAD_UNIX_ADDR": "unix:///secrets/api.sock",
            "NOMAD_REGION": "eu", "NOMAD_NAMESPACE": "team", "NOMAD_TOKEN": "t", "NOMAD_HTTP_AUTH": "me",
            "NOMAD_CACERT": "/ca.pem", "NOMAD_CAPATH": "/cas", "NOMAD_CLIENT_CERT": "/c.pem",
            "NOMAD_CLIENT_KEY": "/k.pem", "NOMAD_SKIP_VERIFY": "true", "NOMAD_TLS_SERVER_NAME": "server.global.nomad",
        ])
        let expected = APIConfiguration(
            product: .nomad,
            address: .https(host: "nomad.example", port: 4646),
            tls: TLSOptions(
                caFile: "/ca.pem",
                caDirectory: "/cas",
                certificateFile: "/c.pem",
                keyFile: "/k.pem",
                serverName: "server.global.nomad",
                verify: false
            ),
            basicAuth: BasicAuth(user: "me", password: ""),
            token: .value("t"),
            tokenOrigin: "NOMAD_TOKEN"
        )
        #expect(nomad.api == expected)
        #expect(nomad.region == "eu" && nomad.namespace == "team")
    }

    @Test func `a task asks through its socket, as who it is`() throws {
        let nomad = try NomadEnvironment([
            "NOMAD_UNIX_ADDR": "unix:///secrets/api.sock", "NOMAD_TOKEN": "ey.J", "NOMAD_REGION": "eu",
            "NOMAD_NAMESPACE": "team", "NOMAD_ALLOC_ID": "5d6f8a2b-0000-0000-0000-000000000000",
            "NOMAD_ADDR_http": "10.0.0.1:80", "NOMAD_SECRETS_DIR": "/secrets",
        ])
        #expect(nomad.api.address == .unix(path: "/secrets/api.sock") && nomad.api.token == .value("ey.J"))
        #expect(nomad.region == "eu" && nomad.namespace == "team")
    }

    @Test(arguments: [
        ["CONSUL_HTTP_ADDR": "ftp://x"], ["CONSUL_HTTP_ADDR": "http://me:sesame@x:1"], ["CONSUL_HTTP_SSL": "yes"],
        ["CONSUL_HTTP_SSL_VERIFY": "never"], ["CONSUL_CLIENT_KEY": "/k"], ["CONSUL_CLIENT_CERT": "/c"],
        ["CONSUL_HTTP_TOKEN": "two sesame"],
    ])
    func `a variable of Consul's that makes no sense is named`(environment: [String: String]) throws {
        let error = #expect(throws: EnvironmentError.self) { try ConsulEnvironment(environment) }
        let name = try #require(environment.keys.first)
        #expect(error?.description.contains(name) == true)
        #expect(error?.description.contains("sesame") == false)
    }

    @Test(arguments: [
        ["NOMAD_ADDR": "127.0.0.1:4646"], ["NOMAD_ADDR": "me:sesame@a"], ["NOMAD_UNIX_ADDR": "/secrets/api.sock"],
        ["NOMAD_SKIP_VERIFY": "no"], ["NOMAD_CLIENT_KEY": "/k"], ["NOMAD_TOKEN": "sesame\r\nX: y"],
    ])
    func `a variable of Nomad's that makes no sense is named`(environment: [String: String]) throws {
        let error = #expect(throws: EnvironmentError.self) { try NomadEnvironment(environment) }
        let name = try #require(environment.keys.first)
        #expect(error?.description.contains(name) == true)
        #expect(error?.description.contains("sesame") == false)
    }
}
