// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import HashTreeCollections
import Routing
import Synchronization
import TestSupport
import Testing
import XDSProtocol
import XDSServer

/// What somebody wrote in Envoy's words stays in force while it is wrong, whatever becomes of the groups of proxies.
@Suite struct RawStandingTests {
    /// Files, and the worlds that are published as they change.
    struct Run {
        var pipeline: Pipeline
        var world: TopologyWorld

        init(_ files: [String: String] = ["raw.yaml": RawStandingTests.raw()]) {
            var all = Files()
            all.files.merge(files) { $1 }
            let files = all
            self.pipeline = files.pipeline(DocumentSet.Options(allowRawResources: true))
            self.world = TopologyWorld(self.pipeline.topology)
        }

        mutating func edit(_ changes: FileChange...) {
            _ = self.pipeline.apply(changes, at: .seconds(1))
            self.world = TopologyWorld(self.pipeline.topology, previous: self.world)
        }

        /// As a proxy is sent it that every gateway selects.
        var resource: Resource? { self.resource(of: "proxy") }

        func resource(of proxy: String, named name: String = "r") -> Resource? {
            let group = self.world.group(of: Node(id: proxy), streams: .aggregated)
            return group.flatMap { self.world.resources(for: $0)[.routeConfiguration]?[ResourceName(name)] }
        }
    }

    static func raw(
        _ field: String = #"requestMirrorPolicies: [{cluster: web}]"#,
        name: String = "r",
        gateways: String = "edge"
    ) -> String {
        """
        kind: envoy-resource
        name: r
        gateways: [\(gateways)]
        resource:
          "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
          name: \(name)
          \(field)
        """
    }

    static let faults = [
        ("requestMirrorPolicy: [{cluster: web}]", "SB208"), ("requestMirrorPolicies: [{cluster: nowhere}]", "SB212"),
    ]

    @Test(arguments: Self.faults)
    func `an edit that cannot be used leaves the last good version in force`(field: String, code: String) throws {
        var run = Run()
        let before = try #require(run.resource)
        run.edit(.write(Self.raw(field), to: "raw.yaml"))
        #expect(run.resource == before)
        #expect(run.world.diagnostics.map(\.code) == [code])
        #expect(run.world.diagnostics[0].message.hasSuffix("its last good version stays published"))
        run.edit(.write(Self.raw("ignorePortInHostMatching: true"), to: "raw.yaml"))
        #expect(run.resource != before && run.resource != nil)
        #expect(run.world.diagnostics == [])
    }

    @Test(arguments: Self.faults)
    func `it stays when another gateway selects the same proxies`(field: String, code: String) throws {
        var run = Run()
        let before = try #require(run.resource)
        run.edit(.write(Self.raw(field), to: "raw.yaml"))
        #expect(run.resource == before)
        run.edit(.write(Files.gateway("extra", port: 10001), to: "extra.yaml"))
        #expect(run.resource == before)
        #expect(run.world.diagnostics.map(\.code) == [code])
    }

    @Test(arguments: Self.faults)
    func `it stays while no proxy is there`(field: String, code: String) throws {
        var run = Run()
        let before = try #require(run.resource)
        run.edit(.write(Self.raw(field), to: "raw.yaml"))
        run.edit(.write(Files.service("web", second: "critical"), to: "web.yaml"))
        run.edit(.write(Files.service("web"), to: "web.yaml"))
        #expect(run.resource == before)
        #expect(run.world.diagnostics.map(\.code) == [code])
    }

    @Test func `what is not good any more takes no name from what is`() throws {
        var run = Run()
        let before = try #require(run.resource)
        let other = Self.raw("ignorePortInHostMatching: true").replacing("name: r\ngateways", with: "name: z\ngateways")
        run.edit(.write(Self.raw(name: "edge/http"), to: "raw.yaml"), .write(other, to: "z.yaml"))
        #expect(run.resource != nil && run.resource != before)
        #expect(run.world.diagnostics.map(\.subject) == ["envoy-resource/r"])
        #expect(run.world.diagnostics[0].message.hasSuffix("named 'edge/http'"))
    }

    @Test(arguments: ["a", "z"])
    func `what is held back leaves its name to another document's that is good`(document: String) throws {
        var run = Run()
        let before = try #require(run.resource)
        let new = Self.raw(Self.faults[1].0).replacing("name: r\ngateways", with: "name: \(document)\ngateways")
        run.edit(.write(new, to: "new.yaml"))
        for isOtherGroup in [false, true] {
            // Proxies of which only the standing tells what they had.
            if isOtherGroup { run.edit(.write(Files.gateway("extra", port: 10001), to: "extra.yaml")) }
            #expect(run.resource == before)
            #expect(
                Set(run.world.diagnostics.map { "\($0.code) \($0.subject ?? "")" })
                    == (document < "r"
                        ? ["SB212 envoy-resource/a", "SB208 envoy-resource/r"] : ["SB208 envoy-resource/z"])
            )
        }
        run.edit(.write(Self.raw(name: "other"), to: "raw.yaml"))
        #expect(run.resource == nil)
        #expect(run.world.diagnostics.map(\.code) == ["SB212"])
        #expect(run.world.diagnostics.first?.message.hasSuffix("it is held back") == true)
    }

    @Test func `a name that another resource has leaves the one before in force`() throws {
        var run = Run()
        let before = try #require(run.resource)
        run.edit(.write(Self.raw(name: "edge/http"), to: "raw.yaml"))
        #expect(run.resource == before)
        #expect(run.world.diagnostics.map(\.code) == ["SB208"])
    }

    @Test func `what no proxy was sent was in force, too`() throws {
        var run = Run()
        run.edit(.write(Self.raw(Self.faults[0].0), to: "raw.yaml"))
        #expect(run.resource != nil)
    }

    @Test func `a document that is gone is not remembered`() throws {
        var run = Run()
        #expect(run.resource != nil)
        run.edit(.write("", to: "raw.yaml"))
        _ = run.pipeline.acceptRemovals(at: .seconds(9))
        run.world = TopologyWorld(run.pipeline.topology, previous: run.world)
        #expect(run.resource == nil)
        run.edit(.write(Self.raw(Self.faults[0].0), to: "raw.yaml"))
        #expect(run.resource == nil)
        #expect(run.world.diagnostics.map(\.code) == ["SB208"])
    }

    @Test func `a change of endpoints does not go over the raw resources`() throws {
        var run = Run()
        let before = try #require(run.resource)
        // Not what the pipeline would say: it shows whether they are looked at.
        let without = Files().pipeline().topology
        run.world = TopologyWorld(without, previous: run.world, changedTargets: [])
        run.edit(.write(Self.raw(Self.faults[0].0), to: "raw.yaml"))
        #expect(run.resource == before)
    }

    @Test func `what translation finds for a proxy that comes is told`() throws {
        let told = Mutex(0)
        var files = Files()
        files.files["raw.yaml"] = Self.raw(Self.faults[1].0)
        let pipeline = files.pipeline(DocumentSet.Options(allowRawResources: true))
        let world = TopologyWorld(pipeline.topology, onFindings: { told.withLock { $0 += 1 } })
        #expect(world.diagnostics == [])
        let group = try #require(world.group(of: Node(id: "proxy"), streams: .aggregated))
        for _ in 0..<2 { _ = world.resources(for: group) }
        #expect(told.withLock { $0 } == 1)
        #expect(world.diagnostics.map(\.code) == ["SB212"])
    }
}
