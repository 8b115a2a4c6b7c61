// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import HashTreeCollections
import Routing
import Synchronization
import Testing
import XDSProtocol

@testable import XDSServer

/// The cost of a change: exactly the resources that it touches are others, for whoever publishes and for whoever waits.
@Suite struct ChangeTests {
    /// What changes for a proxy when files change.
    private func changes(_ edits: FileChange...) -> (isPublished: Bool, changes: [String]) {
        var pipeline = Files().pipeline()
        let before = pipeline.snapshot()
        let isPublished = pipeline.apply(edits, at: .seconds(1))
        #expect(pipeline.codes == [])
        return (isPublished, pipeline.snapshot(2).differences(from: before).descriptions)
    }

    @Test func `an edited weight changes the route configuration and nothing else`() {
        let (isPublished, changes) = self.changes(
            .write(Files.route("web", backends: ["web": 50, "api": 50]), to: "routes.yaml")
        )
        #expect(isPublished)
        #expect(changes == ["RDS edge/http"])
    }

    @Test func `an instance's health changes its service's endpoints and nothing else`() {
        let (isPublished, changes) = self.changes(.write(Files.service("web", second: "critical"), to: "web.yaml"))
        #expect(isPublished)
        #expect(changes == ["EDS web"])
    }

    @Test func `a warning is for people and changes nothing`() {
        let (isPublished, changes) = self.changes(.write(Files.service("web", second: "warning"), to: "web.yaml"))
        #expect(!isPublished)
        #expect(changes == [])
    }

    @Test func `a service's settings change its cluster and nothing else`() {
        let (isPublished, changes) = self.changes(
            .write("{kind: service-defaults, name: web, connectTimeout: 3s}", to: "defaults.yaml")
        )
        #expect(isPublished)
        #expect(changes == ["CDS web"])
    }

    @Test func `another port changes the listener and nothing else`() {
        let (isPublished, changes) = self.changes(.write(Files.gateway("edge", port: 10001), to: "gateway.yaml"))
        #expect(isPublished)
        #expect(changes == ["LDS edge/http"])
    }

    @Test func `a service that nothing leads to changes nothing`() {
        let (isPublished, changes) = self.changes(.write(Files.service("unused"), to: "unused.yaml"))
        #expect(!isPublished)
        #expect(changes == [])
    }

    @Test(arguments: ["gateway.yaml", "web.yaml", "routes.yaml"])
    func `a comment changes nothing`(file: String) {
        let (_, changes) = self.changes(.write("# a line more\n" + (Files().files[file] ?? ""), to: file))
        #expect(changes == [])
    }

    @Test(arguments: ["gateway.yaml", "web.yaml", "routes.yaml"])
    func `a document that moves to another file changes nothing`(file: String) {
        let (_, changes) = self.changes(.remove(file), .write(Files().files[file] ?? "", to: "moved.yaml"))
        #expect(changes == [])
    }

    @Test func `equal files have equal versions in another process, whatever the order they were read in`() {
        let files = Files().files.sorted { $0.key < $1.key }
        var forwards = Pipeline()
        var backwards = Pipeline()
        for (index, file) in files.enumerated() {
            _ = forwards.apply([.write(file.value, to: file.key)], at: .seconds(index))
        }
        for (index, file) in files.reversed().enumerated() {
            _ = backwards.apply([.write(file.value, to: file.key)], at: .seconds(index))
        }
        let together = Files().pipeline().snapshot()
        #expect(forwards.snapshot().differences(from: together).isEmpty)
        #expect(backwards.snapshot().differences(from: together).isEmpty)
        #expect(!together.names.isEmpty)
    }

    @Test func `who waits at the cache is told of what changed and of nothing else`() throws {
        let cache = SnapshotCache()
        var pipeline = Files().pipeline()
        cache.publish(TopologyWorld(pipeline.topology))
        let watch = cache.watch(node: Node(id: "proxy"), streams: .aggregated, onDelivery: {})
        let first = try #require(watch.take())
        #expect(first.changes == nil)

        _ = pipeline.apply([.write(Files.service("web", second: "critical"), to: "web.yaml")], at: .seconds(1))
        cache.publish(TopologyWorld(pipeline.topology))
        let second = try #require(watch.take())
        #expect(second.changes?.descriptions == ["EDS web"])
        for type in [TypeURL.listener, .routeConfiguration, .cluster] {
            #expect(second.snapshot[type] == first.snapshot[type])
        }
        cache.publish(TopologyWorld(pipeline.topology))
        #expect(watch.take() == nil)
    }
}
