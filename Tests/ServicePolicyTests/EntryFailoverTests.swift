// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// From entries to the endpoints of a target.
struct EntryFailoverTests {
    private static let services = [
        chainService(
            "web",
            [
                chainInstance("1", port: 1, meta: ["version": "v1"], datacenter: "dc1"),
                chainInstance("2", port: 2, meta: ["version": "v2"], datacenter: "dc1"),
                chainInstance("3", port: 3, meta: ["version": "v1"], datacenter: "dc1", health: .warning),
                chainInstance("4", port: 4, meta: ["version": "v1"], datacenter: "dc2"),
                chainInstance("5", port: 5, meta: ["version": "v1"], datacenter: "dc3"),
            ]
        ),
        chainService("backup", [chainInstance("9", port: 9, datacenter: "dc1")]),
    ]

    /// Ports by priority, of the only target.
    private static func levels(
        _ json: String,
        datacenters: [String] = ["dc1", "dc2", "dc3"]
    ) throws -> [[UInt16]] {
        let sample = ChainSample(datacenters: datacenters, [entry("service-resolver", "web", json)])
        #expect(sample.read.diagnostics == [])
        let targets = sample.topology(Self.services).gateways[GatewayName("edge")]?.targets ?? [:]
        let target = try #require(targets.values.first)
        #expect(targets.count == 1)
        return Dictionary(grouping: target.endpoints, by: \.priority).sorted { $0.key < $1.key }.map { level in
            level.value.flatMap(\.endpoints).map(\.port)
        }
    }

    @Test(
        arguments: [
            ("{}", [[1, 2, 3], [4], [5]]),
            (
                #"{"DefaultSubset": "s", "Subsets": {"s": {"Filter": "Service.Meta.version == v1"}}}"#,
                [[1, 3], [4], [5]]
            ),
            (#"{"DefaultSubset": "s", "Subsets": {"s": {"OnlyPassing": true}}}"#, [[1, 2], [4], [5]]),
            (#"{"Redirect": {"Datacenter": "dc2"}}"#, [[4]]),
            (#"{"Failover": {"*": {"Datacenters": ["dc3", "dc2"]}}}"#, [[1, 2, 3], [5], [4]]),
            (#"{"Failover": {"*": {"Service": "backup"}}}"#, [[1, 2, 3], [4], [5], [9]]),
            (
                #"{"Failover": {"*": {"Targets": [{"Service": "backup"}, {"Datacenter": "dc2"}]}}}"#,
                [[1, 2, 3], [9], [4]]
            ),
            (
                #"""
                {"DefaultSubset": "s", "Subsets": {"s": {"Filter": "Service.Meta.version == v2"}, "t": {}},
                 "Failover": {"s": {"ServiceSubset": "t"}}}
                """#,
                [[2], [1, 3], [4], [5]]
            ),
            (
                #"{"DefaultSubset": "s", "Subsets": {"s": {"Filter": "Service.ID matches \"[15]\" and Service.Port != 1"}}}"#,
                [[5]]
            ),
        ] as [(String, [[UInt16]])]
    )
    func `a resolver decides who is used and who stands in`(json: String, levels: [[UInt16]]) throws {
        #expect(try Self.levels(json) == levels)
    }

    @Test func `a datacenter that is not followed is said`() {
        let sample = ChainSample(
            datacenters: ["dc1"],
            [entry("service-resolver", "web", #"{"Failover": {"*": {"Datacenters": ["dc9"]}}}"#)]
        )
        #expect(sample.applied.diagnostics.findings == ["warning SB339 service-resolver/web"])
    }

    @Test func `where there is one datacenter its name is none that is not followed`() {
        let sample = ChainSample([entry("service-resolver", "web", #"{"Redirect": {"Datacenter": "dc1"}}"#)])
        #expect(sample.lines == ["-> web@dc1"])
        #expect(sample.applied.diagnostics == [])
    }

    @Test(arguments: [([], 127), (["dc1", "dc2"], 63)] as [([String], Int)])
    func `no more stand in than a proxy has priorities`(datacenters: [String], count: Int) {
        let targets = (0..<200).map { #"{"Service": "s\#($0)"}"# }.joined(separator: ",")
        let sample = ChainSample(
            datacenters: datacenters,
            [entry("service-resolver", "web", #"{"Failover": {"*": {"Targets": [\#(targets)]}}}"#)]
        )
        let alternatives = sample.applied.policy.failovers[TargetID(service: ServiceName("web"))]
        #expect(alternatives?.map(\.line) == (0..<count).map { "s\($0)" })
        #expect(sample.applied.diagnostics.findings == ["warning SB332 service-resolver/web"])
    }

    @Test func `settings come from the resolver, service-defaults, and proxy-defaults, in this order`() throws {
        let entries = [
            EntryFixtures.proxyDefaults,
            entry(
                "service-defaults",
                "web",
                #"""
                {"Protocol": "grpc", "UpstreamConfig": {"Defaults": {"ConnectTimeoutMs": 100,
                 "Limits": {"MaxConnections": 1, "MaxPendingRequests": 2, "MaxConcurrentRequests": 3}}}}
                """#
            ),
            entry(
                "service-resolver",
                "web",
                #"""
                {"ConnectTimeout": "200ms", "LoadBalancer": {"Policy": "ring_hash", "RingHashConfig":
                 {"MinimumRingSize": 2048}, "HashPolicies": [{"Field": "header", "FieldValue": "X-User", "Terminal": true},
                 {"Field": "cookie", "FieldValue": "c", "CookieConfig": {"TTL": "1h", "Path": "/"}},
                 {"Field": "cookie", "FieldValue": "s", "CookieConfig": {"Session": true}},
                 {"Field": "query_parameter", "FieldValue": "q"}, {"SourceIP": true}]}}
                """#
            ),
        ]
        let sample = ChainSample(entries)
        #expect(sample.read.diagnostics.map(\.code) == ["SB331"])
        let web = try #require(sample.applied.policy.serviceDefaults[ServiceName("web")])
        #expect(web.protocol == .grpc)
        #expect(web.connectTimeout == .milliseconds(200))
        #expect(web.loadBalancer == .ringHash)
        #expect(web.loadBalancerOptions.minimumRingSize == 2048)
        #expect(web.circuitBreaker == .init(maxConnections: 1, maxPendingRequests: 2, maxConcurrentRequests: 3))
        guard case .forward(let forward) = sample.applied.policy.routes[RouteName("shop")]?.rules[0].action else {
            return
        }
        #expect(
            forward.hashPolicies == [
                HashPolicy(.header("x-user"), isTerminal: true),
                HashPolicy(.cookie("c", path: "/", lifetime: .seconds(3600))),
                HashPolicy(.cookie("s", path: "", lifetime: .zero)), HashPolicy(.queryParameter("q")),
                HashPolicy(.sourceAddress),
            ]
        )
    }

    @Test func `a document counts alone, and that is said`() {
        var sample = ChainSample([EntryFixtures.resolver, entry("service-defaults", "web", #"{"Protocol": "grpc"}"#)])
        var document = ServiceDefaults(service: ServiceName("web"), origin: Origin(file: "defaults.yaml"))
        sample.policy.serviceDefaults[document.service] = document
        #expect(sample.applied.policy.serviceDefaults[document.service] == document)
        #expect(sample.applied.diagnostics.findings == ["warning SB332 service-defaults/web"])
        document.protocol = .grpc
        sample.policy.serviceDefaults[document.service] = document
        #expect(sample.applied.diagnostics.findings == ["warning SB332 service-resolver/web"])
        document.connectTimeout = .seconds(15)
        sample.policy.serviceDefaults[document.service] = document
        #expect(sample.applied.diagnostics == [], "they say the same")
    }

    @Test func `a service that speaks TCP is said if a route leads to it`() {
        let tcp = entry("service-defaults", "web", #"{"Protocol": "tcp"}"#)
        #expect(ChainSample([tcp]).applied.diagnostics.findings == ["warning SB335 service-defaults/web"])
        #expect(ChainSample(rules: [chainRule(to: ["api"])], [tcp]).applied.diagnostics == [])
    }
}
