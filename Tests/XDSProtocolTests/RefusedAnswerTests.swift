// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let both: [StreamStateMachine.Variant] = [.sotw, .delta]

/// What else was in a response that is refused: answers that the client waits for.
@Suite struct RefusedAnswerTests {
    private static let bad = Resource(.endpoints, "y", "bad")

    /// Two clusters changed, the endpoints of one did too, and are bad.
    private func changed(_ variant: StreamStateMachine.Variant) -> FakeEnvoy {
        func world(_ generation: UInt64, _ content: String, y: String) -> Snapshot {
            Snapshot(
                generation,
                [
                    .cluster: ["x": content, "y": content], .endpoints: ["x": "1", "y": y], .listener: ["l": content],
                ]
            )
        }
        var envoy = FakeEnvoy(variant, snapshot: world(1, "1", y: "1"))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.endpoints, "x", "y")
        envoy.settle()
        envoy.subscribe(.listener)
        envoy.settle()
        envoy.publish(world(2, "2", y: "bad"))
        envoy.ack(.cluster)
        return envoy
    }

    @Test(arguments: both, ["no", "y is bad"])
    func `unchanged endpoints, which their cluster waits for, are sent without the bad ones`(
        variant: StreamStateMachine.Variant,
        words: String
    ) throws {
        var envoy = self.changed(variant)
        let refused = envoy.nack(.endpoints, words)
        #expect(refused?.resources.map(\.name).sorted() == ["x", "y"])
        // The listener waits for them.
        #expect(envoy.unanswered.map(\.type) == [.endpoints])
        #expect(try envoy.acked(.endpoints).resources == [Resource(.endpoints, "x", "1")])
        #expect(envoy.unanswered.map(\.type) == [.listener])
    }

    @Test(arguments: both)
    func `a client that refuses everything comes to rest`(variant: StreamStateMachine.Variant) {
        var envoy = self.changed(variant)
        var rounds = 0
        while envoy.nack(.endpoints, "no") != nil, rounds < 100 { rounds += 1 }
        #expect(rounds == 2)
        #expect(envoy.unanswered.map(\.type) == [.listener])
    }

    @Test func `a name that nobody knows is told beside a bad resource, and once more only`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.endpoints: ["y": "bad"]]))
        envoy.subscribe(.endpoints, "y", "missing")
        envoy.nack(.endpoints, "no")
        #expect(envoy.response(.endpoints)?.resources == [])
        #expect(envoy.nack(.endpoints, "no")?.removals == ["missing"])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `what is asked for again is sent without the bad resource`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.endpoints: ["x": "1", "y": "bad"]]))
        envoy.subscribe(.endpoints, "x")
        envoy.settle()
        envoy.subscribe(.endpoints, "x", "y")
        envoy.nack(.endpoints, "no")
        #expect(try envoy.acked(.endpoints).resources == [Resource(.endpoints, "x", "1")])
        #expect(envoy.unanswered.isEmpty)
    }

    // MARK: Virtual hosts

    private func asking(_ names: ResourceName..., holding: [ResourceName] = []) -> FakeEnvoy {
        var envoy = FakeEnvoy(
            .delta,
            snapshot: Snapshot(1, [.virtualHost: ["r/*.good.com": "1", "r/*.fine.com": "1", "r/*.bad.com": "bad"]])
        )
        if !holding.isEmpty { envoy.change(.virtualHost, adding: holding, removing: []) }
        envoy.settle()
        envoy.change(.virtualHost, adding: names, removing: [])
        return envoy
    }

    @Test func `a host that nobody serves is denied beside a bad virtual host`() throws {
        var envoy = self.asking("r/x.bad.com", "r/nobody.org")
        envoy.nack(.virtualHost, "no")
        let denial = try envoy.acked(.virtualHost)
        #expect(denial.unknown == ["r/nobody.org"])
        #expect(denial.resources.isEmpty)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `a first request that named nothing is answered beside a bad virtual host`() throws {
        var machine = StreamStateMachine(variant: .delta)
        _ = machine.snapshotChanged(Snapshot(1, [.virtualHost: ["r/x": "bad"]]), changes: nil)
        let first = machine.received(DeltaRequest(type: .virtualHost, initialResourceVersions: ["r/x": "old"]))
        guard case .respond(let refused) = first.first else {
            Issue.record("it is not answered")
            return
        }
        #expect(refused.resources.count == 1)
        #expect(refused.unknown.count == 1)
        let after = machine.received(
            DeltaRequest(type: .virtualHost, responseNonce: refused.nonce, errorDetail: "no")
        )
        guard case .respond(let placeholder) = after.last else {
            Issue.record("it is not answered any more")
            return
        }
        #expect(placeholder.resources.isEmpty)
        #expect(placeholder.unknown == refused.unknown)
    }

    @Test(arguments: ["no", "r/*.bad.com is bad"])
    func `good virtual hosts are told under the names that were asked for`(words: String) throws {
        var envoy = self.asking("r/a.good.com", "r/b.good.com", "r/a.fine.com", "r/x.bad.com")
        var aliases: [ResourceName: [ResourceName]] = [:]
        while let response = envoy.response(.virtualHost) {
            if response.resources.contains(Resource(.virtualHost, "r/*.bad.com", "bad")) {
                envoy.nack(.virtualHost, words)
            } else {
                aliases.merge(response.aliases) { $0 + $1 }
                envoy.ack(.virtualHost)
            }
        }
        #expect(aliases == ["r/*.good.com": ["r/a.good.com", "r/b.good.com"], "r/*.fine.com": ["r/a.fine.com"]])
        // The bad one as well, when it is mended.
        envoy.publish(
            Snapshot(2, [.virtualHost: ["r/*.good.com": "1", "r/*.fine.com": "1", "r/*.bad.com": "good"]]),
            changes: ChangeSet(names: [.virtualHost: ["r/*.bad.com"]])
        )
        #expect(try envoy.acked(.virtualHost).aliases == ["r/*.bad.com": ["r/x.bad.com"]])
    }

    @Test func `a virtual host that is held is told under another name beside a bad one`() throws {
        var envoy = self.asking("r/b.good.com", "r/x.bad.com", holding: ["r/a.good.com"])
        envoy.nack(.virtualHost, "no")
        let response = try envoy.acked(.virtualHost)
        #expect(response.resources.map(\.name) == ["r/*.good.com"])
        #expect(response.aliases == ["r/*.good.com": ["r/b.good.com"]])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `what serves others is not told to who has a virtual host of its own by now`() throws {
        func world(_ generation: UInt64, _ hosts: [String: String]) -> Snapshot {
            Snapshot(generation, [.virtualHost: hosts])
        }
        var envoy = FakeEnvoy(.delta, snapshot: world(1, ["r/*.b.com": "bad"]))
        envoy.subscribe(.virtualHost, "r/a.b.com", "r/c.b.com")
        envoy.nack(.virtualHost, "no")
        envoy.publish(
            world(2, ["r/*.b.com": "bad", "r/a.b.com": "1"]),
            changes: ChangeSet(names: [.virtualHost: ["r/a.b.com"]])
        )
        #expect(try envoy.acked(.virtualHost).resources == [Resource(.virtualHost, "r/a.b.com", "1")])
        envoy.publish(
            world(3, ["r/*.b.com": "2", "r/a.b.com": "1"]),
            changes: ChangeSet(names: [.virtualHost: ["r/*.b.com"]])
        )
        let response = try envoy.acked(.virtualHost)
        #expect(response.resources == [Resource(.virtualHost, "r/*.b.com", "2")])
        #expect(response.aliases == ["r/*.b.com": ["r/c.b.com"]])
    }

    @Test func `a client that refuses every virtual host comes to rest`() {
        var envoy = self.asking(
            "r/b.good.com",
            "r/x.bad.com",
            "r/nobody.org",
            holding: ["r/a.good.com", "r/a.fine.com"]
        )
        var rounds = 0
        while envoy.nack(.virtualHost, "no") != nil, rounds < 100 { rounds += 1 }
        #expect(rounds <= 6)
    }
}
