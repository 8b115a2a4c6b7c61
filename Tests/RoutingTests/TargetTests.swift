// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

struct TargetTests {
    @Test func `routable instances are grouped by locality, in the order of localities and IDs`() throws {
        let heavy = try #require(Weight(5))
        let none = try #require(Weight(0))
        let target = try self.target(
            of: service(
                "web",
                [
                    instance("d", port: 4, zone: "b"),
                    instance("c", port: 3, weight: heavy, zone: "a"),
                    instance("b", port: 2, health: .warning, zone: "b"),
                    instance("a", port: 1, zone: "a"),
                    instance("critical", port: 5, health: .critical, zone: "a"),
                    instance("weightless", port: 6, weight: none, zone: "c"),
                ]
            )
        )
        #expect(
            target.endpoints == [
                LocalityEndpoints(
                    locality: Locality(zone: "a"),
                    endpoints: [
                        Endpoint(address: "127.0.0.1", port: 1, weight: .default),
                        Endpoint(address: "127.0.0.1", port: 3, weight: heavy),
                    ]
                ),
                LocalityEndpoints(
                    locality: Locality(zone: "b"),
                    endpoints: [
                        Endpoint(address: "127.0.0.1", port: 2, weight: .default),
                        Endpoint(address: "127.0.0.1", port: 4, weight: .default),
                    ]
                ),
            ]
        )
    }

    @Test func `an address and port counts once, also over localities`() throws {
        let target = try self.target(
            of: service("web", [instance("c", zone: "b"), instance("b", zone: "a"), instance("a", zone: "a")])
        )
        #expect(target.endpoints.map(\.locality.zone) == ["a"])
        #expect(target.endpoints.first?.endpoints.count == 1)
    }

    @Test func `of two at one address and port the one that does not drain counts, whatever their order`() throws {
        let target = try self.target(
            of: service(
                "web",
                [
                    instance("a", port: 1, isDraining: true), instance("b", port: 2), instance("c", port: 1),
                    instance("d", port: 3, isDraining: true), instance("e", port: 3, isDraining: true),
                    instance("f", port: 2, isDraining: true),
                ]
            )
        )
        #expect(target.endpoints.flatMap(\.endpoints).map(\.port) == [2, 1, 3])
        #expect(target.endpoints.flatMap(\.endpoints).map(\.isDraining) == [false, false, true])
    }

    @Test func `an instance that takes the place of one that drains is the last that is left`() throws {
        let web = service("web", [instance("a", isDraining: true), instance("b")])
        #expect(try self.target(of: web).endpoints.flatMap(\.endpoints).map(\.isDraining) == [false])
        let draining = service("web", [instance("a", isDraining: true), instance("b", isDraining: true)])
        #expect(try self.target(of: draining).endpoints.flatMap(\.endpoints).map(\.isDraining) == [false])
    }

    @Test func `a subset has the instances that it selects`() throws {
        let web = service("web", [instance("a", port: 1, tags: ["stable"]), instance("b", port: 2, tags: ["canary"])])
        let target = try self.target(of: web, tags: ["canary"])
        #expect(target.endpoints.flatMap(\.endpoints).map(\.port) == [2])
    }

    @Test func `a service without instances is a target without endpoints`() throws {
        #expect(try self.target(of: service("web")).endpoints == [])
    }

    @Test func `service-defaults apply to every subset of their service`() throws {
        var policy = policy(routes: [route("r", rules: [rule(to: [backend("web", tags: ["a"]), backend("api")])])])
        policy.serviceDefaults[ServiceName("web")] = ServiceDefaults(
            service: ServiceName("web"),
            protocol: .grpc,
            connectTimeout: .seconds(1),
            loadBalancer: .maglev,
            circuitBreaker: .init(maxConnections: 7),
            origin: Origin(file: "defaults.yaml")
        )
        let targets = compile(catalog: Catalog([service("web"), service("api")]), policy: policy).topology
            .gateways[GatewayName("edge")]?.targets
        let web = try #require(targets?[TargetID(service: ServiceName("web"), subset: Subset(tags: ["a"]))])
        #expect(web.settings.protocol == .grpc)
        #expect(web.settings.connectTimeout == .seconds(1))
        #expect(web.settings.loadBalancer == .maglev)
        #expect(web.settings.circuitBreaker.maxConnections == 7)
        let api = try #require(targets?[TargetID(service: ServiceName("api"))])
        #expect(api.settings.protocol == .http)
        #expect(api.settings.connectTimeout == .seconds(5))
        #expect(api.settings.loadBalancer == .roundRobin)
    }

    @Test func `a backend of weight 0 is a target: it is warm before it gets a share`() {
        let policy = policy(routes: [route("r", rules: [rule(to: [backend("web"), backend("api", weight: 0)])])])
        let targets = compile(catalog: Catalog([service("web"), service("api")]), policy: policy).topology
            .gateways[GatewayName("edge")]?.targets
        #expect(Set(targets.map { $0.keys.map(\.service.rawValue) } ?? []) == ["web", "api"])
    }

    @Test(arguments: [
        (instances: [instance("a", tags: ["other"])], findings: ["warning SB206 route.yaml:30 route/r"]),
        // It selects one, though that one gets no requests now.
        (instances: [instance("a", tags: ["canary"], health: .critical)], findings: []),
        (instances: [], findings: []),
    ])
    func `a subset that selects none of some instances is a warning`(instances: [Instance], findings: [String]) {
        let policy = policy(
            routes: [route("r", rules: [rule(to: [backend("web", tags: ["canary"], line: 30)])])]
        )
        let (_, diagnostics) = compile(catalog: Catalog([service("web", instances)]), policy: policy)
        #expect(diagnostics.findings == findings)
    }

    @Test(arguments: [
        (weights: [0, 0], findings: ["warning SB209 route.yaml:9 route/r"]),
        (weights: [0], findings: ["warning SB209 route.yaml:9 route/r"]),
        (weights: [0, 1], findings: []),
    ])
    func `a rule whose backends all have weight 0 is a warning`(weights: [Int], findings: [String]) {
        let policy = policy(routes: [route("r", rules: [rule(to: weights.map { backend("web", weight: $0) })])])
        let (_, diagnostics) = compile(catalog: Catalog([service("web")]), policy: policy)
        #expect(diagnostics.findings == findings)
    }

    private func target(of service: Service, tags: Set<String> = []) throws -> Target {
        let policy = policy(routes: [route("r", rules: [rule(to: [backend(service.name.rawValue, tags: tags)])])])
        let (topology, _) = compile(catalog: Catalog([service]), policy: policy)
        return try #require(
            topology.gateways[GatewayName("edge")]?
                .targets[TargetID(service: service.name, subset: Subset(tags: tags))]
        )
    }
}
