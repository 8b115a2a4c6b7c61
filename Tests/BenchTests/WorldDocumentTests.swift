// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import FoundationEssentials
import HashTreeCollections
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import Bench

@Suite struct WorldDocumentTests {
    @Test func `a document says everything`() throws {
        let document = try WorldDocument(
            text: """
                {
                  "services": [
                    {"name": "a/b", "connect_timeout_ms": 250, "endpoints": [{"address": "10.0.0.1", "port": 80}]}
                  ],
                  "listeners": [{"name": "l", "port": 10000, "route": "r"}],
                  "routes": [{"name": "r", "virtual_hosts": [
                    {"name": "v", "domains": ["x.example", "*"], "service": "nobody", "prefix": "/p"}
                  ]}]
                }
                """
        )
        var expected = WorldDocument()
        expected.services = [
            .init(name: "a/b", connectTimeoutMilliseconds: 250, endpoints: [.init(address: "10.0.0.1", port: 80)])
        ]
        expected.listeners = [.init(name: "l", port: 10_000, route: "r")]
        expected.routes = [
            .init(
                name: "r",
                virtualHosts: [.init(name: "v", domains: ["x.example", "*"], service: "nobody", prefix: "/p")]
            )
        ]
        #expect(document == expected)
    }

    @Test func `what is left out has a default`() throws {
        #expect(try WorldDocument(text: "{}") == WorldDocument())
        let document = try WorldDocument(
            text: """
                {"services": [{"name": "a"}],
                 "routes": [{"name": "r"}, {"name": "s", "virtual_hosts": [
                   {"name": "v", "domains": ["*"], "service": "a"}]}]}
                """
        )
        #expect(document.services == [.init(name: "a", connectTimeoutMilliseconds: 1_000, endpoints: [])])
        #expect(document.routes[0].virtualHosts.isEmpty)
        #expect(document.routes[1].virtualHosts[0].prefix == "/")
        #expect(document.listeners.isEmpty)
    }

    @Test func `what only Envoy minds goes to the wire as it stands`() throws {
        let document = try WorldDocument(
            text: """
                {"services": [{"name": "a", "connect_timeout_ms": 0, "endpoints": [{"address": "x", "port": 0}]},
                              {"name": "b", "connect_timeout_ms": null, "endpoints": null}],
                 "listeners": [{"name": "l", "port": 0, "route": "r"}],
                 "routes": [{"name": "r", "virtual_hosts": [
                   {"name": "v", "domains": [], "service": "a", "prefix": ""},
                   {"name": "w", "domains": [""], "service": "a", "prefix": null}]}]}
                """
        )
        #expect(document.services[0].connectTimeoutMilliseconds == 0)
        #expect(document.services[0].endpoints == [.init(address: "x", port: 0)])
        #expect(document.services[1] == .init(name: "b"))
        #expect(document.listeners[0].port == 0)
        #expect(document.routes[0].virtualHosts.map(\.domains) == [[], [""]])
        #expect(document.routes[0].virtualHosts.map(\.prefix) == ["", "/"])
    }

    @Test(arguments: [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("[]", "the document"),
        (#"{"service": []}"#, "service is not a key"),
        (#"{"services": {}}"#, "services: "),
        (#"{"services": [{}]}"#, "services[0].name is missing"),
        (#"{"services": [{"name": ""}]}"#, "services[0].name is empty"),
        (#"{"services": [{"name": 1}]}"#, "services[0].name: "),
        (#"{"services": [{"name": "a"}, {"name": "a"}]}"#, #"services: the name "a" is there twice"#),
        (#"{"services": [{"name": "a", "timeout": 1}]}"#, "services[0].timeout is not a key"),
        (#"{"services": [{"name": "a", "connect_timeout_ms": -1}]}"#, "connect_timeout_ms must be 0 to"),
        (#"{"services": [{"name": "a", "connect_timeout_ms": 1.5}]}"#, "not 1.5"),
        (#"{"services": [{"name": "a", "endpoints": [{"address": "1.2.3.4"}]}]}"#, "endpoints[0].port is missing"),
        (
            #"{"services": [{"name": "a", "endpoints": [{"address": "x", "port": 65536}]}]}"#,
            "endpoints[0].port must be"
        ),
        (#"{"listeners": [{"name": "l", "port": 1}]}"#, "listeners[0].route is missing"),
        (#"{"listeners": [{"name": "l", "port": -1, "route": "r"}]}"#, "listeners[0].port must be"),
        (#"{"routes": [{"name": "r", "virtual_hosts": [{"name": "v", "service": "s"}]}]}"#, "domains is missing"),
    ])
    func `a bad document is refused with a reason`(text: String, reason: String) throws {
        let error = #expect(throws: BadDocument.self) { try WorldDocument(text: text) }
        #expect(try #require(error).description.contains(reason))
    }

    @Test func `a synthetic fleet has what it is said to have`() throws {
        let document = WorldDocument(services: 300, endpoints: 2)
        #expect(document.services.map(\.name)[..<2] == ["service-00000", "service-00001"])
        #expect(document.services[299].name == "service-00299")
        #expect(Set(document.services.flatMap(\.endpoints)).count == 600)
        #expect(document.services[128].endpoints[1] == .init(address: "10.0.1.1", port: 8080))
        #expect(document.routes[0].virtualHosts[7].domains == ["service-00007.example.com"])
        #expect(WorldDocument(services: 0, endpoints: 10) == WorldDocument())

        let resources = document.resources
        #expect(resources[.cluster]?.count == 300)
        #expect(resources[.endpoints]?.count == 300)
        #expect(resources[.listener]?.keys.map(\.rawValue) == ["listener"])
        #expect(resources[.routeConfiguration]?.keys.map(\.rawValue) == ["routes"])
    }

    @Test func `equal content has equal versions, and a touch changes one`() throws {
        var document = WorldDocument(services: 10, endpoints: 3)
        let before = document.resources
        #expect(before == WorldDocument(services: 10, endpoints: 3).resources)
        #expect(document.touch(4)?.name == "service-00004")
        let after = document.resources
        let changed = before[.endpoints]?.keys.filter { before[.endpoints]?[$0] != after[.endpoints]?[$0] }
        #expect(changed?.map(\.rawValue) == ["service-00004"])
        #expect(after[.cluster] == before[.cluster])
        _ = document.touch(4)
        #expect(document.resources == before)
    }

    @Test(arguments: [1001, 8080, 8081]) func `a touch moves an endpoint away from its port and back`(port: UInt16) {
        var document = WorldDocument()
        document.services = [.init(name: "a", endpoints: [.init(address: "10.0.0.1", port: port)])]
        for _ in 1...2 {
            let touched = document.touch(0)?.endpoints[0].port
            #expect(touched != nil && touched != port)
            #expect(document.touch(0)?.endpoints[0].port == port)
        }
    }

    @Test func `there is nothing to touch outside of the list, or without endpoints`() {
        var document = WorldDocument(services: 2, endpoints: 1)
        document.services[1].endpoints = []
        let before = document
        #expect(document.touch(-1) == nil)
        #expect(document.touch(1) == nil)
        #expect(document.touch(2) == nil)
        #expect(document == before)
    }
}

extension WorldDocument {
    fileprivate init(text: String) throws { try self.init(json: Data(text.utf8)) }
}
