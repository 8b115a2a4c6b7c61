// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import HashTreeCollections
import Routing
import TestSupport
import Testing
import XDSProtocol
import XDSServer

/// The cost of a publication: what did not change is not made, not encoded and not hashed again.
@Suite struct ReuseTests {
    /// Files, and the worlds that are published as they change.
    private struct Run {
        var pipeline: Pipeline
        var world: TopologyWorld

        init(_ files: Files = Files(), allowRawResources: Bool = false) {
            self.pipeline = files.pipeline(DocumentSet.Options(allowRawResources: allowRawResources))
            self.world = TopologyWorld(self.pipeline.topology)
        }

        mutating func edit(_ changes: FileChange...) {
            _ = self.pipeline.apply(changes, at: .seconds(1))
            self.world = TopologyWorld(self.pipeline.topology, previous: self.world)
        }

        var group: NodeGroup {
            get throws { try #require(self.world.group(of: Node(id: "proxy"), streams: .aggregated)) }
        }

        var snapshot: Snapshot {
            get throws { Snapshot(generation: 1, resources: self.world.resources(for: try self.group)) }
        }

        var changes: [String]? {
            get throws { self.world.changes(for: try self.group)?.descriptions }
        }

        /// The names of what was encoded since: what is not in the place in memory where it was.
        func made(since before: Snapshot) throws -> [String] {
            let after = try self.snapshot
            return after.resources.flatMap { type, resources in
                resources.values.filter { $0.place != before[type, $0.name]?.place }.map { "\(type) \($0.name)" }
            }
            .sorted()
        }
    }

    private static let edits: [(FileChange, made: [String])] = [
        (.write(Files.service("web", second: "critical"), to: "web.yaml"), ["EDS web"]),
        (.write("{kind: service-defaults, name: web, connectTimeout: 3s}", to: "defaults.yaml"), ["CDS web"]),
        (.write(Files.route("web", backends: ["web": 50, "api": 50]), to: "routes.yaml"), ["RDS edge/http"]),
        (.write(Files.gateway("edge", port: 10001), to: "gateway.yaml"), ["LDS edge/http"]),
        (.write("# a line\n" + (Files().files["web.yaml"] ?? ""), to: "web.yaml"), []),
        (.write("# a line\n" + (Files().files["routes.yaml"] ?? ""), to: "routes.yaml"), []),
        (.write(Files.service("unused"), to: "unused.yaml"), []),
    ]

    @Test(arguments: Self.edits)
    func `exactly what an edit touches is encoded, and said to have changed`(edit: FileChange, made: [String]) throws {
        var run = Run()
        let before = try run.snapshot
        #expect(try run.changes == nil)
        run.edit(edit)
        #expect(try run.made(since: before) == made)
        #expect(try run.changes == made)
        #expect(try run.snapshot.differences(from: before).descriptions == made)
    }

    @Test func `with virtual hosts on demand a route changes its virtual host only`() throws {
        var files = Files()
        files.files["gateway.yaml"] = Files.gateway("edge") + "\nvirtual_hosts: on-demand"
        files.files["other.yaml"] = Files.route("other", backends: ["web": 1])
        var run = Run(files)
        let before = try run.snapshot
        run.edit(.write(Files.route("web", backends: ["web": 50, "api": 50]), to: "routes.yaml"))
        #expect(try run.made(since: before) == ["VHDS edge/http/web.example.com"])
        #expect(try run.changes == ["VHDS edge/http/web.example.com"])
    }

    @Test func `what comes and what goes is said`() throws {
        var run = Run()
        let before = try run.snapshot
        run.edit(
            .write(Files.route("web", backends: ["web": 1, "new": 1]), to: "routes.yaml"),
            .write(Files.service("new"), to: "new.yaml")
        )
        let names = ["CDS api", "CDS new", "EDS api", "EDS new", "RDS edge/http"]
        #expect(try run.changes == names)
        #expect(try run.snapshot.differences(from: before).descriptions == names)
    }

    @Test func `the last resource of a type takes the type along`() throws {
        var files = Files()
        files.files["raw.yaml"] = """
            kind: envoy-resource
            name: r
            gateways: [edge]
            resource: {"@type": type.googleapis.com/envoy.service.runtime.v3.Runtime, name: r}
            """
        var run = Run(files, allowRawResources: true)
        #expect(try run.snapshot.resources[.runtime]?.count == 1)
        run.edit(.write(files.files["raw.yaml"].map { $0 + "\nttl: 1m" } ?? "", to: "raw.yaml"))
        #expect(try run.changes == ["RTDS r"])
        run.edit(.write("", to: "raw.yaml"))
        _ = run.pipeline.acceptRemovals(at: .seconds(9))
        run.world = TopologyWorld(run.pipeline.topology, previous: run.world)
        #expect(try run.snapshot.resources[.runtime] == nil)
    }

    @Test func `a resource that moved within its file knows where it is now`() throws {
        var run = Run()
        let before = try #require(try run.snapshot[.endpoints, ResourceName("web")])
        run.edit(.write("# a line\n" + (Files().files["web.yaml"] ?? ""), to: "web.yaml"))
        let after = try #require(try run.snapshot[.endpoints, ResourceName("web")])
        #expect(before.origins == ["web.yaml:1"])
        #expect(after.origins == ["web.yaml:2"])
        #expect(after.place == before.place)
    }

    @Test func `many edits come to what one reading of the files comes to`() throws {
        var run = Run()
        var all = Pipeline()
        _ = all.apply(Files().files.map { .write($0.value, to: $0.key) }, at: .zero)
        for (edit, _) in Self.edits {
            run.edit(edit)
            _ = all.apply([edit], at: .seconds(1))
            let fresh = TopologyWorld(all.topology)
            let snapshot = Snapshot(generation: 1, resources: fresh.resources(for: try run.group))
            #expect(try run.snapshot.differences(from: snapshot).isEmpty)
            #expect(try run.snapshot.names == snapshot.names)
        }
    }

    @Test func `a raw resource in error keeps its last good version from world to world`() throws {
        var files = Files()
        let text = """
            kind: envoy-resource
            name: r
            gateways: [edge]
            resource:
              "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
              name: r
              requestMirrorPolicies: [{cluster: web}]
            """
        files.files["raw.yaml"] = text
        var run = Run(files, allowRawResources: true)
        let before = try run.snapshot
        for cluster in ["wbe", "bew"] {
            run.edit(.write(text.replacing("web", with: cluster), to: "raw.yaml"))
            #expect(try run.changes == [])
            #expect(try run.made(since: before) == [])
            #expect(run.world.diagnostics.map(\.code) == ["SB212"])
        }
    }

    @Test func `groups are kept while nobody's selector changes`() throws {
        var run = Run()
        #expect(!run.world.keepsGroups)
        run.edit(.write(Files.service("web", second: "critical"), to: "web.yaml"))
        #expect(run.world.keepsGroups)
        run.edit(.write(Files.gateway("edge", port: 10001), to: "gateway.yaml"))
        #expect(run.world.keepsGroups)
        run.edit(.write(Files.gateway("edge", proxies: "{ids: [x]}"), to: "gateway.yaml"))
        #expect(!run.world.keepsGroups)
        run.edit(.write(Files.gateway("second"), to: "second.yaml"))
        #expect(!run.world.keepsGroups)
        run.edit(.write(Files.gateway("second") + "\nclusters: on-demand", to: "second.yaml"))
        #expect(!run.world.keepsGroups)
    }

    @Test func `a world does not keep the world before it`() throws {
        var run = Run()
        _ = try run.snapshot
        weak let first = run.world
        run.edit(.write(Files.service("web", second: "critical"), to: "web.yaml"))
        #expect(first == nil)
        #expect(try run.changes == ["EDS web"])
    }
}

extension Resource {
    /// Where its bytes are. What was encoded again is elsewhere.
    fileprivate var place: Int {
        self.deltaEntry.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    }
}
