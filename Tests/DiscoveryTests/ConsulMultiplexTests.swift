// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// A Consul that speaks HTTP/2: each service has a question of its own that waits.
struct ConsulMultiplexTests {
    private static func rig(services: Int, questionsPerConnection: Int?) -> ConsulRig {
        var rig = ConsulRig(questionsPerConnection: questionsPerConnection)
        rig.change { model in
            for number in 0..<services { model.register("s\(number)", .init(node: "n\(number % 5)", id: "a")) }
        }
        rig.run(for: .seconds(5))
        return rig
    }

    private static func reweigh(_ rig: inout ConsulRig, _ number: Int) {
        rig.change { $0.register("s\(number)", .init(node: "n\(number % 5)", id: "a", weight: 7)) }
    }

    @Test func `a change that no list shows is known without a search`() {
        var rig = Self.rig(services: 400, questionsPerConnection: 100)
        let start = rig.sent.count
        for number in [3, 399, 200] {
            Self.reweigh(&rig, number)
            rig.run(for: .milliseconds(150))
            #expect(rig.isSettled)
        }
        let asked = rig.sent[start...].map(\.subject)
        #expect(!asked.contains { if case .probes = $0 { true } else { false } })
        #expect(rig.mostInFlight <= ConsulConfiguration.maximumConnections)
    }

    @Test func `nothing is asked while nothing changes`() {
        var rig = Self.rig(services: 400, questionsPerConnection: 100)
        rig.run(for: .seconds(20))
        let before = rig.sent.count { $0.subject.group != nil }
        rig.run(for: .seconds(60))
        #expect(rig.sent.count { $0.subject.group != nil } == before)
    }

    @Test func `few services have a connection each`() {
        var rig = Self.rig(services: 20, questionsPerConnection: 100)
        Self.reweigh(&rig, 7)
        rig.run(for: .milliseconds(150))
        #expect(rig.isSettled)
        #expect(!rig.sent.contains { $0.subject.group != nil })
    }

    @Test func `what has no room is searched for`() {
        // 21 connections of 4 questions, for 120 services.
        var rig = Self.rig(services: 120, questionsPerConnection: 4)
        for number in 0..<120 {
            Self.reweigh(&rig, number)
            rig.run(for: .seconds(1))
            #expect(rig.isSettled)
        }
        #expect(rig.mostInFlight <= ConsulConfiguration.maximumConnections)
    }

    @Test func `an agent without HTTP/2 is searched, and asked again later`() {
        var rig = Self.rig(services: 100, questionsPerConnection: 0)
        Self.reweigh(&rig, 50)
        rig.run(for: .seconds(2))
        #expect(rig.isSettled)
        #expect(rig.sent.count { $0.subject.group != nil } == 1)
        rig.change { $0.questionsPerConnection = 100 }
        rig.run(for: .seconds(301))
        #expect(rig.sent.contains { if case .indexes = $0.subject { true } else { false } })
    }

    @Test func `services that come and go have their places`() {
        var rig = Self.rig(services: 90, questionsPerConnection: 4)
        rig.change { model in
            for number in 0..<40 { model.deregister("n\(number % 5)/a", of: "s\(number)") }
        }
        rig.run(for: .seconds(2))
        rig.change { model in
            for number in 200..<230 { model.register("s\(number)", .init(node: "n1", id: "a")) }
        }
        rig.run(for: .seconds(2))
        let start = rig.sent.count
        rig.change { $0.register("s210", .init(node: "n1", id: "a", weight: 9)) }
        rig.run(for: .milliseconds(150))
        #expect(rig.isSettled)
        #expect(!rig.sent[start...].contains { if case .probes = $0.subject { true } else { false } })
    }

    @Test func `services of two datacenters do not share connections`() {
        var rig = ConsulRig(
            .init(datacenters: ["dc1", "dc2"], followsConfigEntries: false),
            questionsPerConnection: 100
        )
        rig.others["dc2"] = ConsulModel(datacenter: "dc2")
        rig.change("dc2") { model in
            model.questionsPerConnection = 100
            for number in 0..<60 { model.register("t\(number)", .init(node: "m1", id: "a")) }
        }
        rig.change { model in
            for number in 0..<60 { model.register("s\(number)", .init(node: "n1", id: "a")) }
        }
        rig.run(for: .seconds(30))
        let start = rig.sent.count
        rig.change("dc2") { $0.register("t40", .init(node: "m1", id: "a", weight: 9)) }
        Self.reweigh(&rig, 40)
        // Five answers on the way, each of which may be slow.
        rig.run(for: .milliseconds(400))
        #expect(rig.told[ServiceName("t40")]?.instances.map(\.weight.value) == [9])
        #expect(rig.told[ServiceName("s40")]?.instances.contains { $0.weight.value == 7 } == true)
        #expect(!rig.sent[start...].contains { if case .probes = $0.subject { true } else { false } })
        let connections = Set(rig.sent.filter { $0.subject.group != nil }.map(\.datacenter))
        #expect(connections == ["dc1", "dc2"])
    }

    @Test func `one that is refused leaves the others alone, and is asked about seldom`() {
        var rig = Self.rig(services: 100, questionsPerConnection: 200)
        rig.change { $0.refused = ["s7"] }
        rig.run(for: .seconds(20))
        let start = rig.sent.count
        rig.run(for: .seconds(60))
        #expect(rig.sent[start...].count { $0.subject.group != nil } < 10)
        Self.reweigh(&rig, 50)
        rig.run(for: .milliseconds(150))
        #expect(rig.isSettled)
        Self.reweigh(&rig, 7)
        rig.run(for: .seconds(2))
        #expect(rig.isSettled)
    }

    @Test func `an index that never is what is read makes no loop`() {
        var rig = Self.rig(services: 100, questionsPerConnection: 200)
        rig.change { $0.shiftedIndexes = ["s7"] }
        rig.run(for: .seconds(10))
        let start = rig.sent.count
        rig.run(for: .seconds(30))
        #expect(rig.sent[start...].count { $0.subject.group != nil } < 150)
    }

    @Test func `connections are not made anew again and again`() {
        var rig = Self.rig(services: 100, questionsPerConnection: 50)
        for _ in 0..<10 {
            rig.run(for: .seconds(3))
            rig.disconnect()
            rig.run(for: .seconds(3))
        }
        #expect(rig.sent.count { if case .capacity = $0.subject { true } else { false } } <= 6)
        Self.reweigh(&rig, 3)
        rig.run(for: .seconds(3))
        #expect(rig.isSettled)
    }

    @Test func `when few are left, or HTTP/2 is gone, all is as without it`() {
        var rig = Self.rig(services: 100, questionsPerConnection: 50)
        rig.change { model in
            for number in 20..<100 { model.deregister("n\(number % 5)/a", of: "s\(number)") }
        }
        rig.run(for: .seconds(5))
        let start = rig.sent.count
        Self.reweigh(&rig, 7)
        rig.run(for: .milliseconds(150))
        #expect(rig.isSettled)
        #expect(!rig.sent[start...].contains { $0.subject.group != nil })

        rig = Self.rig(services: 100, questionsPerConnection: 50)
        rig.change { $0.questionsPerConnection = 0 }
        rig.run(for: .seconds(60))
        rig.disconnect()
        rig.run(for: .seconds(5))
        for _ in 0..<2 {
            Self.reweigh(&rig, 7)
            rig.run(for: .seconds(3))
            #expect(rig.isSettled)
            rig.change { $0.deregister("n2/a", of: "s7") }
            rig.run(for: .seconds(3))
        }
    }

    @Test func `another history is followed from its start`() {
        var rig = Self.rig(services: 100, questionsPerConnection: 50)
        for number in 0..<50 { Self.reweigh(&rig, number) }
        rig.run(for: .seconds(1))
        rig.disconnect()
        rig.change { model in
            model.wipe()
            for number in 0..<100 { model.register("s\(number)", .init(node: "n\(number % 5)", id: "a")) }
        }
        rig.run(for: .seconds(10))
        #expect(rig.isSettled)
        Self.reweigh(&rig, 60)
        rig.run(for: .milliseconds(300))
        #expect(rig.isSettled)
    }
}
