// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// Who has a host that several want.
struct TagConflictTests {
    private static let host = "signalbox.host=shop.example.com"

    private func document(_ name: String, _ hosts: [String], _ matches: [Match] = [], at gateway: String = "edge")
        -> Route
    {
        let origin = Origin(file: "routes.yaml", line: 1)
        return Route(
            name: RouteName(name),
            hostnames: hosts,
            gateways: [Route.GatewayReference(gateway: GatewayName(gateway), origin: origin)],
            rules: [
                Route.Rule(
                    matches: matches,
                    action: .forward(
                        Route.Forward(backends: [Route.Backend(service: ServiceName("doc"), origin: origin)])
                    ),
                    origin: origin
                )
            ],
            origin: origin
        )
    }

    private func decided(_ services: Service..., with policy: Policy = tagBase(), rules: [String] = []) throws
        -> TagPolicy
    {
        var options = try tagOptions()
        options.ownership = try HostOwnership(parsing: rules)
        let routing = TaggedCatalog(options)
        routing.replace(by: services)
        _ = routing.decide(with: policy)
        return routing.policy
    }

    @Test func `of two services the first by name has the host, whatever came first`() throws {
        let services = [tagged("b", [Self.host]), tagged("a", [Self.host])]
        for services in [services, services.reversed()] {
            let routing = TaggedCatalog(try tagOptions())
            for service in services {
                routing.update([service.name: service])
                _ = routing.decide(with: tagBase())
            }
            #expect(routing.policy.effects == ["shop.example.com/* -> a"])
            #expect(routing.policy.diagnostics.map(\.subject) == ["service/b"])
            #expect(routing.policy.codes == ["SB325"])
            #expect(routing.policy.diagnostics[0].message.contains("the route of service/a"))
        }
    }

    @Test func `a document has the host before all services`() throws {
        let policy = try self.decided(
            tagged("a", [Self.host]),
            with: tagBase(self.document("shop", ["shop.example.com"]))
        )
        #expect(policy.effects == [])
        #expect(policy.codes == ["SB325"])
        #expect(policy.diagnostics[0].message.contains("route/shop"))
    }

    @Test func `other conditions, other listeners and other hosts are no conflict`() throws {
        let path = Match(path: .prefix("/api"))
        let header = Match(headers: [Match.ValueMatch(name: "x-a", value: .exact("1"))])
        let base = tagBase(
            self.document("path", ["shop.example.com"], [path, header]),
            self.document("internal", ["shop.example.com"], at: "internal"),
            self.document("wildcard", ["*.example.com"]),
            self.document("any", [])
        )
        let policy = try self.decided(
            tagged("a", [Self.host]),
            tagged("b", [Self.host, "signalbox.method=PUT"]),
            tagged("c", [Self.host, "signalbox.header.x-a=2"]),
            with: base
        )
        #expect(policy.routes.count == 3)
        #expect(policy.codes == [])
    }

    @Test func `the order of conditions makes no difference`() throws {
        let headers = ["signalbox.header.x-a=1", "signalbox.header.x-b=2"]
        let match = Match(
            headers: [
                Match.ValueMatch(name: "x-b", value: .exact("2")), Match.ValueMatch(name: "x-a", value: .exact("1")),
            ]
        )
        let base = tagBase(self.document("shop", ["shop.example.com"], [match]))
        #expect(try self.decided(tagged("a", [Self.host] + headers), with: base).codes == ["SB325"])
    }

    @Test func `who loses a host keeps the others`() throws {
        let policy = try self.decided(
            tagged("a", [Self.host]),
            tagged(
                "b",
                [Self.host, "signalbox.host=b.example.com,c.example.com", "signalbox.gateway=edge/http,internal"]
            )
        )
        #expect(
            policy.effects.sorted() == [
                "edge/http internal: b.example.com c.example.com/* -> b", "shop.example.com/* -> a",
            ]
        )
        #expect(policy.codes == ["SB325"])
    }

    @Test func `what a service may not claim is nobody's, and the others have it`() throws {
        let policy = try self.decided(
            tagged("a", [Self.host]),
            tagged("shop-web", [Self.host]),
            rules: ["*.example.com=shop-*"]
        )
        #expect(policy.effects == ["shop.example.com/* -> shop-web"])
        #expect(policy.diagnostics.map(\.subject) == ["service/a"])
        #expect(policy.codes == ["SB326"])
    }

    @Test func `a rule lets a service have every host`() throws {
        let policy = try self.decided(
            tagged("a", ["signalbox.path=/"]),
            tagged("b", ["signalbox.host=*"]),
            rules: ["*=*"]
        )
        #expect(policy.effects == ["*/* -> a"])
        #expect(policy.routes.values.map(\.hostnames) == [[]])
        #expect(policy.codes == ["SB325"])
        let other = try self.decided(
            tagged("a", ["signalbox.path=/"]),
            with: tagBase(self.document("any", [])),
            rules: ["*=*"]
        )
        #expect(other.codes == ["SB325"])
    }

    @Test func `names of services that cannot be names of routes have none`() throws {
        let policy = try self.decided(
            tagged("a b", [Self.host]),
            tagged("a/b", [Self.host]),
            tagged("x\n", [Self.host])
        )
        #expect(policy.effects == [])
        #expect(policy.codes == ["SB322", "SB322", "SB322"])
        #expect(policy.diagnostics.map(\.subject) == ["service/a b", "service/a/b", "service/x\\n"])
    }

    @Test func `no two routes have one name`() throws {
        let policy = try self.decided(
            tagged("web", [Self.host, "signalbox.route.a.host=a.example.com"]),
            tagged("web.a", ["signalbox.host=b.example.com"])
        )
        #expect(policy.routes.count == 3)
        for (name, route) in policy.routes { #expect(name == route.name) }
    }

    @Test func `what a document decides is not decided by tags`() throws {
        var base = tagBase()
        base.serviceDefaults[ServiceName("a")] = ServiceDefaults(
            service: ServiceName("a"),
            origin: Origin(file: "d.yaml")
        )
        let policy = try self.decided(tagged("a", [Self.host, "signalbox.lb=random"]), with: base)
        #expect(policy.effects == ["shop.example.com/* -> a"])
        #expect(policy.codes == ["SB329"])

        let routing = TaggedCatalog(try tagOptions())
        routing.replace(by: [tagged("a", [Self.host]), tagged("b", [])])
        _ = routing.decide(with: tagBase(), named: [ServiceName("a"), ServiceName("b")])
        #expect(routing.policy.effects == [])
        #expect(routing.policy.codes == ["SB329"])
    }

    @Test func `settings count where a document or a name leaves tags no routes`() throws {
        for (name, code) in [("a", "SB329"), ("a/b", "SB322")] {
            let routing = TaggedCatalog(try tagOptions())
            routing.replace(by: [tagged(name, [Self.host, "signalbox.protocol=grpc", "signalbox.canary.weight=5"])])
            _ = routing.decide(with: tagBase(), named: [ServiceName("a")])
            #expect(routing.policy.effects == ["protocol grpc"])
            #expect(routing.policy.codes == [code])
        }
    }

    @Test func `only what matters makes another decision`() throws {
        let routing = TaggedCatalog(try tagOptions())
        let services = [tagged("a", [Self.host]), tagged("b", [])]
        routing.replace(by: services)
        #expect(routing.decide(with: tagBase()))
        #expect(!routing.decide(with: tagBase()))
        routing.update([ServiceName("a"): tagged("a", [Self.host], health: .critical)])
        routing.update([ServiceName("b"): tagged("b", ["v2"])])
        #expect(!routing.decide(with: tagBase()))
        #expect(routing.decide(with: tagBase(self.document("shop", ["shop.example.com"]))))
        routing.update([ServiceName("a"): Service?.none])
        #expect(routing.decide(with: tagBase()))
        #expect(routing.policy.effects == [])
    }
}
