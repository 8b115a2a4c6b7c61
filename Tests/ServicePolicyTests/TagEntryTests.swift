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

    @Test func `where entries say nothing, tags decide, and what both say is no finding`() throws {
        let entries = ConfigEntries(proxyDefaults: ServiceSettings(protocol: .grpc, origin: Self.origin))
        let policy = try self.decided(["signalbox.protocol=grpc", "signalbox.connect-timeout=1s"], entries)
        #expect(policy.effects.sorted() == ["connect timeout 1.0 seconds", "protocol grpc"])
        #expect(policy.codes == [])
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
