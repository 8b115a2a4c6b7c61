// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyAPI
import EnvoyTranslation
import Routing
import Testing

/// What several gateways on one proxy make of each other.
struct NodeGroupTests {
    @Test func `gateways that lead to the same target share its cluster`() {
        let sample = Sample(
            gateways: [
                gateway("a"), gateway("b", listeners: [.init(name: "http", port: 10001)]),
            ],
            routes: [route("web", gateways: ["a", "b"])]
        )
        let (resources, diagnostics) = sample.translated()
        #expect(
            resources.map { "\($0.kind) \($0.name)" } == [
                "cluster web", "endpoints web", "listener a/http", "listener b/http", "routeConfiguration a/http",
                "routeConfiguration b/http",
            ]
        )
        #expect(diagnostics == [])
    }

    @Test func `of two listeners on one socket the later gateway's is left out`() {
        let sample = Sample(
            gateways: [
                gateway("b", listeners: [.init(name: "http", port: 10000), .init(name: "other", port: 10001)]),
                gateway("a"),
            ],
            routes: [route("web", gateways: ["a", "b"])]
        )
        let (resources, diagnostics) = sample.translated()
        #expect(resources.filter { $0.kind == .listener }.map(\.name) == ["a/http", "b/other"])
        #expect(resources.filter { $0.kind == .routeConfiguration }.map(\.name) == ["a/http", "b/other"])
        #expect(diagnostics.map(\.code) == ["SB204"])
        #expect(diagnostics.map(\.origin.description) == ["b.yaml:1"])
        #expect(diagnostics.map(\.subject) == ["gateway/b"])
    }

    @Test func `the same port on another address is another socket`() {
        let sample = Sample(
            gateways: [
                gateway("a", listeners: [.init(name: "http", address: "127.0.0.1", port: 10000)]),
                gateway("b", listeners: [.init(name: "http", address: "127.0.0.2", port: 10000)]),
            ]
        )
        #expect(sample.translated().diagnostics == [])
        #expect(sample.translated().resources.filter { $0.kind == .listener }.count == 2)
    }

    @Test func `a hostname has one proxyless listener, of the first gateway`() throws {
        let sample = Sample(
            gateways: [gateway("a", listeners: [proxyless()]), gateway("b", listeners: [proxyless()])],
            routes: [
                route("one", hostnames: ["one.example.com"], gateways: ["a"]),
                route("two", hostnames: ["one.example.com", "two.example.com"], gateways: ["b"]),
                route("wild", hostnames: ["*.example.com"], gateways: ["a", "b"]),
            ]
        )
        let (resources, diagnostics) = sample.translated()
        #expect(resources.filter { $0.kind == .listener }.map(\.name) == ["one.example.com", "two.example.com"])
        #expect(diagnostics.map(\.code) == ["SB204"])
        #expect(diagnostics.map(\.subject) == ["gateway/b"])
    }

    @Test func `a resource's origin is the document to look at`() {
        let (resources, _) = Sample(routes: [route("web")]).translated()
        #expect(
            resources.map { "\($0.kind) \($0.origins.map(\.description).joined(separator: " "))" } == [
                "cluster web.yaml:1", "endpoints web.yaml:1", "listener edge.yaml:1",
                "routeConfiguration edge.yaml:1 routes.yaml",
            ]
        )
    }

    @Test(arguments: ServiceDefaults.LoadBalancerPolicy.allCases)
    func `beside a proxyless listener a cluster has a load balancer that gRPC clients know`(
        policy: ServiceDefaults.LoadBalancerPolicy
    ) throws {
        var sample = Sample(
            gateways: [gateway("a"), gateway("b", listeners: [proxyless()])],
            routes: [route("web", gateways: ["a"])]
        )
        sample.defaults = [
            ServiceDefaults(service: ServiceName("web"), loadBalancer: policy, origin: Origin(file: "defaults.yaml"))
        ]
        let (resources, diagnostics) = sample.translated()
        let cluster = try #require(resources.first?.message as? Envoy_Config_Cluster_V3_Cluster)
        if [.roundRobin, .ringHash].contains(policy) {
            #expect(cluster.lbPolicy == (policy == .ringHash ? .ringHash : .roundRobin))
            #expect(diagnostics == [])
        } else {
            #expect(cluster.lbPolicy == .roundRobin)
            #expect(diagnostics.map(\.code) == ["SB210"])
            #expect(diagnostics.map(\.subject) == ["service-defaults/web"])
        }
    }
}
