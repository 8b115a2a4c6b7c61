// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let both: [StreamStateMachine.Variant] = [.sotw, .delta]

/// What is sent though nothing of it changed and nobody asked: it never says again what was refused.
@Suite struct DebtTests {
    static func world(_ generation: UInt64, cluster: String, endpoints: String, listener: String = "1") -> Snapshot {
        Snapshot(generation, [.cluster: ["x": cluster], .endpoints: ["x": endpoints], .listener: ["l": listener]])
    }

    static func connected(_ variant: StreamStateMachine.Variant, endpoints: String) -> FakeEnvoy {
        var envoy = FakeEnvoy(variant, snapshot: Self.world(1, cluster: "1", endpoints: endpoints))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.endpoints, "x")
        envoy.settle(isBad: { $0 == Resource(.endpoints, "x", "bad") })
        envoy.subscribe(.listener)
        envoy.settle()
        return envoy
    }

    @Test(arguments: both)
    func `a cluster that changes is followed by its last good endpoints`(variant: StreamStateMachine.Variant) throws {
        var envoy = Self.connected(variant, endpoints: "1")
        envoy.publish(Self.world(2, cluster: "1", endpoints: "bad"))
        envoy.nack(.endpoints, "no")
        for round in 1...3 {
            envoy.publish(
                Self.world(UInt64(2 + round), cluster: "changed \(round)", endpoints: "bad", listener: "after \(round)")
            )
            envoy.ack(.cluster)
            #expect(try envoy.acked(.endpoints).resources == [Resource(.endpoints, "x", "1")])
            #expect(try envoy.acked(.listener).resources.map(\.name) == ["l"])
        }
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Self.world(9, cluster: "changed 3", endpoints: "2", listener: "after 3"))
        #expect(try envoy.acked(.endpoints).resources == [Resource(.endpoints, "x", "2")])
    }

    @Test func `endpoints that go before they are said again go after the routes that led to them`() throws {
        let names: (UInt64, [String]) -> Snapshot = { generation, clusters in
            let contents = Dictionary(uniqueKeysWithValues: clusters.map { ($0, "\(generation)") })
            return Snapshot(
                generation,
                [
                    .cluster: contents, .endpoints: contents.mapValues { _ in "1" },
                    .routeConfiguration: ["r": clusters[0]],
                ]
            )
        }
        var envoy = FakeEnvoy(.delta, snapshot: names(1, ["x"]))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.endpoints, "x")
        envoy.subscribe(.routeConfiguration, "r")
        envoy.settle()
        // Asked for again, and not acknowledged yet.
        envoy.subscribe(.endpoints, "x")
        envoy.publish(names(2, ["x"]))
        envoy.publish(names(3, ["y"]))
        envoy.ack(.endpoints)
        #expect(envoy.response(.endpoints) == nil)
        #expect(envoy.response(.cluster) != nil)
        envoy.ack(.cluster)
        envoy.subscribe(.endpoints, "y")
        envoy.settle()
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["y"])
    }

    @Test(arguments: both)
    func `a cluster that changes does not wait for endpoints of which no version was good`(
        variant: StreamStateMachine.Variant
    ) throws {
        var envoy = Self.connected(variant, endpoints: "bad")
        envoy.publish(Self.world(2, cluster: "2", endpoints: "bad", listener: "2"))
        envoy.ack(.cluster)
        #expect(envoy.response(.endpoints) == nil)
        #expect(try envoy.acked(.listener).resources == [Resource(.listener, "l", "2")])
    }

    @Test(arguments: both)
    func `a cluster that changes does not wait for endpoints that are refused just then`(
        variant: StreamStateMachine.Variant
    ) throws {
        var envoy = FakeEnvoy(variant, snapshot: Self.world(1, cluster: "1", endpoints: "bad"))
        for type in [TypeURL.cluster, .listener] {
            envoy.subscribe(type)
            envoy.settle()
        }
        envoy.subscribe(.endpoints, "x")
        envoy.publish(Self.world(2, cluster: "2", endpoints: "bad", listener: "2"))
        envoy.ack(.cluster)
        envoy.nack(.endpoints, "no")
        #expect(try envoy.acked(.listener).resources == [Resource(.listener, "l", "2")])
    }

    @Test(arguments: both)
    func `last good endpoints that are refused too are not sent for ever`(variant: StreamStateMachine.Variant) {
        var envoy = Self.connected(variant, endpoints: "1")
        envoy.publish(Self.world(2, cluster: "1", endpoints: "bad"))
        envoy.nack(.endpoints, "no")
        envoy.publish(Self.world(3, cluster: "2", endpoints: "bad"))
        envoy.ack(.cluster)
        envoy.nack(.endpoints, "no")
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Self.world(4, cluster: "3", endpoints: "bad"))
        envoy.ack(.cluster)
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.machine.status.flatMap(\.rejected).map(\.version) == [Resource(.endpoints, "x", "bad").version])
    }

    @Test func `who asks for refused content by name is given it`() throws {
        var envoy = Self.connected(.delta, endpoints: "1")
        envoy.publish(Self.world(2, cluster: "1", endpoints: "bad"))
        envoy.nack(.endpoints, "no")
        envoy.subscribe(.endpoints, "x")
        #expect(try envoy.acked(.endpoints).resources == [Resource(.endpoints, "x", "bad")])
    }

    @Test func `the last good virtual hosts follow their route configuration`() throws {
        func world(_ generation: UInt64, routes: String, host: String) -> Snapshot {
            Snapshot(generation, [.routeConfiguration: ["r": routes], .virtualHost: ["r/*.com": host]])
        }
        var envoy = FakeEnvoy(.delta, snapshot: world(1, routes: "1", host: "1"))
        envoy.subscribe(.routeConfiguration, "r")
        envoy.settle()
        envoy.subscribe(.virtualHost, "r/web.com")
        envoy.settle()
        envoy.publish(world(2, routes: "1", host: "bad"))
        envoy.nack(.virtualHost, "no")
        envoy.publish(world(3, routes: "2", host: "bad"))
        envoy.ack(.routeConfiguration)
        let response = try envoy.acked(.virtualHost)
        #expect(response.resources == [Resource(.virtualHost, "r/*.com", "1")])
        #expect(response.aliases.values.joined().contains("r/web.com"))
        #expect(envoy.unanswered.isEmpty)
    }
}
