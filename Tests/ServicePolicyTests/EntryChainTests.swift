// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// What becomes of a rule that sends everything to `web`.
struct EntryChainTests {
    private static let subsets = entry(
        "service-resolver",
        "web",
        #"""
        {"Subsets": {"v1": {"Filter": "Service.Meta.version == v1"}, "v2": {"Filter": "Service.Meta.version == v2"}}}
        """#
    )

    private static func splitter(_ name: String = "web", _ splits: String) -> ConfigEntry {
        entry("service-splitter", name, #"{"Splits": [\#(splits)]}"#)
    }

    private static func router(_ routes: String) -> ConfigEntry {
        entry("service-router", "web", #"{"Routes": [\#(routes)]}"#)
    }

    @Test func `without entries the policy stays as it is`() {
        var sample = ChainSample([])
        let before = sample.policy
        #expect(sample.applied.policy == before)
        sample.entries = [
            EntryFixtures.router, EntryFixtures.splitter, EntryFixtures.resolver, EntryFixtures.proxyDefaults,
        ]
        #expect(sample.applied.policy != before)
        sample.entries = []
        #expect(sample.applied.policy == before)
    }

    @Test func `entries of services without a route change no route`() {
        let sample = ChainSample([
            entry("service-router", "other", #"{"Routes": [{"Match": {"HTTP": {"PathExact": "/b"}}}]}"#),
            Self.splitter("other", #"{"Weight": 100, "Service": "web"}"#),
        ])
        #expect(sample.applied.policy == sample.policy)
    }

    @Test func `the entries that Consul answers make a chain`() {
        let sample = ChainSample(
            datacenters: ["dc1", "dc2", "dc3"],
            [EntryFixtures.router, EntryFixtures.splitter, EntryFixtures.resolver, EntryFixtures.redirect]
        )
        let headers =
            #"x-debug exact("1") !x-p prefix("a") x-s suffix("b") x-r regularExpression("[a-z]+") x-there present"#
        let query = #"q exact("1") r regularExpression("[0-9]+") t present"#
        let retry = #"text /; 5.0 seconds; 3x ["connect-failure"] [502, 503]"#
        #expect(
            sample.lines == [
                "GET /admin* \(headers) \(query) -> admin; \(retry)",
                "PUT /admin* \(headers) \(query) -> admin; \(retry)",
                "=/exact -> web[version=v2]!@dc1",
                "~/v[0-9]+/x -> other",
                "-> web[version=v1]@9000, web[version=v2]!@dc1@999, other",
            ]
        )
        let v1 = TargetID(service: ServiceName("web"), subset: Subset(meta: ["version": "v1"]))
        let v2 = TargetID(
            service: ServiceName("web"),
            subset: Subset(meta: ["version": "v2"], onlyPassing: true, datacenters: ["dc1"])
        )
        #expect(sample.applied.policy.failovers[v1]?.map(\.line) == ["backup"])
        #expect(
            sample.applied.policy.failovers[v2]?.map(\.line)
                == ["other@dc2", "other@dc3"]
        )
        #expect(sample.applied.policy.serviceDefaults[ServiceName("web")]?.connectTimeout == .seconds(15))
        #expect(sample.applied.diagnostics == [])
        #expect(
            sample.applied.missing(in: Catalog([chainService("web", []), chainService("admin", [])])).findings
                == ["warning SB336 service-resolver/web", "warning SB336 service-resolver/web"]
        )
    }

    @Test func `a redirect takes service, subset and datacenter along`() {
        var sample = ChainSample(
            rules: [chainRule(to: ["moved"])],
            datacenters: ["dc1", "dc2"],
            [
                EntryFixtures.redirect, EntryFixtures.resolver,
            ]
        )
        #expect(sample.lines == ["-> web[version=v2]!@dc2"])
        sample.entries = [
            entry("service-resolver", "moved", #"{"Redirect": {"Service": "web"}}"#), EntryFixtures.resolver,
        ]
        #expect(sample.lines == ["-> web[version=v1]"], "the default subset is that of the service it leads to")
    }

    @Test func `splitters in splitters are multiplied`() {
        let sample = ChainSample([
            Self.splitter("web", #"{"Weight": 50}, {"Weight": 50, "Service": "api"}"#),
            Self.splitter(
                "api",
                #"{"Weight": 90, "Service": "a"}, {"Weight": 10, "Service": "web", "ServiceSubset": "v1"}"#
            ),
            Self.subsets,
        ])
        #expect(sample.lines == ["-> web@50, a@45, web[version=v1]@5"])
    }

    @Test func `a rule's weights are multiplied by those of the splitters`() throws {
        let sample = ChainSample(
            rules: [chainRule(to: ["web", "api"])],
            [
                Self.splitter(
                    "web",
                    #"{"Weight": 99.99, "ServiceSubset": "v1"}, {"Weight": 0.01, "ServiceSubset": "v2"}"#
                ),
                Self.subsets,
            ]
        )
        #expect(sample.lines == ["-> web[version=v1]@9999, web[version=v2], api@10000"])
    }

    @Test func `weights that are too many keep their proportions`() throws {
        var rule = chainRule(to: ["web", "api"])
        guard case .forward(var forward) = rule.action else { return }
        forward.backends[0].weight = 1_000_000
        forward.backends[1].weight = 500_000
        rule.action = .forward(forward)
        let sample = ChainSample(
            rules: [rule],
            [
                Self.splitter(
                    "web",
                    #"{"Weight": 75.5, "ServiceSubset": "v1"}, {"Weight": 24.5, "ServiceSubset": "v2"}"#
                ),
                Self.subsets,
            ]
        )
        #expect(sample.lines == ["-> web[version=v1]@755000, web[version=v2]@245000, api@500000"])
    }

    @Test func `a split's headers go with it`() throws {
        let sample = ChainSample([
            Self.splitter(
                "web",
                #"{"Weight": 50, "Service": "a", "RequestHeaders": {"Set": {"X-Part": "a"}}}, {"Weight": 50, "Service": "b"}"#
            )
        ])
        guard case .forward(let forward) = sample.applied.policy.routes[RouteName("shop")]?.rules[0].action else {
            Issue.record("no forward")
            return
        }
        #expect(forward.backends.map(\.requestHeaders.set) == [[.init(name: "x-part", value: "a")], []])
    }

    @Test func `a backend with a subset of its own stays as it is`() {
        var sample = ChainSample([EntryFixtures.router, EntryFixtures.splitter, EntryFixtures.resolver])
        guard case .forward(var forward) = sample.policy.routes[RouteName("shop")]?.rules[0].action else { return }
        forward.backends[0].subset = Subset(tags: ["stable"])
        sample.policy.routes[RouteName("shop")]?.rules[0].action = .forward(forward)
        #expect(sample.lines == ["-> web#stable"])
    }

    @Test func `a rule's timeout and retries come before the router's and the resolver's`() {
        let entries = [
            Self.router(
                #"""
                {"Match": {"HTTP": {"PathExact": "/a"}},
                 "Destination": {"RequestTimeout": "2s", "RetryOn": ["reset"], "NumRetries": 2}},
                {"Match": {"HTTP": {"PathExact": "/b"}}}
                """#
            ),
            entry("service-resolver", "web", #"{"RequestTimeout": "3s"}"#),
        ]
        #expect(
            ChainSample(entries).lines == [
                #"=/a -> web; 2.0 seconds; 2x ["reset"] []"#, "=/b -> web; 3.0 seconds", "-> web; 3.0 seconds",
            ]
        )
        let rule = chainRule(timeout: .seconds(1), retry: Retry(attempts: 9, retryOn: ["5xx"]))
        let own = #"1.0 seconds; 9x ["5xx"] []"#
        #expect(
            ChainSample(rules: [rule], entries).lines == ["=/a -> web; \(own)", "=/b -> web; \(own)", "-> web; \(own)"]
        )
    }

    @Test func `no timeout of a router's route comes before the resolver's`() {
        let sample = ChainSample([
            Self.router(
                #"{"Match": {"HTTP": {"PathExact": "/a"}}, "Destination": {"RequestTimeout": "-1s", "IdleTimeout": "-1s"}}"#
            ),
            entry("service-resolver", "web", #"{"RequestTimeout": "3s"}"#),
        ])
        #expect(sample.lines == ["=/a -> web; 0.0 seconds", "-> web; 3.0 seconds"])
    }

    @Test func `routes keep the router's order before the rule's own action, and the rule its place`() throws {
        let sample = ChainSample(
            rules: [chainRule([Match(path: .prefix("/a"))]), chainRule([Match(path: .prefix("/a/b"))], to: ["api"])],
            [
                Self.router(
                    #"""
                    {"Match": {"HTTP": {"Header": [{"Name": "x", "Present": true}]}}, "Destination": {"Service": "one"}},
                    {"Match": {"HTTP": {"PathPrefix": "/a/b/c"}}, "Destination": {"Service": "two"}}
                    """#
                )
            ]
        )
        let host = try #require(sample.topology().gateways[GatewayName("edge")]?.listeners[0].virtualHosts[0])
        let order = host.entries.map { "\($0.ruleIndex)/\($0.refinementIndex.map(String.init) ?? "own")" }
        #expect(order == ["1/own", "0/0", "0/1", "0/own"])
    }

    @Test func `a router is not used where a rule has several backends, and the splitter is`() {
        let sample = ChainSample(
            rules: [chainRule(to: ["web", "api"])],
            [EntryFixtures.router, EntryFixtures.splitter, EntryFixtures.resolver]
        )
        #expect(sample.lines == ["-> web[version=v1]@9000, web[version=v2]!@999, other, api@10000"])
        #expect(sample.applied.diagnostics.findings.contains("warning SB338 service-router/web"))
    }

    @Test func `a rule's matches are kept, and methods that exclude each other are no route`() {
        let match = Match(path: .prefix("/a"), method: "GET", headers: [.init(name: "h", value: .present)])
        let sample = ChainSample(
            rules: [chainRule([match])],
            [
                Self.router(
                    #"""
                    {"Match": {"HTTP": {"Methods": ["PUT"]}}, "Destination": {"Service": "one"}},
                    {"Match": {"HTTP": {"Methods": ["get", "PUT"], "QueryParam": [{"Name": "q", "Exact": "1"}]}},
                     "Destination": {"Service": "two"}},
                    {"Match": {"HTTP": {"PathPrefix": "/b"}}, "Destination": {"Service": "three"}}
                    """#
                )
            ]
        )
        #expect(sample.lines == [#"GET /a/* h present q exact("1") -> two"#, "-> web"])
        #expect(sample.applied.diagnostics.findings == Array(repeating: "warning SB337 service-router/web", count: 2))
    }

    @Test func `hosts count, and what tags say takes nothing from documents`() throws {
        let routes = (0..<150).map { #"{"Match": {"HTTP": {"PathExact": "/\#($0)"}}}"# }.joined(separator: ",")
        var sample = ChainSample([Self.router(routes)])
        let shop = try #require(sample.policy.routes[RouteName("shop")])
        func add(_ name: String, hosts: Int) {
            var route = shop
            route.name = RouteName(name)
            route.hostnames = (0..<hosts).map { "h\($0).example.com" }
            sample.policy.routes[route.name] = route
        }
        add("a@tags", hosts: 100)
        add("shop", hosts: 20)
        let applied = sample.applied
        let counts = applied.policy.routes.mapValues { $0.rules.map(\.refinements.count) }
        #expect(counts == [RouteName("shop"): [150], RouteName("a@tags"): [70]])
        #expect(applied.diagnostics.findings == ["error SB333 service-router/web"])
        #expect(applied.diagnostics.first?.message.hasSuffix("the rest of rule 1 of route/a@tags is left out") == true)
    }

    @Test func `a path that cannot be expressed costs its route only, and is said`() {
        let sample = ChainSample(
            rules: [chainRule([Match(path: .prefix("/a"))])],
            [
                Self.router(
                    #"""
                    {"Match": {"HTTP": {"PathRegex": "/.*"}}, "Destination": {"Service": "one"}},
                    {"Match": {"HTTP": {"PathPrefix": "/a/x"}}, "Destination": {"Service": "two"}}
                    """#
                )
            ]
        )
        #expect(sample.lines == ["/a/x* -> two", "-> web"])
        #expect(sample.applied.diagnostics.findings == ["error SB333 service-router/web"])
        #expect(sample.applied.diagnostics[0].message.contains("rule 1 of route/shop"))
    }

    @Test(arguments: [
        [
            Self.splitter("web", #"{"Weight": 100, "Service": "api"}"#),
            Self.splitter("api", #"{"Weight": 100, "Service": "web"}"#),
        ],
        [
            entry("service-resolver", "web", #"{"Redirect": {"Service": "api"}}"#),
            entry("service-resolver", "api", #"{"Redirect": {"Service": "web"}}"#),
        ],
        [entry("service-resolver", "web", #"{"DefaultSubset": "none"}"#)],
        [Self.splitter("web", #"{"Weight": 100, "ServiceSubset": "none"}"#)],
        [Self.splitter("web", #"{"Weight": 100, "ServiceSubset": "none"}"#), Self.subsets],
        [Self.router(#"{"Destination": {"ServiceSubset": "none"}}"#), Self.subsets],
    ])
    func `what cannot be followed is as if it were not written, and is said`(entries: [ConfigEntry]) {
        let sample = ChainSample(entries)
        #expect(sample.lines == ["-> web"])
        #expect(sample.applied.diagnostics.map(\.code) == ["SB334"])
    }

    @Test func `splits of the requests are bounded`() {
        let many = (0..<300).map { #"{"Weight": 0.1, "Service": "s\#($0)"}"# }.joined(separator: ",")
        let sample = ChainSample([Self.splitter("web", many)])
        #expect(sample.lines == ["-> web"])
        #expect(sample.applied.diagnostics.map(\.code) == ["SB334"])
    }

    @Test func `what a rule splits to is bounded, and a splitter beyond that is passed by alone`() {
        let services = (0..<12).map { "s\($0)" }
        let splitters = services.map { service in
            let splits = (0..<100).map { #"{"Weight": 1, "Service": "\#(service)-\#($0)"}"# }
            return Self.splitter(service, splits.joined(separator: ","))
        }
        let resolver = entry(
            "service-resolver",
            "s11",
            #"{"DefaultSubset": "v1", "Subsets": {"v1": {"Filter": "Service.Meta.version == v1"}}}"#
        )
        let sample = ChainSample(rules: [chainRule(to: services)], splitters + [resolver])
        #expect(sample.lines[0].hasSuffix("s9-98, s9-99, s10@100, s11[version=v1]@100"))
        #expect(
            sample.applied.diagnostics.findings == [
                "error SB334 service-splitter/s10", "error SB334 service-splitter/s11",
            ]
        )
    }

    @Test(arguments: [(4, true), (5, false)])
    func `headers that the splitters on the way edit are bounded`(depth: Int, isUsed: Bool) {
        let splitters = (0..<depth).map { level in
            let headers = (0..<100).map { #""x-\#(level)-\#($0)": "v""# }.joined(separator: ",")
            return Self.splitter(
                level == 0 ? "web" : "s\(level)",
                #"{"Weight": 100, "Service": "s\#(level + 1)", "RequestHeaders": {"Add": {\#(headers)}}}"#
            )
        }
        let sample = ChainSample(splitters)
        #expect(sample.lines == [isUsed ? "-> s\(depth)" : "-> web"])
        #expect(sample.applied.diagnostics.map(\.code) == (isUsed ? [] : ["SB334"]))
    }
}
