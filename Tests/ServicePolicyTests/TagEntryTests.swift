// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// Tags beside Consul's config entries.
struct TagEntryTests {
    private static let origin = Origin(file: "consul/service-defaults/web")
    private static let web = ServiceName("web")
    private static let tags = ["signalbox.host=web.example.com", "signalbox.canary.weight=10"]

    private func decided(_ tags: [String], _ entries: ConfigEntries) throws -> TagPolicy {
        let routing = TaggedCatalog(try tagOptions())
        routing.replace(by: [tagged("web", tags, tags, canaries: [["canary"]])])
        _ = routing.decide(with: tagBase(), entries: entries)
        return routing.policy
    }

    @Test func `entries decide what they say, and tags the rest`() throws {
        var settings = ServiceSettings(protocol: .http2, origin: Self.origin)
        settings.circuitBreaker.maxConnections = 7
        let policy = try self.decided(
            ["signalbox.protocol=grpc", "signalbox.lb=random"],
            ConfigEntries(serviceDefaults: [Self.web: settings])
        )
        #expect(policy.effects.sorted() == ["lb random", "protocol http2"])
        #expect(policy.serviceDefaults[Self.web]?.circuitBreaker.maxConnections == 7)
        #expect(policy.codes == ["SB329"])
        #expect(policy.diagnostics[0].message.hasPrefix("protocol: not heeded"))
    }

    @Test func `of a service without routes entries decide the settings, and where requests go is no finding`() throws {
        let policy = try self.decided(
            ["signalbox.enable=false", "signalbox.protocol=grpc", "signalbox.lb=random", "signalbox.canary.weight=10"],
            ConfigEntries(
                serviceDefaults: [Self.web: ServiceSettings(protocol: .http2, origin: Self.origin)],
                splitters: [
                    Self.web: ServiceSplitter(
                        splits: [.init(weight: 10_000, destination: ServiceReference(service: Self.web))],
                        origin: Self.origin
                    )
                ]
            )
        )
        #expect(policy.effects.sorted() == ["lb random", "protocol http2"])
        #expect(policy.diagnostics.map { $0.message.hasPrefix("protocol: not heeded") } == [true])
    }

    @Test func `where entries say nothing, tags decide, and what both say is no finding`() throws {
        let entries = ConfigEntries(proxyDefaults: ServiceSettings(protocol: .grpc, origin: Self.origin))
        let policy = try self.decided(["signalbox.protocol=grpc", "signalbox.connect-timeout=1s"], entries)
        #expect(policy.effects.sorted() == ["connect timeout 1.0 seconds", "protocol grpc"])
        #expect(policy.codes == [])
    }

    @Test func `what an entry says counts though it is what is so by default`() throws {
        var resolver = ServiceResolver(origin: Self.origin)
        resolver.loadBalancer = .roundRobin
        resolver.connectTimeout = .seconds(5)
        let policy = try self.decided(
            ["signalbox.protocol=http2", "signalbox.lb=random", "signalbox.connect-timeout=1s"],
            ConfigEntries(
                serviceDefaults: [Self.web: ServiceSettings(protocol: .http, origin: Self.origin)],
                resolvers: [Self.web: resolver]
            )
        )
        #expect(policy.effects == [])
        #expect(policy.codes == ["SB329"])
        let message = "protocol, the connect timeout, the load balancer: not heeded"
        #expect(policy.diagnostics.map { $0.message.hasPrefix(message) } == [true])
    }

    @Test func `tags come before what is said of all services`() throws {
        let entries = ConfigEntries(proxyDefaults: ServiceSettings(protocol: .http, origin: Self.origin))
        let policy = try self.decided(["signalbox.protocol=http2"], entries)
        #expect(policy.effects == ["protocol http2"])
        #expect(policy.codes == [])
        let other = try self.decided(
            ["signalbox.lb=random"],
            ConfigEntries(proxyDefaults: ServiceSettings(protocol: .grpc, origin: Self.origin))
        )
        #expect(other.effects.sorted() == ["lb random", "protocol grpc"])
    }

    @Test func `ring sizes and choices are kept whatever tags say`() throws {
        var resolver = ServiceResolver(origin: Self.origin)
        resolver.loadBalancer = .ringHash
        resolver.loadBalancerOptions = .init(minimumRingSize: 2048, maximumRingSize: 4096, choiceCount: 3)
        let policy = try self.decided(
            ["signalbox.protocol=http2"],
            ConfigEntries(resolvers: [Self.web: resolver])
        )
        #expect(policy.effects.sorted() == ["lb ring_hash", "protocol http2"])
        #expect(policy.serviceDefaults[Self.web]?.loadBalancerOptions == resolver.loadBalancerOptions)
    }

    /// Entries of `web` and `api`, and which of them decides where requests to `web` go.
    private static let deciding: [(entries: [ConfigEntry], kind: String?)] = [
        ([router("")], nil),
        ([router(#"{"Match": {"HTTP": {"PathPrefix": "/a/../b"}}}"#)], nil),
        ([router(#"{"Destination": {"ServiceSubset": "nope"}}"#)], nil),
        ([router(#"{"Destination": {"ServiceSubset": "nope"}}, {"Destination": {"Service": "api"}}"#)], "router"),
        ([splitter("web", "api"), splitter("api", "web")], nil),
        ([splitter("web", "api", subset: "nope")], nil),
        ([splitter("web", "web")], "splitter"),
        ([resolver(#""DefaultSubset": "nope""#)], nil),
        ([resolver(#""Redirect": {"Service": "web"}"#)], nil),
        ([resolver(#""ConnectTimeout": "1s""#)], nil),
        ([resolver(#""Failover": {"*": {"Service": "api"}}"#)], "resolver"),
        ([resolver(#""Failover": {"*": {"Service": "api", "ServiceSubset": "nope"}}"#)], nil),
        ([resolver(#""Redirect": {"Service": "api"}"#)], "resolver"),
        ([resolver(#""DefaultSubset": "v1", "Subsets": {"v1": {"OnlyPassing": true}}"#)], "resolver"),
        ([splitter("web", "api", subset: "nope"), resolver(#""Redirect": {"Service": "api"}"#)], "resolver"),
    ]

    private static func router(_ routes: String) -> ConfigEntry {
        entry("service-router", "web", #"{"Routes": [\#(routes)]}"#)
    }

    private static func splitter(_ name: String, _ destination: String, subset: String? = nil) -> ConfigEntry {
        let subset = subset.map { #", "ServiceSubset": "\#($0)""# } ?? ""
        return entry(
            "service-splitter",
            name,
            #"{"Splits": [{"Weight": 100, "Service": "\#(destination)"\#(subset)}]}"#
        )
    }

    private static func resolver(_ fields: String) -> ConfigEntry {
        entry("service-resolver", "web", "{\(fields)}")
    }

    @Test(arguments: Self.deciding)
    func `only an entry that decides something switches the share for canaries off`(
        example: (entries: [ConfigEntry], kind: String?)
    ) throws {
        var reader = ConfigEntryReader()
        _ = reader.apply(example.entries)
        let policy = try self.decided(Self.tags, reader.entries)
        guard let kind = example.kind else {
            #expect(policy.effects == ["web.example.com/* -> 90 web others, 10 web canaries"])
            #expect(policy.codes == [])
            return
        }
        #expect(policy.effects == ["web.example.com/* -> web"])
        #expect(policy.diagnostics.map { $0.message.contains("service-\(kind)/web decides") } == [true])
    }

    @Test func `a splitter decides where requests go, and not the share for canaries`() throws {
        let split = ServiceSplitter.Split(weight: 10_000, destination: ServiceReference(service: Self.web))
        let entries = ConfigEntries(splitters: [Self.web: ServiceSplitter(splits: [split], origin: Self.origin)])
        let policy = try self.decided(Self.tags, entries)
        #expect(policy.effects == ["web.example.com/* -> web"])
        #expect(policy.failovers == [:])
        #expect(policy.codes == ["SB329"])
        #expect(policy.diagnostics[0].message.contains("service-splitter/web"))
    }

    /// What is kept of a chain decides, too: what the canaries get must not change because two entries do not fit for a while.
    @Test func `a splitter that is kept while it cannot be followed still decides`() throws {
        func entries(_ subset: String) -> ConfigEntries {
            var reader = ConfigEntryReader()
            _ = reader.apply([
                Self.splitter("web", "web", subset: "v1"),
                Self.resolver(#""Subsets": {"\#(subset)": {"Filter": "Service.Meta.version == 1"}}"#),
            ])
            return reader.entries
        }
        let routing = TaggedCatalog(try tagOptions())
        routing.replace(by: [tagged("web", Self.tags, Self.tags, canaries: [["canary"]])])
        _ = routing.decide(with: tagBase(), entries: entries("v1"))
        #expect(routing.policy.effects == ["web.example.com/* -> web"])
        let standing = applyChains(to: routing.policy.added(to: tagBase()), entries: entries("v1")).standing
        _ = routing.decide(with: tagBase(), entries: entries("v2"), standing: standing)
        #expect(routing.policy.effects == ["web.example.com/* -> web"])
        #expect(routing.policy.codes == ["SB329"])
    }

    @Test func `canaries and the others stand in for each other whatever other entries say`() throws {
        let entries = ConfigEntries(proxyDefaults: ServiceSettings(protocol: .http2, origin: Self.origin))
        let policy = try self.decided(Self.tags, entries)
        let applied = applyChains(to: policy.added(to: tagBase()), entries: entries)
        #expect(applied.policy.failovers == policy.failovers)

        for isCanary in [true, false] {
            let all = tagged("web", Self.tags, Self.tags, canaries: [["canary"]])
            let left = Service(
                name: all.name,
                instances: all.instances.filter { $0.isCanary == isCanary },
                origin: all.origin
            )
            let topology = compile(catalog: Catalog([left]), policy: applied.policy).topology
            let targets = try #require(topology.gateways[GatewayName("edge")]?.targets)
            #expect(targets.count == 2)
            for target in targets.values {
                #expect(target.endpoints.flatMap(\.endpoints).count == left.instances.count)
            }
        }
    }
}
