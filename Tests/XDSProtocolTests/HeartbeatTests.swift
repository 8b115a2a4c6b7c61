// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import Testing
import XDSProtocol

/// What expires stays alive, whatever else happens.
@Suite struct HeartbeatTests {
    private static func expiring(
        _ name: ResourceName,
        _ content: String,
        _ timeToLive: Duration? = .seconds(3)
    ) -> Resource {
        Resource(type: .runtime, name: name, message: Array(content.utf8), timeToLive: timeToLive)
    }

    private static func world(_ generation: UInt64, _ resources: Resource...) -> Snapshot {
        let named = resources.map { ($0.name, $0) }
        return Snapshot(
            generation: generation,
            resources: [.runtime: Snapshot.Resources(uniqueKeysWithValues: named)]
        )
    }

    /// A client that holds these.
    private static func holding(_ variant: StreamStateMachine.Variant, _ resources: Resource...) -> FakeEnvoy {
        let named = resources.map { ($0.name, $0) }
        let snapshot = Snapshot(
            generation: 1,
            resources: [.runtime: Snapshot.Resources(uniqueKeysWithValues: named)]
        )
        var envoy = FakeEnvoy(variant, snapshot: snapshot)
        envoy.change(.runtime, adding: resources.map(\.name), removing: [])
        envoy.settle()
        return envoy
    }

    @Test(arguments: [Duration.seconds(3), nil])
    func `on delta the last good version is kept alive when the newest is refused`(newest: Duration?) throws {
        let good = Self.expiring("x", "good")
        var envoy = Self.holding(.delta, good)
        envoy.publish(Self.world(2, Self.expiring("x", "bad", newest)))
        envoy.nack(.runtime, "no")
        for _ in 0..<3 {
            #expect(envoy.deadlines.count == 1)
            envoy.passDeadlines()
            let response = try envoy.acked(.runtime)
            #expect(response.heartbeats == [good])
            #expect(response.resources.isEmpty)
            #expect(envoy.unanswered.isEmpty)
        }
    }

    @Test(arguments: [Duration.seconds(3), nil])
    func `on state of the world it is the last good version that is sent again`(newest: Duration?) throws {
        let good = Self.expiring("x", "good")
        var envoy = Self.holding(.sotw, good)
        envoy.publish(Self.world(2, Self.expiring("x", "bad", newest)))
        envoy.nack(.runtime, "no")
        for _ in 0..<3 {
            envoy.passDeadlines()
            #expect(try envoy.acked(.runtime).resources == [good])
            #expect(envoy.unanswered.isEmpty)
        }
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["x"])
    }

    @Test func `what does not expire any more needs no heartbeat`() {
        var envoy = Self.holding(.delta, Self.expiring("x", "1"))
        envoy.publish(Self.world(2, Self.expiring("x", "2", nil)))
        envoy.settle()
        envoy.passDeadlines()
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.deadlines.isEmpty)
    }

    @Test func `a type that never rests has its heartbeats beside its changes`() throws {
        let x = Self.expiring("x", "1")
        var envoy = Self.holding(.delta, x, Self.expiring("y", "1", nil))
        for generation in UInt64(2)...4 {
            envoy.publish(Self.world(2 * generation, x, Self.expiring("y", "\(2 * generation)", nil)))
            envoy.passDeadlines()
            envoy.publish(Self.world(2 * generation + 1, x, Self.expiring("y", "\(2 * generation + 1)", nil)))
            #expect(try envoy.acked(.runtime).heartbeats.isEmpty)
            let response = try envoy.acked(.runtime)
            #expect(response.resources.map(\.name) == ["y"])
            #expect(response.heartbeats == [x])
        }
    }

    @Test func `a response is not said to have a name twice`() throws {
        var envoy = Self.holding(.delta, Self.expiring("x", "1"))
        envoy.publish(Self.world(2, Self.expiring("x", "2")))
        envoy.passDeadlines()
        envoy.publish(Self.world(3, Self.expiring("x", "3")))
        envoy.ack(.runtime)
        let response = try envoy.acked(.runtime)
        #expect(response.resources == [Self.expiring("x", "3")])
        #expect(response.heartbeats.isEmpty)
    }

    @Test func `what is refused beside a heartbeat is tried without it`() throws {
        let (x, bad) = (Self.expiring("x", "1"), Self.expiring("y", "bad", nil))
        var envoy = Self.holding(.delta, x, Self.expiring("y", "1", nil))
        envoy.publish(Self.world(2, x, Self.expiring("y", "2", nil)))
        envoy.passDeadlines()
        envoy.publish(Self.world(3, x, bad))
        envoy.ack(.runtime)
        #expect(envoy.nack(.runtime, "no")?.heartbeats == [x])
        #expect(try envoy.acked(.runtime).heartbeats == [x])
        #expect(envoy.nack(.runtime, "no")?.resources == [bad])
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["y"])
    }

    @Test func `who refuses a heartbeat is sent the resource`() throws {
        let x = Self.expiring("x", "1")
        var envoy = Self.holding(.delta, x)
        envoy.passDeadlines()
        #expect(envoy.nack(.runtime, "what is it that lives?")?.heartbeats == [x])
        #expect(try envoy.acked(.runtime).resources == [x])
        #expect(envoy.unanswered.isEmpty)
        envoy.passDeadlines()
        #expect(try envoy.acked(.runtime).heartbeats == [x])
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `a shorter time to live that comes later is not waited for`(variant: StreamStateMachine.Variant) throws {
        let long = Self.expiring("long", "1", .seconds(300))
        var envoy = FakeEnvoy(variant, snapshot: Self.world(1, long))
        envoy.subscribe(.runtime, "long", "short")
        envoy.settle()
        #expect(envoy.deadlines.map { envoy.durations[$0] } == [.seconds(100)])
        envoy.publish(Self.world(2, long, Self.expiring("short", "1")))
        envoy.settle()
        #expect(envoy.deadlines.map { envoy.durations[$0] } == [.seconds(100), .seconds(1)])
        // The other one counts no more.
        envoy.passDeadlines(1)
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.deadlines.count == 1)
        envoy.passDeadlines()
        let response = try envoy.acked(.runtime)
        #expect((response.heartbeats + response.resources).map(\.name).sorted() == ["long", "short"])
        #expect(envoy.deadlines.map { envoy.durations[$0] } == [.seconds(1)])
    }
}
