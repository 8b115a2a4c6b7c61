// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let both: [StreamStateMachine.Variant] = [.sotw, .delta]

@Suite struct AcknowledgementTests {
    @Test(arguments: both)
    func `one response of a type is un-ACKed at most, and the newest state follows it`(
        variant: StreamStateMachine.Variant
    ) throws {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.endpoints: ["a": "1"]]))
        envoy.subscribe(.endpoints, "a")
        for generation in UInt64(2)...5 {
            envoy.publish(Snapshot(generation, [.endpoints: ["a": "\(generation)"]]))
        }
        #expect(envoy.unanswered.count == 1)
        envoy.ack(.endpoints)
        #expect(envoy.response(.endpoints)?.resources == [Resource(.endpoints, "a", "5")])
        envoy.ack(.endpoints)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: both)
    func `a change back to what is held sends nothing`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.endpoints: ["a": "1"], .cluster: ["c": "1"]]))
        envoy.subscribe(.endpoints, "a")
        envoy.ack(.endpoints)
        envoy.publish(Snapshot(2, [.endpoints: ["a": "1"], .cluster: ["c": "2"]]))
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: both)
    func `a stale nonce answers nothing`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.endpoints: ["a": "1"]]))
        envoy.subscribe(.endpoints, "a")
        envoy.answerStale(.endpoints, nonce: "none", error: "stale words")
        #expect(envoy.machine.lastRequestKind == .stale)
        #expect(envoy.rejections.isEmpty)
        #expect(envoy.unanswered.count == 1)
        envoy.ack(.endpoints)
        #expect(envoy.machine.lastRequestKind == .ack)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `a stale nonce's subscription counts`() throws {
        var machine = StreamStateMachine(variant: .sotw)
        _ = machine.snapshotChanged(Snapshot(1, [.endpoints: ["a": "1", "b": "1"]]), changes: nil)
        let first = machine.received(SotWRequest(type: .endpoints, resourceNames: ["a"]))
        guard case .respond(let response) = try #require(first.first) else { return }
        // b is asked for with an old nonce while the first response is on its way.
        let stale = SotWRequest(type: .endpoints, resourceNames: ["a", "b"], responseNonce: "old")
        let afterStale = machine.received(stale)
        // Not for ever: see below.
        #expect(afterStale == [.wake(1, after: .milliseconds(500))])
        let ack = SotWRequest(
            type: .endpoints,
            resourceNames: ["a", "b"],
            versionInfo: response.versionInfo,
            responseNonce: response.nonce
        )
        let afterACK = machine.received(ack)
        guard case .respond(let second) = try #require(afterACK.first) else { return }
        #expect(second.resources.map(\.name) == ["b"])
    }

    @Test(arguments: both)
    func `what is asked for is answered beside a response that is not`(variant: StreamStateMachine.Variant) throws {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.endpoints: ["a": "1", "b": "1"]]))
        envoy.subscribe(.endpoints, "a")
        envoy.settle()
        envoy.publish(Snapshot(2, [.endpoints: ["a": "2", "b": "1"]]))
        envoy.subscribe(.endpoints, "b")
        let unanswered = try #require(envoy.response(.endpoints))
        #expect(unanswered.resources.map(\.name) == ["a"])
        #expect(envoy.unanswered.count == 1 && envoy.deadlines.count == 1)
        // One wait for all that is asked.
        envoy.subscribe(.endpoints, "c")
        #expect(envoy.deadlines.count == 1)
        envoy.passDeadlines()
        let newest = try #require(envoy.unanswered.last)
        #expect(newest.nonce != unanswered.nonce)
        #expect(newest.resources.map(\.name).sorted() == ["a", "b"])
        // Whatever it says of the older one now.
        envoy.nack(.endpoints, "late")
        #expect(envoy.rejections.isEmpty)
        envoy.settle()
        #expect(envoy.holds[.endpoints]?.keys.sorted() == ["a", "b"])
        envoy.passDeadlines()
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `removals and unknown names that were not answered are said again with what is asked for`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.cluster: ["a": "1"]]))
        envoy.subscribe(.cluster, "a")
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["b": "1"]]))
        envoy.subscribe(.cluster, "x")
        #expect(envoy.response(.cluster)?.removals == ["a"])
        envoy.passDeadlines()
        let second = try #require(envoy.unanswered.last)
        #expect(second.removals == ["x"])
        envoy.settle()
        #expect(envoy.holds[.cluster]?.isEmpty == true)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `an answer that comes in time ends the wait`() {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.endpoints: ["a": "1", "b": "1"]]))
        envoy.subscribe(.endpoints, "a")
        envoy.subscribe(.endpoints, "b")
        envoy.settle()
        envoy.passDeadlines()
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.holds[.endpoints]?.count == 2)
    }

    @Test(arguments: both)
    func `nonces are unique on a stream`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.endpoints: ["a": "1"], .cluster: ["c": "1"]]))
        var nonces: Set<Nonce> = []
        envoy.subscribe(.cluster)
        envoy.subscribe(.endpoints, "a")
        for generation in UInt64(2)...6 {
            for response in envoy.unanswered { #expect(nonces.insert(response.nonce).inserted) }
            envoy.settle()
            envoy.publish(Snapshot(generation, [.endpoints: ["a": "\(generation)"], .cluster: ["c": "\(generation)"]]))
        }
        #expect(nonces.count >= 6)
    }

    @Test func `a SotW root response lists everything, others only what changed`() throws {
        var envoy = FakeEnvoy(
            .sotw,
            snapshot: Snapshot(1, [.cluster: ["a": "1", "b": "1"], .endpoints: ["a": "1", "b": "1"]])
        )
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.endpoints, "a", "b")
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["a": "2", "b": "1"], .endpoints: ["a": "1", "b": "2"]]))
        do {
            let response = try envoy.acked(.cluster)
            #expect(Set(response.resources.map(\.name)) == ["a", "b"])
        }
        // a follows the update of its cluster at once; b, which changed, comes in its turn.
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["a"])
        }
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["b"])
        }
        envoy.publish(Snapshot(3, [.cluster: ["a": "2", "b": "1"], .endpoints: ["a": "1", "b": "3"]]))
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["b"])
        }
    }

    @Test func `a delta response carries only what changed`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.cluster: ["a": "1", "b": "1", "c": "1"]]))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.publish(
            Snapshot(2, [.cluster: ["a": "2", "b": "1"]]),
            changes: ChangeSet(names: [.cluster: ["a", "c"]])
        )
        do {
            let response = try envoy.acked(.cluster)
            #expect(response.resources.map(\.name) == ["a"])
        }
        do {
            let response = try envoy.acked(.cluster)
            #expect(response.removals == ["c"])
        }
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a", "b"])
    }

    @Test(arguments: both)
    func `an older snapshot is ignored`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(2, [.endpoints: ["a": "2"]]))
        envoy.subscribe(.endpoints, "a")
        envoy.settle()
        envoy.publish(Snapshot(1, [.endpoints: ["a": "1"]]))
        #expect(envoy.unanswered.isEmpty)
    }
}
