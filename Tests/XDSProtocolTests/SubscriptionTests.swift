// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let both: [StreamStateMachine.Variant] = [.sotw, .delta]

@Suite struct SubscriptionTests {
    let snapshot = Snapshot(
        1,
        [
            .cluster: ["a": "1", "b": "1"], .endpoints: ["a": "1", "b": "1"], .listener: ["l": "1"],
            .routeConfiguration: ["r": "1"],
        ]
    )

    @Test(arguments: both)
    func `an empty first subscription of a root type is everything`(variant: StreamStateMachine.Variant) throws {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.cluster)
        let response = try envoy.acked(.cluster)
        #expect(Set(response.resources.map(\.name)) == ["a", "b"])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: both)
    func `a star subscribes to everything, of any type`(variant: StreamStateMachine.Variant) throws {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "*")
        do {
            let response = try envoy.acked(.endpoints)
            #expect(Set(response.resources.map(\.name)) == ["a", "b"])
        }
    }

    @Test(arguments: both)
    func `an empty first subscription of another type is nothing`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.endpoints)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: both)
    func `names get what they name`(variant: StreamStateMachine.Variant) throws {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "a")
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["a"])
        }
        envoy.subscribe(.endpoints, "b")
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["b"])
        }
    }

    @Test(arguments: both)
    func `a wildcard of nothing is answered with nothing, at once`(variant: StreamStateMachine.Variant) throws {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [:]))
        envoy.subscribe(.listener)
        let response = try envoy.acked(.listener)
        #expect(response.resources.isEmpty)
        #expect(response.removals.isEmpty)
    }

    @Test(arguments: both)
    func `without a snapshot nothing is answered, and everything once there is one`(
        variant: StreamStateMachine.Variant
    ) throws {
        var envoy = FakeEnvoy(variant)
        envoy.subscribe(.cluster)
        envoy.subscribe(.endpoints, "a")
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(self.snapshot)
        do {
            let response = try envoy.acked(.cluster)
            #expect(Set(response.resources.map(\.name)) == ["a", "b"])
        }
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["a"])
        }
    }

    @Test func `a name that nobody knows is told on delta, and sent when it appears`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "later")
        let answer = try envoy.acked(.endpoints)
        #expect(answer.resources.isEmpty)
        #expect(answer.removals == ["later"])
        envoy.publish(Snapshot(2, [.endpoints: ["later": "1"]]))
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["later"])
        }
    }

    @Test func `a name that nobody knows is silence on SotW, and sent when it appears`() throws {
        var envoy = FakeEnvoy(.sotw, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "later")
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Snapshot(2, [.endpoints: ["later": "1"]]))
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["later"])
        }
    }

    @Test func `an unknown name of a SotW root type is answered without it`() throws {
        var envoy = FakeEnvoy(.sotw, snapshot: self.snapshot)
        envoy.subscribe(.listener, "unknown")
        do {
            let response = try envoy.acked(.listener)
            #expect(response.resources.isEmpty)
        }
    }

    @Test func `an explicit re-subscription is answered though nothing changed`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "a")
        envoy.ack(.endpoints)
        envoy.subscribe(.endpoints, "a")
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["a"])
        }
    }

    @Test(arguments: [[], ["*"]] as [[ResourceName]])
    func `everything is answered again when it is asked for again`(first: [ResourceName]) throws {
        var envoy = FakeEnvoy(.delta, snapshot: self.snapshot)
        envoy.change(.cluster, adding: first, removing: [])
        envoy.settle()
        for _ in 0..<2 {
            envoy.subscribe(.cluster, "*")
            #expect(try envoy.acked(.cluster).resources.map(\.name).sorted() == ["a", "b"])
            #expect(envoy.unanswered.isEmpty)
        }
        envoy.publish(Snapshot(2, [:]))
        envoy.settle()
        envoy.subscribe(.cluster, "*")
        #expect(try envoy.acked(.cluster).resources.isEmpty)
    }

    @Test(arguments: both)
    func `a name that comes with the star was not held before`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.listener: ["a": "1", "b": "bad"]]))
        envoy.subscribe(.listener, "a")
        envoy.settle()
        envoy.subscribe(.listener, "*", "b")
        let bad = Resource(.listener, "b", "bad")
        envoy.settle(isBad: { $0 == bad })
        #expect(envoy.holds[.listener]?.keys.sorted() == ["a"])
        let status = envoy.machine.status.first
        #expect(status?.rejected.map(\.name) == ["b"])
        #expect(status?.acknowledged.compactMapValues { $0 }.keys.sorted() == ["a"])
    }

    @Test(arguments: both)
    func `what was dropped and asked for again is sent again`(variant: StreamStateMachine.Variant) throws {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "a", "b")
        envoy.ack(.endpoints)
        envoy.unsubscribe(.endpoints, "a")
        #expect(envoy.unanswered.isEmpty)
        envoy.subscribe(.endpoints, "a")
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name).contains("a"))
        }
    }

    @Test(arguments: both)
    func `what is not subscribed any more is not sent`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.endpoints, "a", "b")
        envoy.ack(.endpoints)
        envoy.unsubscribe(.endpoints, "a")
        envoy.publish(Snapshot(2, [.endpoints: ["a": "2", "b": "1"]]))
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `a name dropped under a wildcard is said again, for the wildcard covers it`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: self.snapshot)
        envoy.subscribe(.cluster, "*", "a", "unknown")
        envoy.ack(.cluster)
        envoy.unsubscribe(.cluster, "a", "unknown")
        let response = try envoy.acked(.cluster)
        #expect(response.resources.map(\.name) == ["a"])
        #expect(response.removals == ["unknown"])
    }

    @Test func `dropping the star leaves the names`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: self.snapshot)
        envoy.subscribe(.cluster, "*", "a")
        envoy.ack(.cluster)
        envoy.unsubscribe(.cluster, "*")
        envoy.publish(Snapshot(2, [.cluster: ["a": "2", "b": "2"]]))
        do {
            let response = try envoy.acked(.cluster)
            #expect(response.resources.map(\.name) == ["a"])
        }
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `after names, an empty SotW list is nothing and no wildcard`() throws {
        var envoy = FakeEnvoy(.sotw, snapshot: self.snapshot)
        envoy.subscribe(.cluster, "a")
        envoy.ack(.cluster)
        envoy.unsubscribe(.cluster, "a")
        do {
            let response = try envoy.acked(.cluster)
            #expect(response.resources.isEmpty)
        }
        envoy.publish(Snapshot(2, [.cluster: ["a": "2", "b": "2"]]))
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: both)
    func `a type that we have nothing of is served as empty`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        envoy.subscribe(.other("type.googleapis.com/acme.Thing"), "x")
        #expect(envoy.violation == nil)
        #expect(envoy.unanswered.map(\.removals) == (variant == .delta ? [["x"]] : []))
    }

    @Test(arguments: both)
    func `too many types or names end the stream`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: self.snapshot)
        for number in 0..<33 { envoy.subscribe(.other("type.googleapis.com/acme.Thing\(number)"), "x") }
        guard case .resourceExhausted = envoy.violation else {
            Issue.record("not closed: \(String(describing: envoy.violation))")
            return
        }
    }
}
