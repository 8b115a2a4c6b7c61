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
