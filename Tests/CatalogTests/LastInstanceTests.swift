// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

/// A whole service that vanishes, and the services that are remembered.
struct LastInstanceTests {
    @Test(arguments: [CatalogUpdate.changed(gone: ["web"]), .changed([service("web", [])])])
    func `the last instance of a service is held for the grace`(update: CatalogUpdate) {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("a"), instance("b")])], at: 0)
        guarded.complete([service("web", [instance("b")])], at: 1)
        #expect(guarded.inForce["web"] == ["b"], "it is not the last")
        let outcome = guarded.apply(update, at: .seconds(2))
        #expect(guarded.inForce["web"] == ["b"])
        #expect(outcome.events.map(\.reason) == [.lastInstances])
        #expect(guarded.codes == ["SB303"])
        #expect(
            guarded.diagnostics.map(\.cure) == [
                "if it was stopped, none is needed: it ends by itself after the grace (catalog.vanished.grace.seconds); "
                    + "else bring them back; to end it at once, signalbox catalog accept --source consul"
            ]
        )
        #expect(guarded.nextDeadline == .seconds(62))
        let released = guarded.advance(to: .seconds(62))
        #expect(released.changed == [ServiceName("web")])
        #expect(!released.isOtherServices)
        #expect(guarded.inForce["web"] == [], "it stays known")
        #expect(guarded.codes == [])
    }

    @Test func `another instance ends it`() {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("a")])], at: 0)
        guarded.complete([], at: 1)
        guarded.complete([service("web", [instance("b", at: "10.0.0.2")])], at: 2)
        #expect(guarded.inForce["web"] == ["b"])
        #expect(guarded.held == [])
    }

    @Test func `one that drains is no other instance`() {
        var guarded = CatalogGuard.consul()
        let draining = instance("a", isDraining: true)
        let healthy = instance("b", at: "10.0.0.2")
        guarded.complete([service("web", [instance("a"), healthy])], at: 0)
        guarded.complete([service("web", [draining, healthy])], at: 1)
        guarded.complete([service("web", [draining])], at: 2)
        #expect(guarded.inForce["web"] == ["a", "b"] && guarded.held.map(\.reason) == [.lastInstances])
        guarded.complete([], at: 3)
        #expect(guarded.inForce["web"] == ["b"], "what drained is let go, and leaves nothing behind")
        guarded.complete([service("web", [instance("c", at: "10.0.0.3", isDraining: true)])], at: 4)
        #expect(guarded.inForce["web"] == ["b", "c"], "nor does one that comes and drains free it")
        guarded.complete([service("web", [instance("c", at: "10.0.0.3")])], at: 5)
        #expect(guarded.inForce["web"] == ["c"] && guarded.held == [])
    }

    @Test func `a service whose instances all drain is let go`() {
        var guarded = CatalogGuard.consul()
        let others = ["b", "c"].map { instance($0, at: "10.0.0.2", port: $0 == "b" ? 80 : 81, isDraining: true) }
        guarded.complete([service("web", [instance("a"), instance("b", at: "10.0.0.2")])], at: 0)
        guarded.complete([service("web", [instance("a", isDraining: true)] + others)], at: 1)
        guarded.complete([service("web", others)], at: 2)
        #expect(guarded.inForce["web"] == ["b", "c"] && guarded.held == [])
        guarded.complete([], at: 3)
        #expect(guarded.inForce["web"] == [] && guarded.held == [])
    }

    @Test func `one that is said to be critical is not held`() {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("a")])], at: 0)
        guarded.complete([service("web", [instance("a", health: .critical)])], at: 1)
        #expect(guarded.inForce["web"] == [])
        guarded.complete([], at: 2)
        #expect(guarded.inForce["web"] == [])

        guarded.complete([service("api", [instance("a")])], at: 3)
        guarded.complete([], at: 4)
        #expect(guarded.inForce["api"] == ["a"])
        guarded.complete([service("api", [instance("a", health: .critical)])], at: 5)
        #expect(guarded.inForce["api"] == [])
        #expect(guarded.held == [])
    }

    /// The default ID is the service's name: whoever registers it again elsewhere has the same.
    @Test func `one that is critical elsewhere is not where it was`() {
        let (old, new) = (instance("web", at: "10.0.0.1"), instance("web", at: "10.0.0.2", health: .critical))
        for holdsCritical in [true, false] {
            var guarded = CatalogGuard.consul { $0.holdsCritical = holdsCritical }
            guarded.complete([service("web", [old])], at: 0)
            let outcome = guarded.complete([service("web", [new])], at: 1)
            #expect(guarded.catalog[ServiceName("web")]?.instances == [old])
            #expect(outcome.events.map(\.reason) == [.lastInstances])
            var tagged = new
            tagged.tags = ["v2"]
            guarded.complete([service("web", [tagged])], at: 2)
            #expect(guarded.catalog[ServiceName("web")]?.instances == [old], "nothing else is said of it, either")
            var routable = guarded
            _ = guarded.advance(to: .seconds(61))
            #expect(guarded.catalog[ServiceName("web")]?.instances == [tagged] && guarded.held == [])

            let passing = instance("web", at: "10.0.0.2")
            routable.complete([service("web", [passing])], at: 3)
            #expect(routable.catalog[ServiceName("web")]?.instances == [passing] && routable.held == [])
        }
    }

    @Test func `one that was removed and is critical elsewhere is held on`() {
        var guarded = CatalogGuard.consul()
        let old = instance("web", at: "10.0.0.1")
        guarded.complete([service("web", [old])], at: 0)
        guarded.complete([], at: 1)
        guarded.complete([service("web", [instance("web", at: "10.0.0.2", health: .critical)])], at: 2)
        #expect(guarded.catalog[ServiceName("web")]?.instances == [old])
        guarded.complete([service("web", [instance("web", at: "10.0.0.1", health: .critical)])], at: 3)
        #expect(guarded.inForce["web"] == [] && guarded.held == [], "now it is said where it was")

        guarded.complete([service("web", [old])], at: 4)
        _ = guarded.apply(
            .changed([service("web", [instance("web", at: "10.0.0.2", health: .critical)])]),
            stopped: [ServiceName("web"): [InstanceID("web")]],
            at: .seconds(5)
        )
        #expect(guarded.inForce["web"] == [] && guarded.held == [], "it stopped there")
    }

    @Test func `only those that were removed are held, and not those that turned critical with them`() {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("a"), instance("b", at: "10.0.0.2")])], at: 0)
        guarded.complete([service("web", [instance("b", at: "10.0.0.2", health: .critical)])], at: 1)
        #expect(guarded.inForce["web"] == ["a"])
    }

    @Test func `what another source says has stopped is not held, then or later`() {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("a")])], at: 0)
        guarded.complete([], at: 1)
        _ = guarded.apply(.changed(), stopped: [ServiceName("web"): [InstanceID("a")]], at: .seconds(2))
        #expect(guarded.inForce["web"] == [])
        #expect(guarded.held == [])
    }

    @Test func `a grace of 0 holds nothing`() {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete([service("web", [instance("a")])], at: 0)
        guarded.complete([], at: 1)
        #expect(guarded.inForce == ["web": []])
    }

    @Test func `a service is gone when nothing of it is held`() {
        var guarded = CatalogGuard.consul()
        guarded.complete([service("web", [instance("a")]), service("empty", [])], at: 0)
        #expect(guarded.remembered == [])
        #expect(guarded.complete([], at: 1).changed == [ServiceName("empty")])
        #expect(guarded.remembered == [ServiceName("empty")])
        _ = guarded.advance(to: .seconds(62))
        #expect(guarded.remembered == [ServiceName("empty"), ServiceName("web")])
        guarded.complete([service("web", [instance("a")])], at: 70)
        #expect(guarded.remembered == [ServiceName("empty")])
    }

    @Test func `the services remembered are the last ones that went`() {
        var guarded = CatalogGuard.consul { $0.rememberedServices = 3 }
        for number in 0..<10 {
            guarded.complete(fleet(number..<number + 1), at: Double(number) * 100)
            _ = guarded.advance(to: .seconds(number * 100 + 99))
        }
        #expect(guarded.inForce == ["s6": [], "s7": [], "s8": [], "s9": ["s9-0"]])
        let forgotten = guarded.complete([], at: 1000)
        #expect(forgotten.changed == [ServiceName("s6")])
        #expect(forgotten.isOtherServices)
    }

    @Test func `of many that are held, twenty are named`() {
        var guarded = CatalogGuard.consul { $0.fraction = 100 }
        guarded.complete(fleet(0..<30), at: 0)
        guarded.complete([], at: 1)
        #expect(guarded.held.count == 30)
        #expect(guarded.diagnostics.count == 21)
        #expect(guarded.diagnostics.last?.message == "10 more services have their last instances held")
    }
}
