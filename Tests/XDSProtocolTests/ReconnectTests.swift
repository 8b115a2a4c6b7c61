// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

@Suite struct ReconnectTests {
    static func world(_ generation: UInt64, _ content: String) -> Snapshot {
        Snapshot(
            generation,
            [
                .cluster: ["a": content, "b": content], .endpoints: ["a": content, "b": content],
                .listener: ["l": content], .routeConfiguration: ["r": content],
            ]
        )
    }

    static func connected(_ variant: StreamStateMachine.Variant) -> FakeEnvoy {
        var envoy = FakeEnvoy(variant, snapshot: Self.world(7, "1"))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.endpoints, "a", "b")
        envoy.settle()
        envoy.subscribe(.listener)
        envoy.settle()
        envoy.subscribe(.routeConfiguration, "r")
        envoy.settle()
        return envoy
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `a proxy that is current is sent nothing`(variant: StreamStateMachine.Variant) {
        var envoy = Self.connected(variant)
        envoy.reconnect(to: Self.world(1, "1"))
        // On delta the wildcards are answered with nothing: Envoy takes that for a sign of life.
        #expect(envoy.unanswered.allSatisfy { $0.resources.isEmpty && $0.removals.isEmpty })
        #expect(envoy.unanswered.map(\.type) == (variant == .delta ? [.cluster, .listener] : []))
        envoy.settle()
        #expect(envoy.machine.status.map(\.resourcesSent).reduce(0, +) == 0)
        // And it is known to hold it: the next change is a change of that.
        envoy.publish(Self.world(2, "2"))
        envoy.settle()
        envoy.passDeadlines()
        envoy.settle()
        #expect(envoy.holds[.routeConfiguration] == ["r": Resource(.routeConfiguration, "r", "2").version])
    }

    @Test func `a proxy that went from names to everything is current all the same`() throws {
        let world = Snapshot(1, [.endpoints: ["a": "1", "b": "1", "c": "1"]])
        var envoy = FakeEnvoy(.sotw, snapshot: world)
        envoy.subscribe(.endpoints, "a", "b")
        envoy.settle()
        envoy.change(.endpoints, adding: [.wildcard], removing: ["a", "b"])
        #expect(try envoy.acked(.endpoints).resources.map(\.name).sorted() == ["a", "b", "c"])
        envoy.reconnect(to: world)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `the snapshot may come after the proxy`(variant: StreamStateMachine.Variant) {
        var envoy = Self.connected(variant)
        envoy.reconnect(to: nil)
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Self.world(1, "1"))
        #expect(envoy.unanswered.allSatisfy { $0.resources.isEmpty && $0.removals.isEmpty })
    }

    @Test func `what is gone meanwhile is removed, what changed is sent, what is current is not`() {
        var envoy = Self.connected(.delta)
        envoy.reconnect(to: Snapshot(1, [.cluster: ["a": "1", "c": "1"], .listener: ["l": "2"]]))
        var sent: [ResourceName] = []
        var removed: [ResourceName] = []
        while let response = envoy.unanswered.first {
            sent += response.resources.map(\.name)
            removed += response.removals
            envoy.ack(response.type)
        }
        #expect(sent.sorted() == ["c", "l"])
        #expect(removed.sorted() == ["a", "b", "b", "r"])
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a", "c"])
    }

    @Test func `a version of another control plane is held and not ours`() {
        var machine = StreamStateMachine(variant: .delta)
        _ = machine.snapshotChanged(Snapshot(1, [.cluster: ["a": "1"]]), changes: nil)
        let actions = machine.received(
            DeltaRequest(type: .cluster, initialResourceVersions: ["a": "v17", "b": "v17"])
        )
        guard case .respond(let response) = actions.first else {
            Issue.record("not answered")
            return
        }
        #expect(response.resources.map(\.name) == ["a"])
        let after = machine.received(DeltaRequest(type: .cluster, responseNonce: response.nonce))
        guard case .respond(let removal) = after.first else {
            Issue.record("not removed")
            return
        }
        #expect(removal.removals == ["b"])
    }
}
