// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport
import Testing

@testable import Discovery

/// That a change which nothing tells of is found, within which time, and at which cost.
@Suite(.longComputation)
struct ConsulSearchTests {
    /// So many services, each with an instance, of which none was ever seen to change.
    private static func rig(services: Int, seed: UInt64 = 1) -> ConsulRig {
        var rig = ConsulRig(seed: seed)
        rig.change { model in
            for number in 0..<services { model.register("s\(number)", .init(node: "n\(number % 7)", id: "a")) }
            // More than a few of each, so that no list of all checks is asked for.
            for number in 0..<services {
                for copy in 0..<4 { model.register("s\(number)", .init(node: "n\(copy)", id: "b\(copy)")) }
            }
        }
        rig.run(for: .seconds(30))
        return rig
    }

    private static func weight(_ weight: Int, of service: String, in model: inout ConsulModel) {
        model.register(service, .init(node: "n0", id: "b0", weight: weight))
    }

    private static func told(_ service: String, in rig: ConsulRig) -> Int? {
        rig.told[ServiceName(service)]?.instances.first { $0.id == InstanceID("n0/b0") }?.weight.value
    }

    @Test(arguments: 1...5)
    func `a change that hides behind another is found though changes never stop`(seed: UInt64) {
        var rig = Self.rig(services: 1000, seed: seed)
        for round in 0..<100 {
            rig.change { model in
                Self.weight(2 + round, of: "s\(round % 3)", in: &model)
                // The list of names tells the last index alone, and that one is explained.
                if round == 20 { Self.weight(77, of: "s500", in: &model) }
                if round == 20 { Self.weight(100 + round, of: "s1", in: &model) }
            }
            rig.run(for: .milliseconds(150))
            if round == 40 { #expect(Self.told("s500", in: rig) == 77) }
        }
    }

    @Test func `after a failure one is asked about at a time, until one is answered`() throws {
        var search = ConsulSearch()
        var effects = ConsulEffects(seed: 1)
        search.wantNow(9, hides: false, at: .zero)
        effects.now = .seconds(1)
        _ = search.begin((0..<500).map { "s\($0)" }, additions: 500, recent: [], at: effects.now)
        func ask() -> ConsulRequestID? {
            let room = search.room(connections: 4, at: effects.now)
            let names = (0..<room).compactMap { _ in search.takeNext() }
            guard !names.isEmpty else { return nil }
            let request = effects.send(ConsulQuery(.probes(names), datacenter: nil))
            search.asks(names.map { ConsulSearch.Candidate(name: $0, index: 1) }, with: request, at: effects.now)
            return request
        }
        for _ in 0..<4 {
            let request = try #require(ask())
            #expect(search.failed(request, &effects))
            effects.now += .seconds(60)
            #expect(search.room(connections: 4, at: effects.now) == 1)
        }
        let request = try #require(ask())
        #expect(search.room(connections: 4, at: effects.now) == 0)
        #expect(search.answered(request)?.count == 1)
        #expect(search.room(connections: 4, at: effects.now) > 1)
    }

    @Test func `a change that hides in one transaction with another is found within seconds`() {
        var rig = Self.rig(services: 500)
        rig.change {
            $0.together { model in
                Self.weight(5, of: "s3", in: &model)
                Self.weight(6, of: "s400", in: &model)
            }
        }
        rig.run(for: ConsulSearch.delay + .seconds(3))
        #expect(rig.isSettled)
    }

    @Test func `a change of a service that is being read when it is searched for is found`() {
        for seed in 1...40 as ClosedRange<UInt64> {
            var rig = Self.rig(services: 300, seed: seed)
            for round in 0..<20 {
                let service = "s\(100 + round)"
                rig.change { $0.setStatus(round % 2 == 0 ? .critical : .passing, of: "n0/b0", in: service) }
                rig.run(for: .microseconds(Int(seed) * 250))
                rig.change { Self.weight(2 + round, of: service, in: &$0) }
                rig.run(for: .milliseconds(300))
                #expect(Self.told(service, in: rig) == 2 + round)
            }
        }
    }

    @Test func `the one that changed before others is found before others, also while another is looked for`() {
        var rig = Self.rig(services: 3000)
        for number in 0..<40 {
            rig.change { Self.weight(2, of: "s\(number)", in: &$0) }
            rig.run(for: .seconds(1))
        }
        // A stranger, and right after it one of those that have no place to be watched.
        rig.change { Self.weight(2, of: "s2500", in: &$0) }
        rig.run(for: .milliseconds(20))
        let before = rig.sent.count
        rig.change { Self.weight(3, of: "s1", in: &$0) }
        rig.run(for: .milliseconds(400))
        #expect(rig.isSettled)
        let probed = rig.sent[before...].flatMap(\.probed)
        // Of 3,000. What was being asked about goes before it: 13 to 600, as chance has it.
        #expect(probed.firstIndex(of: "s1").map { $0 < 1_000 } ?? true)
    }

    @Test func `whoever has just changed is watched at once, though others are`() {
        var rig = Self.rig(services: 1000)
        var searched = 0
        for number in 0..<100 {
            rig.change { Self.weight(2, of: "s\(number)", in: &$0) }
            rig.run(for: .seconds(3))
            let searches = rig.counts[.search]
            rig.change { Self.weight(3, of: "s\(number)", in: &$0) }
            rig.run(for: .milliseconds(200))
            #expect(rig.isSettled)
            if rig.counts[.search] != searches { searched += 1 }
        }
        // Some answers take longer than the search waits for them.
        #expect(searched < 20)
    }

    @Test func `probes that fail are paced`() {
        var rig = Self.rig(services: 1000)
        rig.brokenProbes = true
        let before = rig.sent.count
        rig.change { Self.weight(9, of: "s700", in: &$0) }
        rig.run(for: .seconds(60))
        #expect(rig.sent.count - before < 120)
        rig.brokenProbes = false
        rig.run(for: .seconds(75))
        #expect(rig.isSettled)
    }
}
