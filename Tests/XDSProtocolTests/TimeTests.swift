// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import Testing
import XDSProtocol

/// What happens because time passes: resources that expire, and answers that do not come.
@Suite struct TimeTests {
    private static func snapshot(_ generation: UInt64, _ type: TypeURL, _ content: String) -> Snapshot {
        let resource = Resource(
            type: type,
            name: "x",
            message: Array(content.utf8),
            timeToLive: .seconds(3)
        )
        return Snapshot(generation: generation, resources: [type: ["x": resource]])
    }

    @Test func `on delta a resource that expires is kept alive without its content`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.snapshot(1, .runtime, "1"))
        envoy.subscribe(.runtime, "x")
        envoy.settle()
        for _ in 0..<3 {
            #expect(envoy.deadlines.count == 1)
            envoy.passDeadlines()
            let heartbeat = try envoy.acked(.runtime)
            #expect(heartbeat.resources.isEmpty)
            #expect(heartbeat.heartbeats.map(\.name) == ["x"])
        }
        envoy.publish(Self.snapshot(2, .runtime, "2"), changes: ChangeSet(names: [.runtime: ["x"]]))
        #expect(try envoy.acked(.runtime).resources.count == 1)
    }

    @Test(arguments: [TypeURL.runtime, .cluster])
    func `on state of the world it is sent again, whole`(type: TypeURL) throws {
        var envoy = FakeEnvoy(.sotw, snapshot: Self.snapshot(1, type, "1"))
        if type.isRoot { envoy.subscribe(type) } else { envoy.subscribe(type, "x") }
        envoy.settle()
        envoy.passDeadlines()
        #expect(try envoy.acked(type).resources.map(\.name) == ["x"])
    }

    @Test func `what does not expire needs no heartbeat`() {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.runtime: ["x": "1"]]))
        envoy.subscribe(.runtime, "x")
        envoy.settle()
        #expect(envoy.deadlines.isEmpty)
    }

    @Test func `another time to live is another version`() {
        let short = Resource(type: .runtime, name: "x", message: [1], timeToLive: .seconds(1))
        let long = Resource(type: .runtime, name: "x", message: [1], timeToLive: .seconds(2))
        let eternal = Resource(type: .runtime, name: "x", message: [1])
        #expect(Set([short.version, long.version, eternal.version]).count == 3)
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `a type that is not answered holds up the others for a while, and removals for ever`(
        variant: StreamStateMachine.Variant
    ) throws {
        let before: [TypeURL: [String: String]] = [.cluster: ["a": "1", "b": "1"], .listener: ["l": "1"]]
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, before))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.listener)
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["a": "2"], .listener: ["l": "2"]]))
        #expect(envoy.response(.listener) == nil)
        // The clusters stay unanswered.
        envoy.passDeadlines()
        #expect(try envoy.acked(.listener).resources == [Resource(.listener, "l", "2")])
        envoy.passDeadlines()
        #expect(envoy.unanswered.map(\.type) == [.cluster])
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a", "b"])
        envoy.settle()
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a"])
    }
}
