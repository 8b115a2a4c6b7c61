// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Catalog

/// What a source cannot say yet after a restart, against what was stored before it.
struct UnheardTests {
    private static func instance(_ id: String, in datacenter: String) -> Instance {
        Instance(
            id: InstanceID(id),
            address: "10.0.0.1",
            port: 80,
            datacenter: datacenter,
            origin: Origin(file: "consul/\(id)")
        )
    }

    /// A guard that lets everything go, and what it had stored.
    private static func seeded(_ services: [Service]) -> CatalogGuard {
        var guarded = CatalogGuard.consul {
            $0.fraction = 0
            $0.lastInstanceGrace = .zero
        }
        let source = StoredCatalog.Source(heardAt: 0, services: services, configEntries: nil, documents: nil)
        _ = guarded.seed(StoredCatalog(savedAt: 0, sources: [.consul: source]), wallClock: 0, at: .zero)
        return guarded
    }

    private static let stored = [
        service("web", [Self.instance("w1", in: "dc1"), Self.instance("w2", in: "dc2")]),
        service("near", [Self.instance("n1", in: "dc1")]),
        service("far", [Self.instance("f2", in: "dc2")]),
    ]

    @Test func `the instances of a datacenter that was not heard stay, and those of the others go`() {
        var guarded = Self.seeded(Self.stored)
        var update = CatalogUpdate.complete([service("web", [Self.instance("w3", in: "dc1")])])
        update.unheard = Unheard(datacenters: ["dc2"])
        _ = guarded.apply(update, at: .seconds(1))
        #expect(guarded.inForce == ["web": ["w2", "w3"], "near": [], "far": ["f2"]])
        // It is heard, and has neither.
        _ = guarded.apply(.complete([service("web", [Self.instance("w3", in: "dc1")])]), at: .seconds(2))
        #expect(guarded.inForce == ["web": ["w3"], "near": [], "far": []])
    }

    @Test func `a service that was not read stays as it was`() {
        var guarded = Self.seeded(Self.stored)
        var update = CatalogUpdate.complete([])
        update.unheard = Unheard(services: [ServiceName("near"): []])
        _ = guarded.apply(update, at: .seconds(1))
        #expect(guarded.inForce == ["web": [], "near": ["n1"], "far": []])
        _ = guarded.apply(.changed(gone: ["near"]), at: .seconds(2))
        #expect(guarded.inForce["near"] == [])
    }

    @Test func `a service that one datacenter has not read is what the others say, and its old instances there`() {
        var guarded = Self.seeded(Self.stored)
        var update = CatalogUpdate.changed([service("web", [Self.instance("w3", in: "dc1")])])
        update.unheard = Unheard(services: [ServiceName("web"): ["dc2"]])
        _ = guarded.apply(update, at: .seconds(1))
        #expect(guarded.inForce["web"] == ["w2", "w3"])
    }

    /// That `web` is hidden, by a source that has `api` as well.
    private static func hiding(_ services: [Service] = [], isComplete: Bool = false) -> CatalogUpdate {
        var update = CatalogUpdate.changed(services)
        update.isComplete = isComplete
        update.unheard = Unheard(services: [ServiceName("web"): []], hidden: [ServiceName("web"): .all])
        return update
    }

    private static let pair = [
        service("web", [Self.instance("w1", in: "dc1"), Self.instance("w2", in: "dc1")]),
        service("api", [Self.instance("a1", in: "dc1")]),
    ]

    @Test(arguments: [true, false])
    func `what a source refuses to show stays until that is accepted, and surprises nobody then`(isStored: Bool) {
        var guarded = isStored ? Self.seeded(Self.pair) : CatalogGuard.consul { $0.serviceLimit = 0 }
        if !isStored { guarded.complete(Self.pair, at: 0) }
        var outcome = guarded.apply(
            isStored ? Self.hiding([Self.pair[1]], isComplete: true) : Self.hiding(),
            at: .seconds(5)
        )
        #expect(outcome.events.map(\.change) == [.held] && outcome.events.map(\.instances) == [2])
        var held = HeldRemoval(source: .consul, reason: .hidden, names: ["web"], since: .seconds(5), until: nil)
        (held.emptied, held.instances) = (1, 2)
        outcome = guarded.apply(Self.hiding(), at: .seconds(500))
        #expect(
            guarded.held == [held] && outcome.events.isEmpty
                && guarded.diagnostics.map(\.code).filter { $0 != "SB304" } == ["SB307"]
        )
        #expect(guarded.inForce == ["web": ["w1", "w2"], "api": ["a1"]])

        outcome = guarded.accept(.consul, at: .seconds(501))
        #expect(outcome.events.map(\.change) == [.released(.accepted)] && outcome.changed == [ServiceName("web")])
        #expect(guarded.inForce == ["web": [], "api": ["a1"]] && guarded.held.isEmpty)
        // It goes on to say so, and then that it is gone.
        _ = guarded.apply(Self.hiding(), at: .seconds(502))
        _ = guarded.apply(.changed(gone: ["web"]), at: .seconds(503))
        #expect(guarded.inForce["web"] == [] && guarded.held.isEmpty)
    }

    @Test func `what a source shows again is released, as it is now`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(Self.pair, at: 0)
        _ = guarded.apply(Self.hiding(), at: .seconds(5))
        let outcome = guarded.apply(.changed([service("web", [Self.instance("w1", in: "dc1")])]), at: .seconds(6))
        #expect(outcome.events.map(\.change) == [.released(.returned)] && guarded.held.isEmpty)
        _ = guarded.accept(.consul, at: .seconds(7))
        #expect(guarded.inForce["web"] == ["w1"])
    }

    @Test func `of a service that is hidden in part, that part goes`() {
        for share in [Unheard.Share(datacenters: ["dc2"]), .init(instances: [InstanceID("w2")])] {
            var guarded = CatalogGuard.consul { ($0.fraction, $0.serviceLimit, $0.instanceLimit) = (1, 0, 0) }
            guarded.complete(Self.stored, at: 0)
            var update = CatalogUpdate.changed([])
            update.unheard.hidden = [ServiceName("web"): share]
            _ = guarded.apply(update, at: .seconds(5))
            #expect(guarded.held.map(\.instances) == [1] && guarded.held.map(\.emptied) == [0])
            _ = guarded.accept(.consul, at: .seconds(6))
            #expect(guarded.inForce == ["web": ["w1"], "near": ["n1"], "far": ["f2"]] && guarded.held.isEmpty)
            // It was told before the source heard of that.
            update.services = [ServiceName("web"): Self.stored[0]]
            _ = guarded.apply(update, at: .seconds(7))
            #expect(guarded.inForce["web"] == ["w1"] && guarded.held.isEmpty)
            // And this after it.
            update.unheard.hidden = [:]
            _ = guarded.apply(update, at: .seconds(8))
            #expect(guarded.inForce["web"] == ["w1", "w2"])
        }
    }

    @Test func `what was let go and is shown again is there, though another part is hidden now`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(Self.pair, at: 0)
        var update = CatalogUpdate.changed([])
        update.unheard.hidden = [ServiceName("web"): .init(instances: [InstanceID("w2")])]
        _ = guarded.apply(update, at: .seconds(5))
        _ = guarded.accept(.consul, at: .seconds(6))
        #expect(guarded.inForce["web"] == ["w1"])
        update.services = [ServiceName("web"): Self.pair[0]]
        update.unheard.hidden = [ServiceName("web"): .init(instances: [InstanceID("w1")])]
        for second in 7...8 {
            _ = guarded.apply(update, at: .seconds(second))
            #expect(guarded.inForce["web"] == ["w1", "w2"] && guarded.held.map(\.instances) == [1])
        }
    }

    @Test func `what is merely not heard stays when removals are accepted`() {
        var guarded = Self.seeded(Self.stored)
        var update = CatalogUpdate.complete([])
        update.unheard = Unheard(datacenters: ["dc2"], services: [ServiceName("near"): []])
        _ = guarded.apply(update, at: .seconds(1))
        _ = guarded.accept(.consul, at: .seconds(2))
        #expect(guarded.inForce == ["web": ["w2"], "near": ["n1"], "far": ["f2"]])
    }

    @Test func `an ID that both have is told apart by the datacenter, as often as it is said`() {
        var guarded = Self.seeded([service("web", [Self.instance("w", in: "dc2")])])
        var update = CatalogUpdate.complete([service("web", [Self.instance("w", in: "dc1")])])
        update.unheard = Unheard(datacenters: ["dc2"])
        for second in 1...3 {
            _ = guarded.apply(update, at: .seconds(second))
            #expect(guarded.inForce["web"] == ["dc2/w", "w"])
        }
    }
}
