// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyAPI
import EnvoyTranslation
import Routing
import Testing
import XDSProtocol

/// What proxies are left to ask for.
struct OnDemandTests {
    private static let lazy = gateway("edge", virtualHosts: .onDemand, clusters: .onDemand)

    @Test func `a virtual host is a resource, named after its route configuration and its host`() throws {
        let sample = Sample(
            gateways: [Self.lazy],
            routes: [route("web", hostnames: ["web.example.com", "*.example.com"]), route("rest", hostnames: [])]
        )
        let virtualHosts = sample.translated().resources.filter { $0.kind == .virtualHost }
        #expect(virtualHosts.map(\.name) == ["edge/http/*", "edge/http/*.example.com", "edge/http/web.example.com"])
        // By its name in the message Envoy removes it.
        for resource in virtualHosts {
            let message = try #require(resource.message as? Envoy_Config_Route_V3_VirtualHost)
            #expect(message.name == resource.name)
            // Its one route, and the answer to what no route matches.
            #expect(message.routes.count == 2)
            #expect(message.routes.last?.directResponse.status == 404)
        }
    }

    @Test func `routes that change leave the bytes of the route configuration alone`() throws {
        var sample = Sample(gateways: [Self.lazy], routes: [route("web")])
        let before = try #require(sample.translated().resources.first { $0.kind == .routeConfiguration })
        sample.routes.append(route("api", hostnames: ["api.example.com"]))
        let after = try #require(sample.translated().resources.first { $0.kind == .routeConfiguration })
        #expect(after.isSame(as: before))
        #expect(after.encoded == before.encoded)
        let message = try #require(after.message as? Envoy_Config_Route_V3_RouteConfiguration)
        #expect(message.virtualHosts.isEmpty)
        #expect(message.vhds.configSource.apiConfigSource.apiType == .deltaGrpc)
    }

    @Test func `clusters and endpoints say that they are to be asked for`() {
        let (resources, diagnostics) = Sample(gateways: [Self.lazy], routes: [route("web")]).translated()
        #expect(
            resources.filter(\.isOnDemand).map { "\($0.kind) \($0.name)" } == ["cluster web", "endpoints web"]
        )
        #expect(resources.map(\.encoded).filter(\.isOnDemand).count == 2)
        #expect(diagnostics == [])
    }

    @Test(arguments: [Gateway.Delivery.all, .onDemand])
    func `a cluster that a gateway wants from the start is there from the start`(other: Gateway.Delivery) {
        let sample = Sample(
            gateways: [
                gateway("a", clusters: .onDemand),
                gateway("b", listeners: [.init(name: "http", port: 10001)], clusters: other),
            ],
            routes: [
                route("shared", gateways: ["a", "b"]),
                route(
                    "own",
                    gateways: ["a"],
                    rules: [forward(Route.Forward(backends: [backend("api")]), [Match(path: .prefix("/api"))])]
                ),
            ]
        )
        let onDemand = sample.translated().resources.filter { $0.isOnDemand && $0.kind == .cluster }
        #expect(onDemand.map(\.name) == (other == .all ? ["api"] : ["api", "web"]))
    }

    @Test(arguments: [ConfigSource.sotwADS, .sotw(cluster: "signalbox")])
    func `on state-of-the-world streams every cluster is there, and the operator is told`(source: ConfigSource) throws {
        let (resources, diagnostics) = Sample(gateways: [Self.lazy], routes: [route("web")]).translated(source)
        #expect(resources.allSatisfy { !$0.isOnDemand })
        #expect(diagnostics.map(\.code) == ["SB211"])
        #expect(diagnostics.map(\.subject) == ["gateway/edge"])
        // Virtual hosts are another matter: they have a stream of their own.
        #expect(resources.contains { $0.kind == .virtualHost })
    }

    @Test func `for gRPC clients nothing changes`() throws {
        let routes = [route("web")]
        let listeners = [proxyless()]
        let eager = Sample(gateways: [gateway("edge", listeners: listeners)], routes: routes)
        let onDemand = Sample(
            gateways: [gateway("edge", listeners: listeners, virtualHosts: .onDemand)],
            routes: routes
        )
        #expect(try Goldens.json(eager.translated().resources) == Goldens.json(onDemand.translated().resources))
    }
}
