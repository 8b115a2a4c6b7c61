// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Documents

/// One fault, the document that has it, and what must be said of it: nothing more and nothing less.
struct FaultCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    let faults: [String]

    init(_ description: String, _ faults: String..., text: () -> String) {
        self.testDescription = description
        self.text = text()
        self.faults = faults
    }

    /// A rule of a route, from line 5 on, after `- `.
    static func rule(_ description: String, _ faults: String..., text: () -> String) -> FaultCase {
        let head = "kind: route\nname: web\ngateways: [edge]\nrules:\n"
        let lines = text().split(separator: "\n").enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
        return FaultCase(description, faults: faults, text: head + lines.joined(separator: "\n"))
    }

    /// An instance, on line 4.
    static func instance(_ fields: String, _ faults: String...) -> FaultCase {
        let text = "kind: service\nname: web\ninstances:\n- {\(fields)}"
        return FaultCase("instance {\(fields)}", faults: faults, text: text)
    }

    /// A listener, on line 5.
    static func listener(_ fields: String, _ faults: String...) -> FaultCase {
        let text = "kind: gateway\nname: edge\nproxies: {}\nlisteners:\n- {\(fields)}"
        return FaultCase("listener {\(fields)}", faults: faults, text: text)
    }

    private init(_ description: String, faults: [String], text: String) {
        self.testDescription = description
        self.text = text
        self.faults = faults
    }
}

struct FaultTests {
    @Test(
        arguments: Self.shape + Self.services + Self.gateways + Self.others
            + Self.routes + Self.matches + Self.actions + Self.edits + Self.policies
    )
    func `a fault is reported by its code and its line, and nothing else is`(fault: FaultCase) {
        let set = documents(fault.text)
        #expect(set.faults == fault.faults)
        #expect(set.names.isEmpty)
    }

    static let shape = [
        FaultCase("syntax error", "SB101:2") { "kind: service\nname: [web\n" },
        FaultCase("bad indentation", "SB101:3") { "kind: service\nname: web\n  instances: []" },
        FaultCase("tab for indentation", "SB101:4") { "kind: service\nname: web\ninstances:\n\t- {}" },
        FaultCase("unknown kind", "SB102:2") { "name: web\nkind: sevrice" },
        FaultCase("no kind", "SB103:1") { "name: web" },
        FaultCase("no name", "SB103:1") { "kind: service\ninstances: []" },
        FaultCase("a name that is a number", "SB105:2") { "kind: service\nname: 12\ninstances: []" },
        FaultCase("a name with a slash", "SB110:2") { "kind: service\nname: a/b\ninstances: []" },
        FaultCase("an empty name", "SB110:2") { "kind: service\nname: ''\ninstances: []" },
        FaultCase("a kind that is a list", "SB105:1") { "kind: [service]\nname: web" },
        FaultCase("a list for a document", "SB105:1") { "- kind: service" },
        FaultCase("a word for a document", "SB105:1") { "service" },
        FaultCase("an unknown field", "SB104:3") { "kind: service\nname: web\ninstance: []\ninstances: []" },
        FaultCase("a key twice", "SB109:4") { "kind: service\nname: web\ninstances: []\nname: web2" },
        FaultCase("a key twice in a flow mapping", "SB109:1") {
            "{kind: service, name: web, name: web, instances: []}"
        },
        FaultCase("a key twice in one of the items of a list", "SB109:7") {
            "kind: service\nname: web\ninstances:\n- address: 10.0.0.1\n  port: 1\n  weight: 1\n  \"port\": 2\n- port: 3"
        },
        FaultCase("raw resources are off by default", "SB115:1") {
            "kind: envoy-resource\nname: x\ngateways: [edge]\nresource: {'@type': t}"
        },
        FaultCase("several at once", "SB104:2", "SB105:4", "SB107:4", "SB104:5", "SB108:5", "SB106:6") {
            """
            kind: service
            colour: blue
            name: web
            instances: [{address: 10.0.0.1, port: 0, tags: [1]},
            {address: 10.0.0.2, port: 1, wieght: 2, health: ok},
            {address: 10.0.0.3}]
            """
        },
    ]

    static let services = [
        FaultCase("no instances", "SB106:1") { "kind: service\nname: web" },
        FaultCase("instances without a value", "SB105:3") { "kind: service\nname: web\ninstances:" },
        FaultCase("instances that are a mapping", "SB105:3") { "kind: service\nname: web\ninstances: {}" },
        .instance("port: 1", "SB106:4"),
        .instance("address: 10.0.0.1", "SB106:4"),
        .instance("address: localhost, port: 1", "SB110:4"),
        .instance("address: 10.0.0.256, port: 1", "SB110:4"),
        .instance("address: 10.0.0.1, port: '1'", "SB105:4"),
        .instance("address: 10.0.0.1, port: 1.5", "SB105:4"),
        .instance("address: 10.0.0.1, port: 0x50", "SB105:4"),
        .instance("address: 10.0.0.1, port: 0", "SB107:4"),
        .instance("address: 10.0.0.1, port: 65536", "SB107:4"),
        .instance("address: 10.0.0.1, port: 99999999999999999999", "SB107:4"),
        .instance("address: 10.0.0.1, port: 1, weight: -1", "SB107:4"),
        .instance("address: 10.0.0.1, port: 1, weight: 65536", "SB107:4"),
        .instance("address: 10.0.0.1, port: 1, tags: stable", "SB105:4"),
        .instance("address: 10.0.0.1, port: 1, tags: ['']", "SB107:4"),
        .instance("address: 10.0.0.1, port: 1, meta: {version: 1.10}", "SB105:4"),
        .instance("address: 10.0.0.1, port: 1, meta: {canary: yes}", "SB105:4"),
        .instance("address: 10.0.0.1, port: 1, meta: [a]", "SB105:4"),
        .instance("address: 10.0.0.1, port: 1, health: pasing", "SB108:4"),
        .instance("address: 10.0.0.1, port: 1, locality: {subzone: a}", "SB104:4"),
        .instance("address: 10.0.0.1, port: 1, id: ''", "SB107:4"),
        .instance("address: 10.0.0.1, port: 1, locality: {zone: \"a\\0\"}", "SB110:4"),
        FaultCase("two instances with one id", "SB116:5") {
            "kind: service\nname: web\ninstances:\n- {id: a, address: 10.0.0.1, port: 1}\n- {id: a, address: 10.0.0.2, port: 1}"
        },
        FaultCase("two instances with one address and port", "SB116:5") {
            "kind: service\nname: web\ninstances:\n- {address: 10.0.0.1, port: 1}\n- {address: 10.0.0.1, port: 1}"
        },
        FaultCase("two instances with one address in two forms", "SB116:5") {
            "kind: service\nname: web\ninstances:\n- {address: \"::1\", port: 1}\n- {address: \"0:0::1\", port: 1}"
        },
    ]

    static let gateways = [
        FaultCase("no proxies", "SB106:1") { "kind: gateway\nname: edge\nlisteners: [{name: a, port: 1}]" },
        FaultCase("no listeners", "SB106:1") { "kind: gateway\nname: edge\nproxies: {}" },
        FaultCase("an empty list of listeners", "SB107:4") { "kind: gateway\nname: edge\nproxies: {}\nlisteners: []" },
        FaultCase("an empty list of proxies", "SB107:3") {
            "kind: gateway\nname: edge\nproxies: {ids: []}\nlisteners: [{name: a, port: 1}]"
        },
        FaultCase("a * in the middle", "SB110:3") {
            "kind: gateway\nname: edge\nproxies: {ids: [\"*-edge\"]}\nlisteners: [{name: a, port: 1}]"
        },
        FaultCase("a delivery that is none", "SB108:5") {
            "kind: gateway\nname: edge\nproxies: {}\nlisteners: [{name: a, port: 1}]\nvirtual_hosts: lazy"
        },
        .listener("name: a", "SB106:5"),
        .listener("port: 1", "SB106:5"),
        .listener("name: a/b, port: 1", "SB110:5"),
        .listener("name: a, port: 1, address: example.com", "SB110:5"),
        .listener("name: a, port: 1, protocol: https", "SB108:5"),
        .listener("name: a, port: 1, protocol: proxyless", "SB112:5"),
        .listener("name: a, address: 0.0.0.0, protocol: proxyless", "SB112:5"),
        FaultCase("two listeners with one name", "SB116:6") {
            "kind: gateway\nname: edge\nproxies: {}\nlisteners:\n- {name: a, port: 1}\n- {name: a, port: 2}"
        },
        FaultCase("two listeners on one address and port", "SB116:6") {
            """
            kind: gateway
            name: edge
            proxies: {}
            listeners:
            - {name: a, port: 1, address: "::1"}
            - {name: b, port: 1, address: "0:0::0:1"}
            """
        },
    ]

    static let others = [
        FaultCase("a protocol", "SB108:3") { "kind: service-defaults\nname: web\nprotocol: tcp" },
        FaultCase("a connect timeout of nothing", "SB107:3") {
            "kind: service-defaults\nname: web\nconnectTimeout: 0s"
        },
        FaultCase("a connect timeout over a day", "SB107:3") {
            "kind: service-defaults\nname: web\nconnectTimeout: 25h"
        },
        FaultCase("a policy", "SB108:3") { "kind: service-defaults\nname: web\nloadBalancer: {policy: roundrobin}" },
        FaultCase("a limit", "SB107:3") {
            "kind: service-defaults\nname: web\ncircuitBreaker: {maxConnections: 4294967296}"
        },
        FaultCase("a subset in the defaults", "SB104:3") { "kind: service-defaults\nname: web\nsubset: {}" },
    ]
}

struct CureTests {
    @Test(arguments: [
        ("kind: sevrice\nname: a", "did you mean service?"),
        ("kind: service\nname: a\ninstances: []\nInstance: 1", "did you mean instances?"),
        ("kind: service-defaults\nname: a\nprotocol: htp", "did you mean http?"),
        (
            "kind: service-defaults\nname: a\nfoo: htp",
            "remove it; the fields are kind, name, protocol, connectTimeout, "
                + "loadBalancer, circuitBreaker"
        ),
        ("kind: service\nname: a\ninstances: [{address: 10.0.0.1, port: '80'}]", "remove the quotes"),
        (
            "kind: service\nname: a\ninstances: [{address: 10.0.0.1, port: 80, tags: [yes]}]",
            "put it in quotes: \"yes\""
        ),
    ])
    func `the cure says what to write`(text: String, cure: String) {
        #expect(documents(text).diagnostics.map(\.cure) == [cure])
    }

    @Test func `a diagnostic names the document and what is allowed`() {
        let set = documents("kind: service\nname: web\ninstances: [{address: 10.0.0.1, port: 1, health: ok}]")
        #expect(set.diagnostics.map(\.subject) == ["service/web"])
        #expect(
            set.diagnostics.map(\.message) == [
                "health must be one of passing, warning, critical and is \"ok\""
            ]
        )
    }

    @Test func `hostile text does not break a message into lines`() {
        let set = documents("kind: \"a\\n\\e[31mb\"\nname: web")
        #expect(set.diagnostics.map(\.message) == ["there is no kind \"a\\n\\u{1B}[31mb\""])
    }

    @Test(arguments: [
        ("htp", "http"), ("HTTP", "http"), ("grcp", "grpc"), ("x", nil), ("entirely", nil), ("", nil),
    ])
    func `a word is guessed if it is near`(word: String, guess: String?) {
        #expect(Spelling.nearest(to: word, among: ["http", "http2", "grpc"]) == guess)
    }
}
