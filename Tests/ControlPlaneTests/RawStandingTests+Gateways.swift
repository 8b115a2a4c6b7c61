// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
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
            "internal.yaml": Files.gateway("internal", proxies: "{ids: [both]}", port: 10001),
            "routes.yaml": Files.route("web", gateways: ["edge", "internal"], backends: ["web": 1]), "raw.yaml": raw,
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
    /// Of the document `a`, which comes before `r`.
    private static func taking(_ name: String, gateways: String) -> String {
        Self.raw("ignorePortInHostMatching: true", name: name, gateways: gateways)
            .replacing("name: r\ngateways", with: "name: a\ngateways")
    }

    @Test(arguments: [nil, "s2"])
    func `a name that was given up for some does not come back for others`(later: String?) throws {
        var run = Self.nested(Self.raw(gateways: "edge, internal"))
        #expect(run.resource(of: "both") != nil)
        // Only proxies of one gateway are there.
        run.edit(.write(Self.raw(name: "s", gateways: "edge, internal"), to: "raw.yaml"))
        #expect(run.resource(of: "edge", named: "s") != nil)
        run.edit(.write(Self.taking("s", gateways: "edge"), to: "a.yaml"))
        if let later {
            let taken = Self.taking(later, gateways: "edge").replacing("name: a\n", with: "name: b\n")
            run.edit(
                .write(taken, to: "b.yaml"),
                .write(Self.raw(name: later, gateways: "edge, internal"), to: "raw.yaml")
            )
        }
        #expect(run.resource(of: "both") == nil)
        #expect(run.resource(of: "both", named: "s") != nil)
        #expect(run.world.diagnostics.map(\.subject) == ["envoy-resource/r"])
        #expect(run.world.diagnostics.first?.message.hasSuffix("published") == false)
    }

    @Test func `what others gave up stays where the new name is taken`() throws {
        var run = Self.nested(Self.raw(gateways: "edge, internal"))
        run.edit(
            .write(Files.gateway("edge", proxies: "{ids: [both]}"), to: "gateway.yaml"),
            .write(Files.gateway("internal", proxies: "{ids: [internal, both]}", port: 10001), to: "internal.yaml")
        )
        let before = try #require(run.resource(of: "both"))
        #expect(run.resource(of: "internal") == before)
        run.edit(
            .write(Self.raw(name: "s", gateways: "edge, internal"), to: "raw.yaml"),
            .write(Self.taking("s", gateways: "edge"), to: "a.yaml")
        )
        for _ in 0..<2 {
            #expect(run.resource(of: "internal", named: "s") != nil)
            #expect(run.resource(of: "internal") == nil)
            #expect(run.resource(of: "both") == before)
            run.edit(.write(Files.service("other"), to: "other.yaml"))
        }
    }
}
