// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport
import Testing

@testable import Discovery

/// How often an agent is asked that answers nothing of use, and how soon it is followed when it does.
@Suite(.longComputation)
struct ConsulPacingTests {
    private static func rig(services: Int, seed: UInt64 = 1) -> ConsulRig {
        var rig = ConsulRig(seed: seed)
        rig.change { model in
            for number in 0..<services { model.register("s\(number)", .init(node: "n\(number % 7)", id: "a")) }
        }
        rig.run(for: .seconds(20))
        return rig
    }

    @Test(arguments: [60, 600])
    func `questions that all fail while the link is well are put twice a second at most`(services: Int) {
        var rig = Self.rig(services: services)
        rig.brokenButLink = true
        rig.disconnect()
        rig.run(for: .seconds(5))
        let before = rig.sent.count
        rig.run(for: .seconds(60))
        #expect(rig.sent.count - before <= 120)
        rig.change { $0.register("s3", .init(node: "n1", id: "b")) }
        rig.brokenButLink = false
        rig.run(for: .seconds(2))
        #expect(rig.isSettled)
        rig.run(for: .seconds(1))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    /// As after a snapshot was restored: checks raise the index of a service, and not those of the catalog's tables.
    @Test func `services far above a catalog whose index fell once are read twice, and believed`() {
        var rig = Self.rig(services: 20)
        rig.change { model in
            for number in 0..<1_200 {
                model.setStatus(number % 2 == 0 ? .critical : .passing, of: "n3/a", in: "s3")
            }
        }
        rig.run(for: .seconds(20))
        let downs = rig.statuses.count { $0.state != .up }
        rig.forgedIndex = { max(1, $0 - min($0, 15)) }
        rig.run(for: .seconds(30))
        #expect(rig.statuses.count { $0.state != .up } <= downs + 1)
        rig.change { $0.register("s4", .init(node: "n4", id: "b")) }
        rig.run(for: .seconds(1))
        #expect(rig.isSettled && rig.status?.state == .up)
    }

    @Test func `a link that is always ahead of the lists makes no loop`() {
        var rig = Self.rig(services: 20)
        rig.isLinkAhead = true
        rig.run(for: .seconds(10))
        let before = rig.sent.count { $0.subject == .services }
        rig.run(for: .seconds(100))
        // They wait a minute each.
        #expect(rig.sent.count { $0.subject == .services } - before <= 3)
    }

    @Test func `connections that are reset again and again do not become more`() {
        var rig = Self.rig(services: 600)
        var before = rig.sent.count
        for second in 0..<60 {
            rig.disconnect()
            rig.isDown = second % 2 == 0
            if second == 5 { before = rig.sent.count }
            rig.run(for: .seconds(1))
        }
        // Each time that it is there, all is asked anew.
        #expect(rig.sent.count - before <= 55 / 2 * 45 + 110)
        rig.isDown = false
        rig.run(for: .seconds(4))
        #expect(rig.isSettled)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>, [false, true])
    func `indexes that fall again and again make few requests, and cost no change`(seed: UInt64, areHigh: Bool) {
        var rig = Self.rig(services: 300, seed: seed)
        var chance = seed
        rig.forgedIndex = { index in
            chance = chance &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return areHigh ? chance >> 33 : max(1, (chance >> 33) % index)
        }
        rig.run(for: .seconds(10))
        #expect(rig.status?.state == .down)
        let before = rig.sent.count
        rig.run(for: .seconds(60))
        // Three checks a second of whether it is over. Now and then chance says so, and all is asked once.
        #expect(rig.sent.count - before <= 60 * 4 + 2 * 350)
        rig.change { $0.register("s3", .init(node: "n1", id: "b")) }
        rig.forgedIndex = nil
        rig.run(for: .seconds(4))
        #expect(rig.isSettled)
    }

    @Test func `a state that was lost once is followed at once`() {
        var rig = Self.rig(services: 100)
        rig.change { model in
            model.wipe()
            for number in 0..<50 { model.register("s\(number)", .init(node: "n\(number % 7)", id: "b")) }
        }
        rig.disconnect()
        rig.run(for: .seconds(2))
        #expect(rig.isSettled)
        #expect(rig.statuses.allSatisfy { $0.problem?.contains("again and again") != true })
    }

    @Test func `one question that fails for long does not hold up the others`() {
        var rig = Self.rig(services: 600)
        rig.brokenProbes = true
        rig.change { $0.register("s400", .init(node: "n1", id: "a", weight: 9)) }
        rig.run(for: .seconds(30))
        for round in 0..<10 {
            rig.change { $0.setStatus(round % 2 == 0 ? .critical : .passing, of: "n3/a", in: "s3") }
            rig.run(for: .milliseconds(300))
            let health = rig.told[ServiceName("s3")]?.instances.first?.health
            #expect(health == (round % 2 == 0 ? .critical : .passing))
        }
    }
}
