// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

private let both: [StreamStateMachine.Variant] = [.sotw, .delta]

/// How many responses it takes to find those whom nobody names.
@Suite struct TrialTests {
    static func world(_ generation: UInt64, _ count: Int, _ content: (Int) -> String) -> Snapshot {
        var contents: [String: String] = [:]
        for number in 0..<count { contents["r\(1000 + number)"] = content(number) }
        return Snapshot(generation, [.cluster: contents])
    }

    static func name(_ number: Int) -> ResourceName { ResourceName("r\(1000 + number)") }

    static func holding(_ variant: StreamStateMachine.Variant, _ count: Int) -> FakeEnvoy {
        var envoy = FakeEnvoy(variant, snapshot: Self.world(1, count) { _ in "1" })
        envoy.subscribe(.cluster)
        envoy.settle()
        return envoy
    }

    /// Refuses what has one of these versions in it.
    /// - Returns: how many responses came.
    static func refuse(_ envoy: inout FakeEnvoy, _ bad: Set<ResourceVersion>) -> Int {
        var rounds = 0
        while let response = envoy.response(.cluster), rounds < 2000 {
            rounds += 1
            if response.resources.contains(where: { bad.contains($0.version) }) {
                envoy.nack(.cluster, "something is wrong")
            } else {
                envoy.ack(.cluster)
            }
        }
        return rounds
    }

    @Test(arguments: both, [0, 100, 255])
    func `one culprit among many is found by halving`(variant: StreamStateMachine.Variant, culprit: Int) {
        var envoy = Self.holding(variant, 256)
        envoy.publish(Self.world(2, 256) { _ in "2" })
        let rounds = Self.refuse(&envoy, [Resource(.cluster, Self.name(culprit).rawValue, "2").version])
        #expect(rounds <= 1 + 2 * 8)
        #expect(envoy.machine.status.first?.rejected.map(\.name) == [Self.name(culprit)])
        let old = Resource(.cluster, Self.name(culprit).rawValue, "1").version
        #expect(envoy.holds[.cluster]?[Self.name(culprit)] == old)
        let updated = (0..<256).filter {
            envoy.holds[.cluster]?[Self.name($0)] == Resource(.cluster, Self.name($0).rawValue, "2").version
        }
        #expect(updated.count == 255)
    }

    @Test(arguments: both)
    func `a search among too many culprits is given up, said, and begun anew with the next change`(
        variant: StreamStateMachine.Variant
    ) {
        var envoy = Self.holding(variant, 500)
        envoy.publish(Self.world(2, 500) { _ in "2" })
        var rounds = 0
        while envoy.response(.cluster) != nil, rounds < 2000 {
            rounds += 1
            envoy.nack(.cluster, "no")
        }
        #expect(rounds <= 1 + 64 + 2 * 9)
        #expect(envoy.machine.status.first?.rejected.count == 500)
        let untried = envoy.rejections.last?.untried.count ?? 0
        #expect(untried > 400)
        #expect(envoy.rejections.allSatisfy { $0 == envoy.rejections.last || $0.untried.isEmpty })
        // The same again is no change; a change has the others tried, and who accepts them is up to date.
        envoy.publish(Self.world(3, 500) { _ in "2" })
        #expect(envoy.unanswered.isEmpty)
        envoy.publish(Self.world(4, 500) { $0 == 499 ? "4" : "2" })
        envoy.settle()
        #expect(envoy.machine.status.first?.rejected.count == 500 - untried)
    }

    @Test(arguments: both)
    func `a trial whose words name somebody parts those from the others`(variant: StreamStateMachine.Variant) {
        var envoy = Self.holding(variant, 64)
        envoy.publish(Self.world(2, 64) { _ in "2" })
        let bad = Resource(.cluster, Self.name(40).rawValue, "2")
        envoy.nack(.cluster, "no")
        var rounds = 1
        while let response = envoy.response(.cluster) {
            rounds += 1
            if response.resources.contains(bad) {
                envoy.nack(.cluster, "bad: \(bad.name)")
            } else {
                envoy.ack(.cluster)
            }
        }
        #expect(rounds <= 5)
        #expect(envoy.machine.status.first?.rejected.map(\.name) == [bad.name])
    }

    @Test func `a response that was refused is said again at most once, though a trial completes it`() {
        var envoy = Self.holding(.sotw, 64)
        envoy.publish(Self.world(2, 64) { _ in "2" })
        let bad = Resource(.cluster, Self.name(63).rawValue, "2")
        var refused: [String: Int] = [:]
        while let response = envoy.response(.cluster) {
            if response.resources.contains(bad) {
                refused[response.versionInfo, default: 0] += 1
                envoy.nack(.cluster, "no")
            } else {
                envoy.ack(.cluster)
            }
        }
        #expect(refused.values.max() == 2)
        #expect(envoy.machine.status.first?.rejected.map(\.name) == [bad.name])
    }

    @Test(arguments: both)
    func `an accusation of whom nothing is left beside is tried`(variant: StreamStateMachine.Variant) {
        var envoy = Self.holding(variant, 3)
        envoy.publish(Self.world(2, 3) { $0 < 2 ? "2" : "1" })
        // The other one, which the words do not name, is gone by the time that the answer comes.
        envoy.publish(Self.world(3, 1) { _ in "2" })
        envoy.nack(.cluster, "bad: \(Self.name(0))")
        envoy.settle()
        #expect(envoy.machine.status.first?.rejected.isEmpty == true)
        let held = envoy.holds[.cluster]?[Self.name(0)]
        #expect(held == Resource(.cluster, Self.name(0).rawValue, "2").version)
    }
}
