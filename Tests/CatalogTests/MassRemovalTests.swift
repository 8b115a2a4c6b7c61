// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Catalog

/// More that goes at once than should.
struct MassRemovalTests {
    @Test func `half of the services may go, one more is too much`() {
        var half = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        half.complete(fleet(0..<20), at: 0)
        half.complete(fleet(10..<20), at: 1)
        #expect(half.servingCount == 10)
        #expect(half.held == [])

        var more = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        more.complete(fleet(0..<20), at: 0)
        let outcome = more.complete(fleet(11..<20), at: 1)
        #expect(more.servingCount == 20)
        #expect(outcome.changed == [])
        #expect(
            outcome.events == [
                GuardOutcome.Event(
                    source: .consul,
                    reason: .massRemoval,
                    change: .held,
                    names: Set((0..<11).map { "s\($0)" }),
                    instances: 11
                )
            ]
        )
        #expect(more.held.map(\.emptied) == [11])
        #expect(more.held.map(\.until) == [.seconds(61)])
        #expect(more.held.map(\.excess) == [Excess(kind: .services, gone: 11, all: 20, rules: .init())])
        #expect(
            more.diagnostics.map(\.description) == [
                "consul: error[SB302] source/consul: 11 of 20 services have no routable instance any more, which went "
                    + "within 60 s (catalog.removal.window.seconds), which is more than 50 % (catalog.removal.percent) and "
                    + "more than 5 (catalog.removal.services); 11 instances of 11 services are held: "
                    + "s0, s1, s10, s2, s3 and 6 more "
                    + "(bring them back; or accept with signalbox catalog accept --source consul)"
            ]
        )
    }

    @Test func `few services may all go, as the limit is absolute`() {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<5, instances: 4), at: 0)
        guarded.complete([], at: 1)
        #expect(guarded.servingCount == 0)
        #expect(guarded.inForce.count == 5, "they stay known")
    }

    @Test func `instances count though no service goes`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<1, instances: 40), at: 0)
        guarded.complete([service("s0", Array(fleet(0..<1, instances: 40)[0].instances.prefix(19)))], at: 1)
        #expect(guarded.inForce["s0"]?.count == 40)
        #expect(guarded.held.map(\.instances) == [21])
        #expect(guarded.held.map(\.emptied) == [0])
        #expect(
            guarded.diagnostics.first?.message.hasPrefix(
                "21 of 40 instances went or turned critical within 60 s (catalog.removal.window.seconds), which is more "
                    + "than 50 % (catalog.removal.percent) and more than 20 (catalog.removal.instances); 21 instances of "
            ) == true
        )
    }

    @Test(arguments: [1, 2, 3, 5, 7, 15])
    func `it makes no difference in how many steps they go`(step: Int) {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<20), at: 0)
        for (number, start) in stride(from: 0, to: 15, by: step).enumerated() {
            guarded.complete(fleet(min(start + step, 15)..<20), at: 1 + Double(number))
        }
        #expect(guarded.servingCount == 20)
    }

    @Test func `what was let go as the last of its service counts for as long as the window`() {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .seconds(5) }
        guarded.complete(fleet(0..<20), at: 0)
        guarded.complete(fleet(10..<20), at: 1)
        #expect(guarded.held.map(\.reason) == Array(repeating: .lastInstances, count: 10))
        let outcome = guarded.advance(to: .seconds(6))
        #expect(outcome.events.map(\.change) == [.released(.graceOver)] && outcome.events.map(\.instances) == [10])
        #expect(guarded.servingCount == 10 && guarded.held == [] && guarded.nextDeadline == nil)
        var late = guarded
        guarded.complete(fleet(11..<20), at: 10)
        #expect(guarded.servingCount == 20 && guarded.held.map(\.instances) == [11])
        #expect(guarded.held.map(\.excess) == [Excess(kind: .services, gone: 11, all: 20, rules: .init())])

        #expect(late.advance(to: .seconds(61)).events == [], "it was said once")
        late.complete(fleet(11..<20), at: 61)
        #expect(late.held.map(\.reason) == [.lastInstances])
    }

    @Test func `what went before the window does not count`() {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<20), at: 0)
        guarded.complete(fleet(8..<20), at: 1)
        guarded.complete(fleet(14..<20), at: 62)
        #expect(guarded.servingCount == 6)
        #expect(guarded.held == [])
    }

    @Test func `each has its grace from when it was held`() {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<20), at: 0)
        guarded.complete(fleet(12..<20), at: 1)
        guarded.complete(fleet(18..<20), at: 50)
        #expect(guarded.servingCount == 20)
        #expect(guarded.nextDeadline == .seconds(61))
        #expect(guarded.advance(to: .seconds(60)).isChange == false)
        let outcome = guarded.advance(to: .seconds(61))
        #expect(outcome.changed.count == 12)
        #expect(outcome.events.map(\.change) == [.released(.graceOver)])
        #expect(guarded.servingCount == 8)
        #expect(guarded.nextDeadline == .seconds(110))
        #expect(guarded.advance(to: .seconds(110)).changed.count == 6)
        #expect(guarded.servingCount == 2)
        #expect(guarded.inForce.count == 20)
        #expect(guarded.held == [])
        #expect(guarded.nextDeadline == nil)
    }

    @Test func `what comes back is released by itself`() {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<20), at: 0)
        guarded.complete([], at: 1)
        for back in 1...19 {
            let outcome = guarded.complete(fleet(0..<back), at: 1 + Double(back))
            #expect(outcome.events.map(\.change) == [.released(.returned)])
            #expect(guarded.servingCount == 20)
            #expect(guarded.held.map(\.instances) == [20 - back])
        }
        guarded.complete(fleet(0..<20), at: 30)
        #expect(guarded.held == [])
        #expect(guarded.nextDeadline == nil)
    }

    @Test func `additions and changes are never held`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<20, instances: 2), at: 0)
        guarded.complete([], at: 1)
        guarded.complete([service("new", [instance("n")]), service("s3", [instance("s3-0", at: "10.9.9.9")])], at: 2)
        #expect(guarded.inForce["new"] == ["n"])
        #expect(guarded.catalog[ServiceName("s3")]?.instances.map(\.address) == ["10.9.9.9", "10.0.3.2"])
    }

    @Test func `an accepted removal is gone at once, and does not count any more`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<20), at: 0)
        guarded.complete(fleet(12..<20), at: 1)
        let outcome = guarded.accept(.consul, at: .seconds(2))
        #expect(outcome.events.map(\.change) == [.released(.accepted)])
        #expect(guarded.servingCount == 8)
        #expect(guarded.accept(.consul, at: .seconds(2)) == GuardOutcome())
        guarded.complete(fleet(15..<20), at: 3)
        #expect(guarded.held.map(\.reason) == [.lastInstances, .lastInstances, .lastInstances])
    }

    @Test func `half of a cluster that turns critical at once stays routable for the grace`() {
        let half = fleet(0..<21, instances: 1, health: .critical) + fleet(21..<40)
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete(half, at: 1)
        #expect(guarded.servingCount == 40)
        #expect(guarded.held.map(\.instances) == [21])
        _ = guarded.advance(to: .seconds(61))
        #expect(guarded.servingCount == 19)

        var off = CatalogGuard.consul { $0.holdsCritical = false }
        off.complete(fleet(0..<40), at: 0)
        off.complete(half, at: 1)
        #expect(off.servingCount == 19)
    }

    @Test func `what is held though critical follows what else is said of it`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete(fleet(0..<40, health: .critical), at: 1)
        var changed = fleet(7..<8, health: .critical)[0].instances[0]
        changed.tags = ["v2"]
        _ = guarded.apply(.changed([service("s7", [changed])]), at: .seconds(2))
        #expect(guarded.catalog[ServiceName("s7")]?.instances.map(\.tags) == [["v2"]])
        #expect(guarded.catalog[ServiceName("s7")]?.instances.map(\.health) == [.passing])
        changed.address = "10.99.0.1"
        _ = guarded.apply(.changed([service("s7", [changed])]), at: .seconds(3))
        #expect(guarded.catalog[ServiceName("s7")]?.instances.map(\.address) == ["10.0.7.1"], "it is another place")
        #expect(guarded.catalog[ServiceName("s7")]?.instances.map(\.health) == [.passing])
    }

    @Test func `many that are critical elsewhere are held where they were`() {
        let elsewhere = fleet(0..<30).map { one in
            service(
                one.name.rawValue,
                one.instances.map {
                    instance($0.id.rawValue, at: "10.1.\(one.name.rawValue.dropFirst()).1", health: .critical)
                }
            )
        }
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete(elsewhere + fleet(30..<40), at: 1)
        #expect(guarded.servingCount == 40 && guarded.held.map(\.reason) == [.massRemoval])
        #expect(guarded.catalog[ServiceName("s3")]?.instances == fleet(3..<4)[0].instances)
        _ = guarded.advance(to: .seconds(61))
        #expect(guarded.servingCount == 10 && guarded.held == [])
    }

    @Test func `what was announced is no removal`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<20), at: 0)
        let draining = fleet(0..<20).map { one in
            service(
                one.name.rawValue,
                one.instances.map {
                    var drained = $0
                    drained.isDraining = true
                    return drained
                }
            )
        }
        guarded.complete(draining, at: 1)
        guarded.complete([], at: 2)
        #expect(guarded.servingCount == 0)
        #expect(guarded.held == [])

        var stopped = CatalogGuard.consul()
        stopped.complete(fleet(0..<20), at: 0)
        let ids = Dictionary(uniqueKeysWithValues: fleet(0..<20).map { ($0.name, Set($0.instances.map(\.id))) })
        _ = stopped.apply(.complete([]), stopped: ids, at: .seconds(1))
        #expect(stopped.servingCount == 0)
        #expect(stopped.held == [])
    }

    @Test func `the address of a held instance may be given to another`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete([], at: 1)
        guarded.complete([service("other", [instance("o", at: "10.0.5.1")])], at: 2)
        #expect(guarded.inForce["s5"] == [])
        #expect(guarded.inForce["s6"] == ["s6-0"])
        guarded.complete([service("other", [instance("o", at: "10.0.5.1")])] + fleet(5..<6), at: 3)
        #expect(guarded.inForce["s5"] == ["s5-0"], "it is the word of the source")
    }

    /// Whoever is at another's address now gets no requests for it, in whatever order its source tells of them.
    @Test func `places that are swapped are not held`() {
        var guarded = CatalogGuard.consul()
        let web = instance("web-1", at: "10.0.7.1")
        let api = instance("api-1", at: "10.0.7.2")
        guarded.complete([service("web", [web]), service("api", [api])], at: 0)
        guarded.complete([], at: 1)
        #expect(guarded.inForce == ["web": ["web-1"], "api": ["api-1"]])
        _ = guarded.apply(.changed([service("api", [instance("api-1", at: "10.0.7.1")])]), at: .seconds(2))
        #expect(guarded.inForce == ["web": [], "api": ["api-1"]])
    }

    @Test func `the next one at the address is read before the removal`() {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("web-1", at: "10.0.7.1")])], at: 0)
        _ = guarded.apply(.changed([service("api", [instance("api-1", at: "10.0.7.1")])]), at: .seconds(5))
        _ = guarded.apply(.changed([service("web", [])]), at: .seconds(6))
        #expect(guarded.inForce == ["web": [], "api": ["api-1"]])
        #expect(guarded.held == [])
    }

    @Test func `two names of one place are held both when both go, one after the other`() {
        var guarded = CatalogGuard.consul()
        let names = ["web", "web-admin"]
        guarded.complete([], at: 0)
        for name in names { _ = guarded.apply(.changed([service(name, [instance("\(name)-1")])]), at: .seconds(1)) }
        for name in names { _ = guarded.apply(.changed([service(name, [])]), at: .seconds(2)) }
        #expect(guarded.inForce == ["web": ["web-1"], "web-admin": ["web-admin-1"]])
    }

    @Test func `who is held as critical gives way to the next one at its address`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete(fleet(0..<40, health: .critical), at: 1)
        #expect(guarded.servingCount == 40)
        let place = fleet(3..<4)[0].instances[0].address
        let port = fleet(3..<4)[0].instances[0].port
        _ = guarded.apply(.changed([service("other", [instance("o", at: place, port: port)])]), at: .seconds(2))
        #expect(guarded.servingCount == 40)
        #expect(guarded.catalog[ServiceName("s3")]?.instances.contains(where: \.isRoutable) == false)
    }

    @Test func `two names of one place come back one after the other`() {
        let first = fleet(0..<40)
        let second = fleet(0..<40).map { service("\($0.name)-admin", $0.instances) }
        var guarded = CatalogGuard.consul()
        guarded.complete(first + second, at: 0)
        guarded.complete([], at: 1)
        guarded.complete(first, at: 2)
        #expect(guarded.servingCount == 80)
    }

    @Test func `it can be turned off`() {
        var guarded = CatalogGuard.consul { $0.fraction = 0 }
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete([], at: 1)
        #expect(guarded.servingCount == 0)
        #expect(guarded.inForce.count == 40)
        #expect(guarded.held == [])
    }
}
