// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

@Suite struct PushOrderTests {
    let before = Snapshot(
        1,
        [
            .cluster: ["old": "1"], .endpoints: ["old": "1"], .listener: ["l": "1"],
            .routeConfiguration: ["r": "to old"],
        ]
    )
    let after = Snapshot(
        2,
        [
            .cluster: ["new": "1"], .endpoints: ["new": "1"], .listener: ["l": "2"],
            .routeConfiguration: ["r": "to new"],
        ]
    )

    func connected(_ variant: StreamStateMachine.Variant) -> FakeEnvoy {
        var envoy = FakeEnvoy(variant, snapshot: self.before)
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.endpoints, "old")
        envoy.settle()
        envoy.subscribe(.listener)
        envoy.settle()
        envoy.subscribe(.routeConfiguration, "r")
        envoy.settle()
        return envoy
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `make before break`(variant: StreamStateMachine.Variant) {
        var envoy = self.connected(variant)
        envoy.publish(self.after)

        #expect(envoy.unanswered.map(\.type) == [.cluster])
        envoy.ack(.cluster)
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["new", "old"])

        // Nothing leads to the new cluster before it has its endpoints.
        #expect(envoy.unanswered.isEmpty)
        envoy.subscribe(.endpoints, "new")
        #expect(envoy.unanswered.map(\.type) == [.endpoints])
        envoy.ack(.endpoints)

        #expect(envoy.unanswered.map(\.type) == [.listener])
        envoy.ack(.listener)
        #expect(envoy.unanswered.map(\.type) == [.routeConfiguration])
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["new", "old"])
        envoy.ack(.routeConfiguration)

        #expect(envoy.unanswered.map(\.type) == [.cluster])
        envoy.ack(.cluster)
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["new"])
        envoy.unsubscribe(.endpoints, "old")
        envoy.settle()
        #expect(envoy.holds[.endpoints]?.keys.sorted() == ["new"])
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `a client that never asks for endpoints does not hold up the rest for ever`(
        variant: StreamStateMachine.Variant
    ) {
        var envoy = self.connected(variant)
        envoy.publish(self.after)
        envoy.ack(.cluster)
        #expect(envoy.unanswered.isEmpty)
        envoy.passDeadlines()
        #expect(envoy.unanswered.map(\.type) == [.listener])
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `endpoints follow every update of their cluster, though unchanged`(variant: StreamStateMachine.Variant) throws
    {
        var envoy = self.connected(variant)
        let next = Snapshot(
            2,
            [
                .cluster: ["old": "2"], .endpoints: ["old": "1"], .listener: ["l": "1"],
                .routeConfiguration: ["r": "to old"],
            ]
        )
        envoy.publish(next)
        envoy.ack(.cluster)
        do {
            let response = try envoy.acked(.endpoints)
            #expect(response.resources.map(\.name) == ["old"])
        }
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `what is asked for is answered whatever else is on its way`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: self.before)
        envoy.subscribe(.cluster)
        envoy.subscribe(.listener)
        envoy.subscribe(.routeConfiguration, "r")
        #expect(envoy.unanswered.map(\.type) == [.cluster, .listener, .routeConfiguration])
        #expect(envoy.unanswered.map(\.resources.count) == [1, 1, 1])
    }

    @Test func `a listener goes with the response that brings its successor`() throws {
        var envoy = self.connected(.delta)
        let next = Snapshot(
            2,
            [
                .cluster: ["old": "1"], .endpoints: ["old": "1"], .listener: ["m": "1"],
                .routeConfiguration: ["r": "to old"],
            ]
        )
        envoy.publish(next)
        let response = try envoy.acked(.listener)
        #expect(response.resources.map(\.name) == ["m"])
        #expect(response.removals == ["l"])
    }

    @Test func `a removal that is undone before its turn is no removal`() {
        var envoy = FakeEnvoy(.sotw, snapshot: Snapshot(1, [.cluster: ["a": "1", "b": "1"], .listener: ["l": "1"]]))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.listener)
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["a": "1"], .listener: ["l": "2"]]))
        #expect(envoy.unanswered.map(\.type) == [.listener])
        envoy.publish(Snapshot(3, [.cluster: ["a": "1", "b": "1"], .listener: ["l": "2"]]))
        envoy.ack(.listener)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `a stream of one type waits for nobody`() {
        var envoy = FakeEnvoy(.delta, snapshot: self.before)
        envoy.subscribe(.routeConfiguration, "r")
        envoy.ack(.routeConfiguration)
        envoy.publish(self.after)
        #expect(envoy.unanswered.map(\.type) == [.routeConfiguration])
    }
}
