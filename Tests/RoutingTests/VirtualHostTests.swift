// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

struct VirtualHostTests {
    private let catalog = Catalog([service("web"), service("api")])

    @Test func `routes are merged by hostname over all documents`() {
        let (topology, diagnostics) = compile(
            catalog: self.catalog,
            policy: policy(routes: [
                route("web", hostnames: ["web.example.com", "*.example.org"]),
                route("api", hostnames: ["web.example.com"], rules: [rule([Match(path: .prefix("/api"))])]),
                route("rest"),
            ])
        )
        #expect(
            topology.summary == [
                "edge/http * rest/0/0",
                "edge/http *.example.org web/0/0",
                "edge/http web.example.com api/0/0 web/0/0",
            ]
        )
        #expect(diagnostics.isEmpty)
    }

    @Test func `a route attaches to the listeners that it names, and once to each`() {
        let (topology, diagnostics) = compile(
            catalog: self.catalog,
            policy: policy(
                gateways: [gateway("edge", listeners: ["b", "a"]), gateway("inner"), gateway("lone")],
                routes: [
                    route("all", gateways: ["edge", "edge/a", "gone"]),
                    route("one", gateways: ["edge/b", "inner"]),
                ]
            )
        )
        #expect(
            topology.summary == [
                "edge/a * all/0/0",
                "edge/b * all/0/0",
                "inner/http * one/0/0",
                "lone/http",
            ]
        )
        #expect(diagnostics.findings == ["warning SB205 route.yaml:10 route/one"])
    }

    @Test func `of two routes with the same match the later is dropped, with a warning at its rule`() {
        let match = Match(
            path: .prefix("/a"),
            headers: [.init(name: "x", value: .present), .init(name: "y", value: .exact("1"))]
        )
        let reordered = Match(path: .prefix("/a"), headers: match.headers.reversed())
        let (topology, diagnostics) = compile(
            catalog: self.catalog,
            policy: policy(routes: [
                route("b", hostnames: ["h"], rules: [rule([reordered], to: [backend("api")], line: 7)]),
                route("a", hostnames: ["h"], rules: [rule([match])]),
                route("c", hostnames: ["other"], rules: [rule([match])]),
            ])
        )
        #expect(topology.summary == ["edge/http h a/0/0", "edge/http other c/0/0"])
        #expect(diagnostics.findings == ["warning SB205 route.yaml:7 route/b"])
        #expect(diagnostics.first?.message.contains("route/a") == true)
        // What nothing leads to any more is no target.
        #expect(topology.gateways[GatewayName("edge")]?.targets.keys.map(\.service.rawValue) == ["web"])
    }

    @Test func `the same match twice in one route is dropped too, and told once for all listeners`() {
        let (topology, diagnostics) = compile(
            catalog: self.catalog,
            policy: policy(
                gateways: [gateway("edge", listeners: ["a", "b"])],
                routes: [route("web", rules: [rule(), rule([], line: 20)])]
            )
        )
        #expect(topology.summary == ["edge/a * web/0/0", "edge/b * web/0/0"])
        #expect(diagnostics.findings == ["warning SB205 route.yaml:20 route/web"])
    }

    @Test func `a resource in the proxy's own words goes to the gateways that it names`() {
        let origin = Origin(file: "raw.yaml", line: 1)
        let raw = ["b", "a"].map {
            RawResource(name: $0, gateways: [GatewayName("edge"), GatewayName("edge")], json: "{}", origin: origin)
        }
        let (topology, _) = compile(
            catalog: self.catalog,
            policy: policy(gateways: [gateway("edge"), gateway("inner")], raw: raw)
        )
        #expect(topology.gateways[GatewayName("edge")]?.rawResources.map(\.name) == ["a", "b"])
        #expect(topology.gateways[GatewayName("inner")]?.rawResources == [])
    }
}

extension Topology {
    /// A line per virtual host, "gateway/listener hostname route/rule/match ..."; a bare one for a listener without.
    fileprivate var summary: [String] {
        self.gateways.values.sorted { $0.name < $1.name }.flatMap { gateway in
            gateway.listeners.flatMap { listener in
                let name = "\(gateway.name)/\(listener.listener.name)"
                let hosts = listener.virtualHosts.map { host in
                    let entries = host.entries.map { "\($0.route)/\($0.ruleIndex)/\($0.matchIndex)" }
                    return ([name, host.hostname] + entries).joined(separator: " ")
                }
                return hosts.isEmpty ? [name] : hosts
            }
        }
    }
}
