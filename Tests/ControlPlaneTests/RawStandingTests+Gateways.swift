// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing
import XDSProtocol

/// What is in force for the proxies of one gateway, where those of another have something else.
extension RawStandingTests {
    /// Proxies of two gateways; only those of `edge` have a route to `api`.
    private static func two(_ raw: String) -> Run {
        Run([
            "gateway.yaml": Files.gateway("edge", proxies: "{ids: [edge]}"),
            "internal.yaml": Files.gateway("internal", proxies: "{ids: [internal]}", port: 10001),
            "routes.yaml": Files.route("web", gateways: ["edge", "internal"], backends: ["web": 1]),
            "api-route.yaml": Files.route("api", backends: ["api": 1]), "raw.yaml": raw,
        ])
    }

    @Test func `each gateway has the version that was good for it`() throws {
        var run = Self.two(Self.raw(gateways: "edge, internal"))
        let first = try #require(run.resource(of: "internal"))
        #expect(run.resource(of: "edge") == first)
        let api = "requestMirrorPolicies: [{cluster: api}]"
        run.edit(.write(Self.raw(api, gateways: "edge, internal"), to: "raw.yaml"))
        #expect(run.resource(of: "edge") != first && run.resource(of: "edge") != nil)
        #expect(run.resource(of: "internal") == first)
        run.edit(.write(Files.gateway("extra", proxies: "{ids: [internal]}", port: 10002), to: "extra.yaml"))
        #expect(run.resource(of: "internal") == first)
    }

    @Test(arguments: Self.faults)
    func `what was meant for other gateways is no good version`(field: String, code: String) throws {
        var run = Self.two(Self.raw(gateways: "internal"))
        #expect(run.resource(of: "internal") != nil)
        run.edit(.write(Self.raw(field, gateways: "edge"), to: "raw.yaml"))
        #expect(run.resource(of: "edge") == nil)
    }

    @Test func `a gateway more does not cost the others what was good`() throws {
        var run = Self.two(Self.raw(gateways: "internal"))
        let typo = Self.raw("requestMirrorPolicy: [{cluster: web}]", gateways: "edge, internal")
        run.edit(.write(typo, to: "raw.yaml"))
        #expect(run.resource(of: "internal") != nil)
        #expect(run.resource(of: "edge") == nil)
    }

    /// Proxies of `edge`, and of `edge` and `internal`.
    private static func nested(_ raw: String) -> Run {
        Run([
            "gateway.yaml": Files.gateway("edge", proxies: "{ids: [edge, both]}"),
            "internal.yaml": Files.gateway("internal", proxies: "{ids: [both]}", port: 10001), "raw.yaml": raw,
        ])
    }

    @Test(arguments: Self.faults)
    func `what stays for some proxies is no good version for a gateway more`(field: String, code: String) throws {
        var run = Self.nested(Self.raw(gateways: "internal"))
        let before = try #require(run.resource(of: "both"))
        run.edit(.write(Self.raw(field, gateways: "edge, internal"), to: "raw.yaml"))
        for _ in 0..<2 {
            #expect(run.resource(of: "both") == before)
            #expect(run.resource(of: "edge") == nil)
            run.edit(.write(Files.gateway("extra", proxies: "{ids: [both]}", port: 10002), to: "extra.yaml"))
        }
        run.edit(.write(Self.raw(gateways: "edge, internal"), to: "raw.yaml"))
        #expect(run.resource(of: "edge") == before)
    }
}
