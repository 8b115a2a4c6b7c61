// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import Routing
import Testing
import XDSProtocol

/// From files to a topology, and what stays in force when files go wrong.
@Suite struct PipelineTests {
    private static let everything = ["CDS api", "CDS web", "EDS api", "EDS web", "LDS edge/http", "RDS edge/http"]

    @Test func `documents become a topology`() throws {
        let pipeline = Files().pipeline()
        #expect(pipeline.codes == [])
        let gateway = try #require(pipeline.topology.gateways[GatewayName("edge")])
        #expect(gateway.listeners.map(\.listener.name) == ["http"])
        #expect(gateway.listeners.flatMap(\.virtualHosts).map(\.hostname) == ["web.example.com"])
        #expect(gateway.targets.keys.map(\.service.rawValue).sorted() == ["api", "web"])
        #expect(pipeline.snapshot().names == Self.everything)
        #expect(
            pipeline.counts.map { "\($0.kind) \($0.count)" } == [
                "service 2", "gateway 1", "route 1", "service-defaults 0", "envoy-resource 0",
            ]
        )
    }

    @Test func `what is refused does not count as in force`() {
        var files = Files()
        let raw = #"{"@type": type.googleapis.com/envoy.service.runtime.v3.Runtime, name: r}"#
        for (name, gateway) in [("a", "edge"), ("b", "nowhere")] {
            files.files["\(name).yaml"] =
                "{kind: envoy-resource, name: \(name), gateways: [\(gateway)], resource: \(raw)}"
        }
        files.files["other.yaml"] = Files.route("other", backends: ["nobody": 1])
        let pipeline = files.pipeline(DocumentSet.Options(allowRawResources: true))
        #expect(pipeline.codes.sorted() == ["SB201", "SB203"])
        #expect(pipeline.counts.map { "\($0.kind) \($0.count)" }.contains("envoy-resource 1"))
        #expect(pipeline.counts.map { "\($0.kind) \($0.count)" }.contains("route 1"))
    }

    @Test func `nothing is an empty topology without complaint`() {
        var pipeline = Pipeline()
        let changed = pipeline.apply([], at: .zero)
        #expect(!changed)
        #expect(pipeline.topology == Topology())
        #expect(pipeline.diagnostics == [])
    }

    @Test(arguments: [
        (file: "routes.yaml", text: "kind: route\nname: [", codes: ["SB101"]),
        (file: "routes.yaml", text: "{kind: route, name: web}", codes: ["SB106", "SB106"]),
        (file: "routes.yaml", text: Files.route("web", backends: ["nobody": 1]), codes: ["SB203"]),
        (file: "routes.yaml", text: Files.route("web", gateways: ["nowhere"], backends: ["web": 1]), codes: ["SB201"]),
        (
            file: "routes.yaml", text: Files.route("web", gateways: ["edge/none"], backends: ["web": 1]),
            codes: ["SB202"]
        ),
        (
            file: "web.yaml", text: "{kind: service, name: web, instances: [{address: nonsense, port: 1}]}",
            codes: ["SB110"]
        ),
        (file: "gateway.yaml", text: "kind: gatewya\nname: edge", codes: ["SB102"]),
        (file: "web.yaml", text: "", codes: ["SB120"]),
    ])
    func `the last good version stays in force through a fault, and the cure takes`(
        fault: (file: String, text: String, codes: [String])
    ) {
        let files = Files()
        // One of two services is no mass removal: make it one, to see the guard.
        var pipeline = files.pipeline(DocumentSet.Options(removalGuard: 40))
        let before = pipeline.snapshot()
        _ = pipeline.apply([.write(fault.text, to: fault.file)], at: .seconds(1))
        #expect(pipeline.codes == fault.codes)
        #expect(pipeline.snapshot(2).differences(from: before).isEmpty)
        _ = pipeline.apply([.write(files.files[fault.file] ?? "", to: fault.file)], at: .seconds(2))
        #expect(pipeline.codes == [])
        #expect(pipeline.snapshot(3).differences(from: before).isEmpty)
    }

    @Test(arguments: ["routes.yaml", "web.yaml", "gateway.yaml"])
    func `a fault from the start costs no more than what it is in`(file: String) {
        var files = Files()
        files.files[file] = "["
        files.files["other.yaml"] = [
            Files.gateway("other", port: 10001), Files.service("other"),
            Files.route("other", gateways: ["other"], backends: ["other": 1]),
        ].joined(separator: "\n---\n")
        let pipeline = files.pipeline()
        #expect(pipeline.codes.contains("SB101"))
        let names = pipeline.snapshot().names
        for name in ["CDS other", "EDS other", "LDS other/http", "RDS other/http"] { #expect(names.contains(name)) }
    }

    @Test func `a service that is gone keeps its last instances while a route leads to it`() {
        var pipeline = Files().pipeline()
        let before = pipeline.snapshot()
        let changed = pipeline.apply([.remove("web.yaml")], at: .seconds(1))
        #expect(!changed, "what proxies get is the same")
        #expect(pipeline.codes == ["SB207"])
        #expect(pipeline.snapshot(2).differences(from: before).isEmpty)
        _ = pipeline.apply([.write(Files.route("web", backends: ["api": 1]), to: "routes.yaml")], at: .seconds(2))
        #expect(pipeline.codes == [])
        #expect(pipeline.snapshot().names == ["CDS api", "EDS api", "LDS edge/http", "RDS edge/http"])
    }

    @Test func `a removal that is held goes when it is accepted`() {
        var pipeline = Files().pipeline()
        let before = pipeline.snapshot()
        let changed = pipeline.apply([.remove("routes.yaml")], at: .seconds(1))
        #expect(!changed)
        #expect(pipeline.codes == ["SB120"])
        #expect(pipeline.snapshot(2).differences(from: before).isEmpty)
        let accepted = pipeline.acceptRemovals(at: .seconds(9))
        #expect(accepted)
        #expect(pipeline.codes == [])
        #expect(pipeline.snapshot().names == ["LDS edge/http", "RDS edge/http"])
        let again = pipeline.acceptRemovals(at: .seconds(9))
        #expect(!again)
    }

    @Test func `the whole directory may vanish, and nothing does`() {
        let files = Files()
        var pipeline = files.pipeline()
        let before = pipeline.snapshot()
        let changed = pipeline.apply(files.files.keys.map { .remove($0) }, at: .seconds(1))
        #expect(!changed)
        #expect(pipeline.snapshot(2).differences(from: before).isEmpty)
        #expect(Set(pipeline.codes) == ["SB120"])
    }

    @Test func `diagnostics of all stages are in the order of files and lines`() {
        var files = Files()
        files.files["b.yaml"] = "["
        files.files["a.yaml"] = Files.route("x", backends: ["nobody": 1]) + "\n---\n[\n"
        files.files["c.yaml"] = Files.service("web")
        let pipeline = files.pipeline()
        let origins = pipeline.diagnostics.map(\.origin)
        #expect(origins.count > 3)
        #expect(origins == origins.sorted())
        #expect(Set(origins.map(\.file)).isSuperset(of: ["a.yaml", "b.yaml"]))
        #expect(Set(pipeline.codes).isSuperset(of: ["SB101", "SB113", "SB203"]))
    }

    @Test func `what translation finds is among what a linter says`() {
        var files = Files()
        files.files["second.yaml"] = Files.gateway("second", port: 10000)
        files.files["raw.yaml"] = """
            kind: envoy-resource
            name: raw
            gateways: [edge]
            resource: {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster}
            """
        let pipeline = files.pipeline(DocumentSet.Options(allowRawResources: true))
        #expect(pipeline.codes == [])
        #expect(pipeline.allDiagnostics.map(\.code).sorted() == ["SB204", "SB208"])
    }

    @Test(arguments: [("c", []), ("nowhere", ["SB212"])])
    func `a linter says that something is missing only if no gateway has it`(cluster: String, codes: [String]) {
        var files = Files()
        files.files["more.yaml"] = Files.gateway("more", proxies: "{ids: [more]}", port: 10001)
        files.files["raw.yaml"] = """
            kind: envoy-resource
            name: c
            gateways: [edge]
            resource: {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: c}
            ---
            kind: envoy-resource
            name: r
            gateways: [more]
            resource:
              "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
              name: r
              requestMirrorPolicies: [{cluster: \(cluster)}]
            """
        let pipeline = files.pipeline(DocumentSet.Options(allowRawResources: true))
        #expect(pipeline.allDiagnostics.map(\.code) == codes)
    }
}
