// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let roots: [TypeURL] = [.listener, .cluster]

/// State of the world says a removal by leaving something out. A client may refuse that.
@Suite struct RefusedRemovalTests {
    func holding(_ type: TypeURL, _ contents: [String: String]) -> FakeEnvoy {
        var envoy = FakeEnvoy(.sotw, snapshot: Snapshot(1, [type: contents]))
        envoy.subscribe(type)
        envoy.settle()
        return envoy
    }

    /// Refuses whatever comes; gives up after 20.
    func refuse(_ envoy: inout FakeEnvoy, _ type: TypeURL) -> [[String]] {
        var sent: [[String]] = []
        while let response = envoy.response(type), sent.count < 20 {
            sent.append(response.resources.map { "\($0.name) \($0.version)" }.sorted())
            envoy.nack(type, "no")
        }
        return sent
    }

    @Test(arguments: roots)
    func `a removal that is refused is said once, and the client is told to keep it`(type: TypeURL) {
        var envoy = self.holding(type, ["a": "1", "b": "1", "c": "1"])
        envoy.publish(Snapshot(2, [type: ["a": "1", "b": "1"]]))
        #expect(self.refuse(&envoy, type).count == 1)
        #expect(envoy.rejections.map { $0.resources.map(\.name) } == [["c"]])
        #expect(envoy.machine.status.first?.rejected.map(\.name) == ["c"])
        // What changes is sent beside it, also if that is refused.
        envoy.publish(Snapshot(3, [type: ["a": "2", "b": "1"]]))
        #expect(envoy.response(type)?.resources.map(\.name).sorted() == ["a", "b", "c"])
        #expect(self.refuse(&envoy, type).count == 1)
    }

    @Test(arguments: roots)
    func `the removal is tried once more when the client took a change of the type`(type: TypeURL) {
        var envoy = self.holding(type, ["a": "1", "b": "1", "c": "1"])
        envoy.publish(Snapshot(2, [type: ["a": "1", "b": "1"]]))
        envoy.nack(type, "no")
        envoy.publish(Snapshot(3, [type: ["a": "1", "b": "1"]]))
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Snapshot(4, [type: ["a": "2", "b": "1"]]))
        envoy.ack(type)
        #expect(envoy.holds[type]?.keys.sorted() == ["a", "b", "c"])
        envoy.ack(type)
        #expect(envoy.holds[type]?.keys.sorted() == ["a", "b"])
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.machine.status.first?.rejected.isEmpty == true)
    }

    @Test(arguments: roots)
    func `a client that refuses whatever lacks a name does not have it come and go`(type: TypeURL) {
        var envoy = self.holding(type, ["a": "1", "b": "1", "c": "1"])
        for generation in UInt64(2)...4 {
            envoy.publish(Snapshot(generation, [type: ["a": "\(generation)", "b": "1"]]))
            var rounds = 0
            while let response = envoy.response(type), rounds < 20 {
                rounds += 1
                if response.resources.contains(where: { $0.name == "c" }) {
                    envoy.ack(type)
                } else {
                    envoy.nack(type, "no c")
                }
            }
            #expect(rounds <= 3)
            #expect(envoy.holds[type]?["a"] == Resource(type, "a", "\(generation)").version)
            #expect(envoy.holds[type]?["c"] != nil)
        }
    }

    @Test(arguments: roots)
    func `a change and a removal that are both refused come to rest, no content twice`(type: TypeURL) {
        var envoy = self.holding(type, ["a": "1", "b": "1", "c": "1"])
        envoy.publish(Snapshot(2, [type: ["a": "2", "b": "1"]]))
        let sent = self.refuse(&envoy, type)
        #expect(sent.count <= 3)
        #expect(Set(sent).count == sent.count)
        #expect(envoy.machine.status.first?.rejected.map(\.name).contains("a") == true)
    }

    @Test func `a change is not blamed for the removal that was refused with it`() {
        var envoy = self.holding(.listener, ["a": "1", "b": "1", "c": "1"])
        envoy.publish(Snapshot(2, [.listener: ["a": "2", "b": "1"]]))
        while let response = envoy.response(.listener) {
            if response.resources.contains(where: { $0.name == "c" }) {
                envoy.ack(.listener)
            } else {
                envoy.nack(.listener, "c is in use")
            }
        }
        #expect(envoy.holds[.listener]?["a"] == Resource(.listener, "a", "2").version)
    }

    @Test(arguments: roots)
    func `what was refused to go and returns is sent, and goes like any other later`(type: TypeURL) {
        let world = [type: ["a": "1", "c": "1"]]
        var envoy = self.holding(type, ["a": "1", "c": "1"])
        envoy.publish(Snapshot(2, [type: ["a": "1"]]))
        envoy.nack(type, "no", keeping: { _ in true })
        #expect(envoy.holds[type]?.keys.sorted() == ["a"])
        envoy.publish(Snapshot(3, world))
        envoy.settle()
        #expect(envoy.holds[type]?.keys.sorted() == ["a", "c"])
        envoy.publish(Snapshot(4, [type: ["a": "1"]]))
        envoy.settle()
        #expect(envoy.holds[type]?.keys.sorted() == ["a"])
    }

    @Test func `an answer with nothing new that is refused blames nobody`() {
        var envoy = self.holding(.cluster, ["a": "1", "b": "1"])
        envoy.subscribe(.cluster, .wildcard)
        envoy.settle()
        envoy.unsubscribe(.cluster, "b")
        envoy.subscribe(.cluster, "b")
        #expect(self.refuse(&envoy, .cluster).count <= 2)
        envoy.publish(Snapshot(2, [.cluster: ["a": "2", "b": "1"]]))
        envoy.settle()
        #expect(envoy.holds[.cluster]?["a"] == Resource(.cluster, "a", "2").version)
    }

    /// It was told that the listener `l` is gone, with the cluster `x`, and refused.
    func refusingToLose() -> FakeEnvoy {
        let world: [TypeURL: [String: String]] = [.cluster: ["x": "1", "y": "1"], .listener: ["l": "1", "m": "1"]]
        var envoy = FakeEnvoy(.sotw, snapshot: Snapshot(1, world))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.listener)
        envoy.settle()
        envoy.publish(Snapshot(2, [.cluster: ["y": "1"], .listener: ["m": "1"]]))
        envoy.nack(.listener, "no")
        return envoy
    }

    @Test func `what a listener that stays may lead to is not removed`() {
        let envoy = self.refusingToLose()
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["x", "y"])
    }

    @Test func `what a listener that stays may lead to is removed in the end, though no listener changes`() {
        var envoy = self.refusingToLose()
        envoy.passDeadlines()
        #expect(envoy.unanswered.map(\.type) == [.cluster])
        envoy.settle()
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["y"])
        // What goes from then on need not wait, and the client is told as before to keep the listener.
        envoy.publish(Snapshot(3, [.listener: ["m": "1"]]))
        envoy.settle()
        #expect(envoy.holds[.cluster]?.isEmpty == true)
        envoy.publish(Snapshot(4, [.listener: ["m": "2"]]))
        #expect(envoy.ack(.listener)?.resources.map(\.name).sorted() == ["l", "m"])
    }

    @Test func `a removal that is refused once more has no more time, and another one has its own`() {
        var envoy = self.refusingToLose()
        envoy.publish(Snapshot(3, [.cluster: ["y": "1"], .listener: ["m": "2"]]))
        envoy.ack(.listener)
        envoy.nack(.listener, "still no")
        #expect(envoy.unanswered.isEmpty)
        envoy.passDeadlines()
        envoy.settle()
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["y"])
        envoy.publish(Snapshot(4, [:]))
        envoy.nack(.listener, "nor that")
        #expect(envoy.unanswered.isEmpty)
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["y"])
        envoy.passDeadlines()
        envoy.settle()
        #expect(envoy.holds[.cluster]?.isEmpty == true)
    }

    @Test func `the time of a removal that was accepted after all is nobody else's`() {
        var envoy = self.refusingToLose()
        let both = ["l": "1", "m": "2"]
        envoy.publish(Snapshot(3, [.cluster: ["y": "1"], .listener: ["m": "2"]]))
        envoy.settle()
        #expect(envoy.holds[.cluster]?.keys.sorted() == ["y"])
        envoy.publish(Snapshot(4, [.cluster: ["y": "1"], .listener: both]))
        envoy.settle()
        let first = envoy
        envoy.publish(Snapshot(5, [.listener: ["m": "2"]]))
        envoy.nack(.listener, "no")
        // The new refusal's time is the last one.
        #expect(envoy.deadlines.count == first.deadlines.count + 1)
        envoy.passDeadlines(first.deadlines.count)
        #expect(envoy.unanswered.isEmpty)
        envoy.passDeadlines()
        envoy.settle()
        #expect(envoy.holds[.cluster]?.isEmpty == true)
    }

    @Test(arguments: [TypeURL.endpoints, .routeConfiguration])
    func `a name of another type that vanishes and returns is sent again`(type: TypeURL) {
        var envoy = FakeEnvoy(.sotw, snapshot: Snapshot(1, [type: ["a": "1", "b": "1"]]))
        envoy.subscribe(type, "a", "b")
        envoy.settle()
        envoy.publish(Snapshot(2, [type: ["a": "1"]]))
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Snapshot(3, [type: ["a": "1", "b": "1"]]))
        #expect(envoy.response(type)?.resources.map(\.name) == ["b"])
        envoy.settle()
    }
}
