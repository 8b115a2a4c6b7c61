// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import Testing

@testable import Discovery

struct ConsulReaderTests {
    private static func read(
        _ body: String,
        to subject: ConsulQuery.Subject,
        status: Int = 200
    ) throws(ConsulFailure) -> ConsulAnswer.Content {
        let response = APIResponse(status: status, index: 7, body: ByteBuffer(string: body))
        return try ConsulReader(ConsulConfiguration()).read(response, to: ConsulQuery(subject)).content
    }

    /// The link compares its index with those of the lists.
    @Test func `an index of 0 counts as 1 wherever it is compared`() throws {
        let response = APIResponse(status: 200, index: 0, body: ByteBuffer(string: "null"))
        let answer = try ConsulReader(ConsulConfiguration()).read(response, to: ConsulQuery(.server(node: "n")))
        var followed = FollowedIndex()
        _ = followed.answered(0)
        #expect(answer.index == followed.value)
    }

    @Test func `names come with their tags in order`() throws {
        let content = try Self.read(#"{"consul": [], "web": ["v2", "v1"], "db": null}"#, to: .services)
        guard case .services(let services) = content else { throw Unexpected() }
        #expect(services == ["consul": [], "web": ["v1", "v2"], "db": []])
    }

    /// What cannot be read would seem to be gone.
    @Test(arguments: [#"{"consul": [], "web": 5}"#, "[]", "", "<html>", #"{"consul": [], "#, "5"])
    func `a list of names that cannot be read in full is none`(body: String) {
        #expect(throws: ConsulFailure.self) { try Self.read(body, to: .services) }
    }

    @Test(arguments: [
        ("null", false), (#"{"Node": {}, "Services": {}}"#, false), (#"{"Node": null, "Services": null}"#, false),
        (#"{"Node": {}, "Services": {"consul": {"ID": "consul"}}}"#, true),
    ])
    func `whether a server is seen`(body: String, isSeen: Bool) throws {
        guard case .server(let isVisible) = try Self.read(body, to: .server(node: "n")) else { throw Unexpected() }
        #expect(isVisible == isSeen)
    }

    @Test(arguments: [
        ("null", true, true), ("null", false, false), (#"{"Node": {}, "Services": {}}"#, true, false),
        (#"{"Node": {}, "Services": {}}"#, false, false),
    ])
    func `a node that is left out because of the rights is there`(body: String, isFiltered: Bool, isThere: Bool) throws
    {
        let response = APIResponse(status: 200, index: 7, isFiltered: isFiltered, body: ByteBuffer(string: body))
        let query = ConsulQuery(.unreadable(node: "n"))
        let content = try ConsulReader(ConsulConfiguration()).read(response, to: query).content
        guard case .presence(let presence) = content else { throw Unexpected() }
        #expect(presence == isThere)
    }

    @Test func `checks are told apart by node, ID and instance`() throws {
        let body = """
            [{"Node": "n", "CheckID": "serfHealth", "Status": "critical", "ServiceID": "", "ServiceName": ""},
             {"Node": "n", "CheckID": "c", "Status": "critical", "ServiceID": "web-1", "ServiceName": "web"},
             {"Node": 5}]
            """
        guard case .checks(let checks) = try Self.read(body, to: .checks(.critical)) else { throw Unexpected() }
        #expect(
            checks == [
                ConsulCheckKey(node: "n", check: "serfHealth", service: "", serviceID: ""),
                ConsulCheckKey(node: "n", check: "c", service: "web", serviceID: "web-1"),
            ]
        )
    }

    @Test func `a service of which nothing can be read was not read`() {
        #expect(throws: ConsulFailure.self) { try Self.read(#"[{"Node": 5}]"#, to: .service("web")) }
    }

    @Test func `config entries are kept byte for byte`() throws {
        let entry = #"{"Kind": "service-router",  "Name": "web", "Routes": [{"a": "]"}], "ModifyIndex": 5}"#
        guard case .entries(let entries, _) = try Self.read("[\(entry)]", to: .entries(kind: "service-router")) else {
            throw Unexpected()
        }
        #expect(entries.map(\.key) == [ConfigEntry.Key(kind: "service-router", name: "web")])
        #expect(entries.first.map { String(decoding: $0.json, as: UTF8.self) } == entry)
        #expect(entries.first?.origin.description == "consul:config/service-router/web")
    }

    @Test func `keys are documents, and folders are not`() throws {
        let body = """
            [{"Key": "sb/", "Value": null, "ModifyIndex": 1}, {"Key": "sb/a.yaml", "Value": "a2luZA==", "ModifyIndex": 2}]
            """
        guard case .keys(let keys) = try Self.read(body, to: .keys(prefix: "sb/")) else { throw Unexpected() }
        #expect(keys == ["sb/a.yaml": ConsulKey(index: 2, value: Array("kind".utf8))])
    }

    @Test func `a prefix that is not found has no keys`() throws {
        guard case .keys(let keys) = try Self.read("", to: .keys(prefix: "sb/"), status: 404) else {
            throw Unexpected()
        }
        #expect(keys.isEmpty)
    }

    /// Consul takes names that differ in case only for the same.
    @Test(arguments: [
        ("null", false), ("[]", false), (#"[{"ServiceName": "web"}]"#, false),
        (#"[{"ServiceName": "web"}, {"ServiceName": "Web"}]"#, true), (#"[{"ServiceName": 5}]"#, true),
    ])
    func `a service is there if an instance has its very name`(body: String, isThere: Bool) throws {
        guard case .presence(let presence) = try Self.read(body, to: .instances("Web")) else { throw Unexpected() }
        #expect(presence == isThere)
    }

    @Test(arguments: [
        (200, #"{"Kind": "service-router", "Name": "Web"}"#, true), (200, #"{"Name": "web"}"#, false), (404, "", false),
        (200, #"{"Name": 5}"#, true),
    ])
    func `a config entry is there if it has its very name`(status: Int, body: String, isThere: Bool) throws {
        let entry = ConsulQuery.Subject.entry(.init(kind: "service-router", name: "Web"))
        guard case .presence(let presence) = try Self.read(body, to: entry, status: status) else { throw Unexpected() }
        #expect(presence == isThere)
    }

    @Test func `requests carry what they must`() {
        let local = ConsulQuery(.services).request(filter: nil)
        #expect(local.path == "/v1/catalog/services")
        #expect(local.query == ["consistent"])
        var query = ConsulQuery(.service("a b"), datacenter: "dc2", index: 5, wait: .seconds(10))
        query.scope = ConsulScope(namespace: "ns1", partition: "p1")
        let request = query.request(filter: "Service.Meta.version == 1")
        #expect(request.path == "/v1/health/service/a b")
        #expect(
            request.query == [
                "consistent", .init("dc", "dc2"), .init("index", "5"), .init("wait", "10s"),
                .init("filter", "Service.Meta.version == 1"), .init("ns", "ns1"), .init("partition", "p1"),
            ]
        )
        #expect(request.deadline > .seconds(10) + .seconds(10) / 16)
        // The servers are in the default namespace.
        query.subject = .servers
        #expect(!query.request(filter: nil).query.contains(.init("ns", "ns1")))
    }

    private struct Unexpected: Error {}
}
