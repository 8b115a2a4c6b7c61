// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import Testing

@testable import Discovery

/// Thousands of services that cannot be read, or not any more: the work is in proportion to the answers, and what is told
/// is for people.
@Suite(.serialized) struct ConsulManyFailuresTests {
    private static func rig(_ count: Int) -> ConsulRig {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<count { model.register("s\(number)", .init(node: "n\(number % 100)", id: "a")) }
        }
        return rig
    }

    /// Each is refused with words of its own, but for every eighth.
    private static func refusals(_ count: Int) -> [String: ConsulFailure] {
        let names = (0..<count).filter { $0 % 8 != 0 }.map { "s\($0)" }
        return Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, ConsulFailure(APIError(.status, "403 of \($0)", status: 403)))
            }
        )
    }

    /// Ten times as many, ten times the work: with more than room enough for a machine that does other things.
    private static func expectProportional(_ small: Duration, _ large: Duration) {
        #expect(large / small < 25, "\(small) and \(large)")
    }

    @Test func `an answer costs the same however many cannot be read, and few statuses are told`() {
        let costs = [200, 2000].map { count in
            var rig = Self.rig(count)
            rig.unreadable["dc1"] = Self.refusals(count)
            let time = ContinuousClock().measure { rig.run(for: .seconds(8)) }
            #expect(rig.sent.count > count)
            #expect(rig.statuses.count < 12)
            return time / rig.sent.count
        }
        Self.expectProportional(costs[0], costs[1] * 10)
    }

    @Test func `the last count is told in the end, and that all is well`() {
        var rig = Self.rig(300)
        rig.unreadable["dc1"] = Self.refusals(300)
        rig.run(for: .seconds(14))
        #expect(rig.status?.problem?.hasPrefix("the service s1: 403 of s1 (and 261 more services)") == true)
        #expect(rig.statuses.count < 16)
        for number in 0..<200 { rig.unreadable["dc1"]?["s\(number)"] = nil }
        rig.run(for: .seconds(30))
        #expect(rig.isComplete)
        #expect(rig.status?.problem == "the service s201: 403 of s201 (and 86 more services)")
        rig.unreadable = [:]
        rig.run(for: .seconds(75))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `that a token loses thousands of services costs in proportion to them`() {
        let costs = [200, 2000].map { count in
            var rig = Self.rig(count)
            rig.run(for: .seconds(10))
            #expect(rig.isSettled)
            let (events, statuses) = (rig.events.count, rig.statuses.count)
            rig.change { model in
                model.forbidden = ["s"]
                model.register("other", .init(node: "n1", id: "a"))
            }
            let time = ContinuousClock().measure { rig.run(for: .seconds(75)) }
            let held = rig.guarded.held.filter { $0.reason == .hidden }
            #expect(held.map(\.names.count) == [count])
            #expect(rig.inForce.count == count + 1)
            // Each update names them all.
            let named = rig.events[events...].reduce(0) { sum, event in
                guard case .catalog(let update) = event else { return sum }
                return sum + update.unheard.hidden.count
            }
            #expect(named < 120 * count)
            #expect(rig.statuses.count - statuses < 12)
            return time
        }
        Self.expectProportional(costs[0], costs[1])
    }

    @Test func `one that is taken now and cannot be read costs the same however many are left out`() {
        let costs = [20, 4000].map { count in
            var rig = ConsulRig(.init(isExposedByDefault: false, followsConfigEntries: false))
            let taken: Set = ["signalbox.enable=true"]
            rig.change { model in
                for number in 0..<count { model.register("u\(number)", .init(node: "n1", id: "a")) }
                for number in 0..<20 { model.register("s\(number)", .init(node: "n1", id: "a", tags: taken)) }
            }
            rig.run(for: .seconds(3))
            rig.unreadable["dc1"] = ["u7": ConsulFailure(APIError(.status, "403", status: 403))]
            rig.change { $0.register("u7", .init(node: "n1", id: "a", tags: taken)) }
            rig.run(for: .seconds(1))
            // From one list of names to the next, nearly.
            let time = ContinuousClock().measure { rig.run(for: .seconds(58)) }
            // Who looks for it does not find it yet.
            #expect(rig.untaken?.count == count && rig.told.count == 20)
            rig.unreadable = [:]
            rig.run(for: .seconds(75))
            #expect(rig.untaken?.count == count - 1 && rig.told.count == 21)
            return time
        }
        #expect(costs[1] / costs[0] < 8, "\(costs)")
    }
}

extension ConsulRig {
    /// What the settings leave out.
    fileprivate var untaken: [ServiceName: Untaken]? {
        self.events.lazy.compactMap { if case .untaken(let services) = $0 { services } else { nil } }.last
    }
}
