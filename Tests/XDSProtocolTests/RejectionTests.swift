// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let both: [StreamStateMachine.Variant] = [.sotw, .delta]

@Suite struct RejectionTests {
    @Test(arguments: both)
    func `a NACK is reported once and the same content is not sent again`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.cluster: ["a": "bad"]]))
        envoy.subscribe(.cluster)
        envoy.nack(.cluster, "no")
        #expect(envoy.rejections.map(\.message) == ["no"])
        #expect(envoy.rejections.first?.resources.map(\.name) == ["a"])
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Snapshot(2, [.cluster: ["a": "bad"]]))
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: both)
    func `new content is sent after a NACK`(variant: StreamStateMachine.Variant) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.cluster: ["a": "bad"]]))
        envoy.subscribe(.cluster)
        envoy.nack(.cluster, "no")
        envoy.publish(Snapshot(2, [.cluster: ["a": "good"]]))
        #expect(envoy.response(.cluster)?.resources == [Resource(.cluster, "a", "good")])
        envoy.settle()
        #expect(envoy.machine.status.first?.rejected.isEmpty == true)
    }

    @Test func `on SotW the last good version stands in, or the proxy would remove the resource`() throws {
        var envoy = FakeEnvoy(.sotw, snapshot: Snapshot(1, [.cluster: ["a": "1", "b": "1"]]))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["a": "bad", "b": "1"]]))
        envoy.nack(.cluster, "no")
        envoy.publish(Snapshot(3, [.cluster: ["a": "bad", "b": "2"]]))
        let response = try envoy.acked(.cluster)
        #expect(
            Set(response.resources.map(\.version))
                == [Resource(.cluster, "a", "1").version, Resource(.cluster, "b", "2").version]
        )
    }

    @Test(arguments: both)
    func `a culprit that is named goes, its siblings are sent, and it is sent once`(
        variant: StreamStateMachine.Variant
    ) {
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.cluster: ["a": "1", "b": "bad", "c": "1"]]))
        envoy.subscribe(.cluster)
        var timesSent = 0
        while let response = envoy.response(.cluster) {
            if response.resources.contains(Resource(.cluster, "b", "bad")) {
                timesSent += 1
                envoy.nack(.cluster, "Error adding/updating cluster(s) b: it is bad")
            } else {
                envoy.ack(.cluster)
            }
        }
        #expect(timesSent == 1)
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a", "c"])
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["b"])
    }

    @Test(arguments: both, [0, 1, 3])
    func `culprits that nobody names are found, and everybody else gets through`(
        variant: StreamStateMachine.Variant,
        culprits: Int
    ) {
        var contents: [String: String] = [:]
        for number in 0..<6 { contents["r\(number)"] = number < culprits ? "bad" : "good" }
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.listener: contents]))
        envoy.subscribe(.listener)
        let bad = Set((0..<culprits).map { Resource(.listener, "r\($0)", "bad").version })
        envoy.settle(isBad: { bad.contains($0.version) }, message: { _ in "something is wrong" })
        #expect(envoy.holds[.listener]?.count == 6 - culprits)
        #expect(envoy.machine.status.first?.rejected.count == culprits)
    }

    @Test(arguments: both)
    func `who asks for everything while an answer is on its way holds no more than that answer`(
        variant: StreamStateMachine.Variant
    ) {
        let contents = ["a": "1", "b": "bad", "c": "1"]
        var envoy = FakeEnvoy(variant, snapshot: Snapshot(1, [.cluster: contents]))
        let bad = Resource(.cluster, "b", "bad").version
        envoy.subscribe(.cluster, "a")
        envoy.subscribe(.cluster, .wildcard)
        #expect(envoy.ack(.cluster)?.resources.map(\.name) == ["a"])
        envoy.settle(isBad: { $0.version == bad }, message: { _ in "something is wrong" })
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a", "c"])
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["b"])
        // What is new is not blamed for it.
        envoy.publish(Snapshot(2, [.cluster: contents.merging(["d": "1"]) { $1 }]))
        envoy.settle(isBad: { $0.version == bad }, message: { _ in "something is wrong" })
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["a", "c", "d"])
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["b"])
    }

    @Test func `a wrong accusation does not hold a good resource back`() {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.cluster: ["web": "1", "x": "bad", "y": "1"]]))
        envoy.subscribe(.cluster)
        let bad = Resource(.cluster, "x", "bad").version
        // The words name an innocent.
        envoy.settle(isBad: { $0.version == bad }, message: { _ in "trouble near web" })
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["web", "y"])
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["x"])
    }

    @Test func `a refused removal is not repeated for ever`() {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.cluster: ["a": "1"]]))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: [:]]))
        envoy.nack(.cluster, "no")
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `what a refused route may still lead to is not removed`() {
        let before: [TypeURL: [String: String]] = [.cluster: ["old": "1"], .routeConfiguration: ["r": "to old"]]
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, before))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.routeConfiguration, "r")
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["new": "1"], .routeConfiguration: ["r": "to new, bad"]]))
        envoy.ack(.cluster)
        envoy.nack(.routeConfiguration, "no")
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["new", "old"])
        envoy.publish(Snapshot(3, [.cluster: ["new": "1"], .routeConfiguration: ["r": "to new"]]))
        envoy.settle()
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["new"])
    }
}
