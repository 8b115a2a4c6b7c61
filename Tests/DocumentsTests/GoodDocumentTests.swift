// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import Documents

/// What good documents mean, field by field.
struct GoodDocumentTests {
    private func origin(_ line: Int) -> Origin { Origin(file: "a.yaml", line: line) }

    @Test func `a service with every field`() throws {
        let set = documents(
            """
            kind: service
            name: web
            instances:
            - id: web-1
              address: 127.0.0.1
              port: 9001
              weight: 30
              tags: [stable, "1"]
              meta: {version: v1}
              health: critical
              locality: {region: r, zone: z, subZone: s}
            - {address: 127.0.0.1, port: 9002}
            - {address: "::1", port: 9002}
            """
        )
        #expect(set.faults == [])
        let first = Instance(
            id: InstanceID("web-1"),
            address: "127.0.0.1",
            port: 9001,
            weight: try #require(Weight(30)),
            tags: ["stable", "1"],
            meta: ["version": "v1"],
            health: .critical,
            locality: Locality(region: "r", zone: "z", subZone: "s"),
            origin: self.origin(4)
        )
        let second = Instance(
            id: InstanceID("127.0.0.1:9002"),
            address: "127.0.0.1",
            port: 9002,
            origin: self.origin(12)
        )
        let third = Instance(id: InstanceID("[::1]:9002"), address: "::1", port: 9002, origin: self.origin(13))
        #expect(
            set.services == [
                Service(name: ServiceName("web"), instances: [first, second, third], origin: self.origin(1))
            ]
        )
    }

    @Test(arguments: [
        ("::1", "::1"), ("0:0::0:1", "::1"), ("0:0:0:0:0:0:0:0", "::"), ("2001:0DB8::A:0:0:1", "2001:db8::a:0:0:1"),
        ("1:0:0:4:0:0:0:8", "1:0:0:4::8"), ("1:0:0:4:5:0:0:8", "1::4:5:0:0:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"), ("::FFFF:102:304", "::ffff:1.2.3.4"), ("1:0::", "1::"),
        ("10.0.0.1", "10.0.0.1"),
    ])
    func `an address is known in one form`(text: String, canonical: String) {
        let set = documents("{kind: service, name: web, instances: [{address: \"\(text)\", port: 1}]}")
        #expect(set.services.flatMap(\.instances).map(\.address) == [canonical])
    }

    @Test func `a service may have no instance`() {
        let set = documents("{kind: service, name: web, instances: []}")
        #expect(set.services.map(\.instances) == [[]])
    }

    @Test func `a gateway with every field`() {
        let set = documents(
            """
            kind: gateway
            name: edge
            proxies: {ids: ["edge-*", "*"], clusters: [edge], metadata: {role: edge}}
            listeners:
            - {name: http, port: 10000}
            - {name: local, address: 127.0.0.1, port: 10000, protocol: http}
            - {name: grpc, protocol: proxyless}
            virtual_hosts: on-demand
            clusters: on-demand
            """
        )
        #expect(set.faults == [])
        #expect(
            set.gateway("edge")
                == Gateway(
                    name: GatewayName("edge"),
                    proxies: ProxySelector(ids: ["edge-*", "*"], clusters: ["edge"], metadata: ["role": "edge"]),
                    listeners: [
                        Gateway.Listener(name: "http", address: "0.0.0.0", port: 10000, protocol: .http),
                        Gateway.Listener(name: "local", address: "127.0.0.1", port: 10000, protocol: .http),
                        Gateway.Listener(name: "grpc", port: nil, protocol: .proxyless),
                    ],
                    virtualHosts: .onDemand,
                    clusters: .onDemand,
                    origin: self.origin(1)
                )
        )
    }

    @Test func `proxies hold everything unless told otherwise`() {
        let set = documents("kind: gateway\nname: edge\nproxies: {}\nlisteners: [{name: http, port: 1}]")
        #expect(set.gateway("edge")?.virtualHosts == .all)
        #expect(set.gateway("edge")?.clusters == .all)
    }

    @Test func `a route with every field`() {
        let set = documents(
            """
            kind: route
            name: web
            hostnames: [Web.Example.com, "*.Example.org"]
            gateways: [edge, inner/http]
            rules:
            - matches:
              - path: {value: /shop/}
                method: GET
                headers:
                - {name: X-Canary, value: "yes"}
                - {name: x-b, type: RegularExpression, value: "a+"}
                - {name: x-c, type: Present}
                queryParams: [{name: Q, type: Exact, value: "1"}]
              - path: {type: Exact, value: /a/}
              - path: {type: RegularExpression, value: "/a/.*"}
              backends:
              - {service: web, subset: {tags: [stable], meta: {version: v1}, nodeMeta: {rack: r1}}, weight: 90}
              - service: web2
              requestHeaders: {set: [{name: A, value: b}], add: [{name: c, value: ""}], remove: [D]}
              responseHeaders: {remove: [e]}
              timeout: 0s
              retry: {attempts: 2, codes: [503], retryOn: [reset], perTryTimeout: 2s, backoff: 25ms}
            """
        )
        #expect(set.faults == [])
        let first = Match(
            path: .prefix("/shop"),
            method: "GET",
            headers: [
                Match.ValueMatch(name: "x-canary", value: .exact("yes")),
                Match.ValueMatch(name: "x-b", value: .regularExpression("a+")),
                Match.ValueMatch(name: "x-c", value: .present),
            ],
            queryParameters: [Match.ValueMatch(name: "Q", value: .exact("1"))]
        )
        let forward = Route.Forward(
            backends: [
                Route.Backend(
                    service: ServiceName("web"),
                    subset: Subset(tags: ["stable"], meta: ["version": "v1"], nodeMeta: ["rack": "r1"]),
                    weight: 90,
                    origin: self.origin(17)
                ),
                Route.Backend(service: ServiceName("web2"), origin: self.origin(18)),
            ],
            timeout: .zero,
            retry: Retry(
                attempts: 2,
                codes: [503],
                retryOn: ["reset"],
                perTryTimeout: .seconds(2),
                backoff: .milliseconds(25)
            )
        )
        let rule = Route.Rule(
            matches: [first, Match(path: .exact("/a/")), Match(path: .regularExpression("/a/.*"))],
            action: .forward(forward),
            requestHeaders: HeaderModifier(
                set: [HeaderModifier.Header(name: "a", value: "b")],
                add: [HeaderModifier.Header(name: "c", value: "")],
                remove: ["d"]
            ),
            responseHeaders: HeaderModifier(remove: ["e"]),
            origin: self.origin(6)
        )
        #expect(
            set.route("web")
                == Route(
                    name: RouteName("web"),
                    hostnames: ["web.example.com", "*.example.org"],
                    gateways: [
                        Route.GatewayReference(gateway: GatewayName("edge"), origin: self.origin(4)),
                        Route.GatewayReference(
                            gateway: GatewayName("inner"),
                            listener: "http",
                            origin: self.origin(4)
                        ),
                    ],
                    rules: [rule],
                    origin: self.origin(1)
                )
        )
    }

    @Test(arguments: [
        ("{hostname: H.example}", Rewrite(hostname: "h.example")),
        ("{path: {replacePrefixMatch: /}}", Rewrite(path: .replacePrefixMatch("/"))),
        ("{path: {replacePrefixMatch: /a/}}", Rewrite(path: .replacePrefixMatch("/a"))),
        ("{path: {replaceFullPath: /a/}}", Rewrite(path: .replaceFullPath("/a/"))),
    ])
    func `a rewrite`(text: String, rewrite: Rewrite) throws {
        let head = "kind: route\nname: web\ngateways: [edge]\nrules:\n- backends: [{service: web}]\n  rewrite: "
        let set = documents(head + text)
        #expect(set.faults == [])
        guard case .forward(let forward) = set.route("web")?.rules.first?.action else {
            Issue.record("no forward")
            return
        }
        #expect(forward.rewrite == rewrite)
    }

    @Test(arguments: [
        ("{scheme: https}", Redirect(scheme: "https")),
        (
            "{scheme: http, hostname: A, port: 443, path: {replaceFullPath: /}, statusCode: 301}",
            Redirect(scheme: "http", hostname: "a", port: 443, path: .replaceFullPath("/"), statusCode: 301)
        ),
    ])
    func `a redirect`(text: String, redirect: Redirect) {
        let set = documents("kind: route\nname: web\ngateways: [edge]\nrules:\n- redirect: \(text)")
        #expect(set.faults == [])
        #expect(set.route("web")?.rules.map(\.action) == [.redirect(redirect)])
        #expect(set.route("web")?.rules.map(\.matches) == [[Match()]])
    }

    @Test func `service defaults with every field and with none`() {
        let set = documents(
            """
            kind: service-defaults
            name: web
            protocol: grpc
            connectTimeout: 250ms
            loadBalancer: {policy: ring_hash}
            circuitBreaker: {maxConnections: 0, maxPendingRequests: 1, maxConcurrentRequests: 2, maxConcurrentRetries: 4294967295}
            ---
            kind: service-defaults
            name: api
            """
        )
        #expect(set.faults == [])
        #expect(
            set.policy.serviceDefaults == [
                ServiceName("web"): ServiceDefaults(
                    service: ServiceName("web"),
                    protocol: .grpc,
                    connectTimeout: .milliseconds(250),
                    loadBalancer: .ringHash,
                    circuitBreaker: ServiceDefaults.CircuitBreaker(
                        maxConnections: 0,
                        maxPendingRequests: 1,
                        maxConcurrentRequests: 2,
                        maxConcurrentRetries: .max
                    ),
                    origin: self.origin(1)
                ),
                ServiceName("api"): ServiceDefaults(service: ServiceName("api"), origin: self.origin(8)),
            ]
        )
    }

    @Test func `a raw resource is passed on as JSON where it is allowed`() {
        let text = """
            kind: envoy-resource
            name: x
            gateways: [edge]
            resource:
              "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
              name: "a\\"b\\n\\u0001"
              numbers: [1, -2, +3, 1.50, .inf, 99999999999999999999]
              others: [true, False, ~, "yes", {}, []]
            ttl: 1s
            """
        let set = documents(text, options: DocumentSet.Options(allowRawResources: true))
        #expect(set.faults == [])
        #expect(
            set.policy.rawResources["x"]?.json
                == #"{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"a\"b\n\u0001","#
                + #""numbers":[1,-2,3,1.5,"Infinity",1e+20],"others":[true,false,null,"yes",{},[]]}"#
        )
        #expect(set.policy.rawResources["x"]?.gateways == [GatewayName("edge")])
        #expect(set.policy.rawResources["x"]?.timeToLive == .seconds(1))
    }

    @Test(arguments: [
        ("resource: {name: x}", ["SB106:4"]), ("resource: [x]", ["SB105:4"]),
        ("resource: {\"@type\": t, a: {b: [no]}}", ["SB105:4"]),
        ("resource: {\"@type\": t}\nttl: 999ms", ["SB107:5"]), ("resource: {\"@type\": t}\nttl: 25h", ["SB107:5"]),
    ])
    func `a raw resource that is none is refused`(text: String, faults: [String]) {
        let set = documents(
            "kind: envoy-resource\nname: x\ngateways: [edge]\n" + text,
            options: DocumentSet.Options(allowRawResources: true)
        )
        #expect(set.faults == faults)
    }
}
