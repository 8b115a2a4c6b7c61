// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

/// Several sources, and what is in force before they have spoken.
struct MergingTests {
    private func guarded(required: [SourceName: Set<CatalogGuard.Part>] = [:]) -> CatalogGuard {
        CatalogGuard(CatalogGuard.Settings(required: required))
    }

    @Test func `a name that several sources have is one's as a whole: file, consul, nomad`() {
        var guarded = self.guarded()
        for source in [SourceName.nomad, .consul, .file] {
            guarded.complete([service("web", [instance(source.rawValue)], in: source)], from: source, at: 0)
            #expect(guarded.inForce == ["web": [source.rawValue]])
            #expect(guarded.sizes.mapValues(\.services) == [source: 1], "it counts for whom it is taken from")
        }
        #expect(
            guarded.diagnostics.map(\.description) == [
                "nomad/web: warning[SB301] service/web: file and consul and nomad have a service of this name; that of "
                    + "file is in force, as a whole (register one of them under another name)"
            ]
        )
        guarded.complete([], from: .file, at: 1)
        #expect(guarded.inForce == ["web": ["consul"]])
        guarded.complete([], from: .consul, at: 2)
        #expect(guarded.inForce == ["web": ["nomad"]], "who has it comes before who only holds it")
        #expect(guarded.codes == ["SB303"])
        guarded.complete([], from: .nomad, at: 3)
        #expect(guarded.inForce == ["web": ["consul"]])
        #expect(guarded.sizes.mapValues(\.instances) == [.consul: 1], "what is held counts")
        _ = guarded.advance(to: .seconds(100))
        #expect(guarded.sizes == [:], "what is only remembered does not")
        #expect(guarded.inForce == ["web": []])
    }

    @Test func `a source without a routable instance takes no service from one that has some`() {
        var guarded = self.guarded()
        guarded.complete([service("web", [instance("n")], in: .nomad)], from: .nomad, at: 0)
        for unroutable in [[], [instance("c", health: .critical)], [instance("c", weight: 0)]] {
            let outcome = guarded.complete([service("web", unroutable)], at: 1)
            #expect(!outcome.isChange && guarded.inForce == ["web": ["n"]])
            #expect(guarded.sizes.mapValues(\.routable) == [.nomad: 1])
        }
        #expect(
            guarded.diagnostics.map(\.description) == [
                "consul/web: warning[SB301] service/web: consul and nomad have a service of this name; that of nomad is in "
                    + "force, as a whole, as long as consul has no routable instance "
                    + "(register one of them under another name)"
            ]
        )
        guarded.complete([service("web", [instance("c"), instance("d", health: .critical)])], at: 2)
        #expect(guarded.inForce == ["web": ["c"]], "one is enough")
        guarded.complete([service("web", [instance("c", health: .critical)])], at: 3)
        #expect(guarded.inForce == ["web": ["n"]], "and back")
        guarded.complete([service("web", [instance("n", health: .critical)], in: .nomad)], from: .nomad, at: 4)
        #expect(guarded.catalog[ServiceName("web")]?.instances.map(\.id.rawValue) == ["c"], "nobody has one")
    }

    @Test func `what a source holds counts where no source has a routable instance`() {
        var guarded = self.guarded()
        guarded.complete([service("web", [instance("n")], in: .nomad)], from: .nomad, at: 0)
        guarded.complete([service("web", [instance("c", health: .critical)])], at: 0)
        guarded.complete([], from: .nomad, at: 1)
        #expect(guarded.inForce == ["web": ["n"]])
        #expect(guarded.codes == ["SB303", "SB301"])
        #expect(guarded.sizes.mapValues(\.instances) == [.nomad: 1])
        _ = guarded.advance(to: .seconds(61))
        #expect(guarded.inForce == ["web": []])
        #expect(guarded.codes == [])
        #expect(guarded.sizes.mapValues(\.instances) == [.consul: 1])
    }

    @Test func `what is held where another source counts is not stored`() {
        let settings = CatalogGuard.Settings(rules: [
            .consul: CatalogGuard.SourceRules(), .nomad: CatalogGuard.SourceRules(),
        ])
        var guarded = CatalogGuard(settings)
        guarded.complete([service("web", [instance("n")], in: .nomad)], from: .nomad, at: 0)
        guarded.complete([service("web", [instance("c")])], at: 0)
        guarded.complete([], at: 1)
        #expect(guarded.inForce == ["web": ["n"]] && guarded.codes == ["SB303"])
        var next = CatalogGuard(settings)
        _ = next.seed(guarded.stored(wallClock: 1, at: .seconds(1)), wallClock: 2, at: .zero)
        #expect(next.inForce == ["web": ["n"]])
    }

    @Test func `instances that get no requests are told from the others`() {
        var guarded = self.guarded()
        let instances = [instance("a"), instance("b", health: .critical), instance("c", weight: 0)]
        guarded.complete([service("web", instances, in: .consul)], from: .consul, at: 0)
        #expect(guarded.sizes[.consul]?.instances == 3 && guarded.sizes[.consul]?.routable == 1)
    }

    @Test func `what a file does not say any more is not remembered here`() {
        var guarded = self.guarded()
        guarded.complete([service("web", [instance("a", at: "127.0.0.1")], in: .file)], from: .file, at: 0)
        #expect(guarded.inForce == ["web": ["a"]], "the operator may write any address")
        guarded.complete([], from: .file, at: 1)
        #expect(guarded.inForce == [:])
    }

    @Test func `nothing is in force before every required part was heard`() {
        var guarded = self.guarded(required: [.consul: [.services, .configEntries], .nomad: [.services]])
        #expect(!guarded.isReady)
        #expect(!guarded.complete(fleet(0..<3), at: 0).isChange)
        _ = guarded.apply(.changed(fleet(3..<4), from: .nomad), at: .seconds(1))
        #expect(guarded.awaited == [.consul: [.configEntries], .nomad: [.services]], "a part of it is not enough")
        _ = guarded.apply(configEntries: [], from: .consul, at: .seconds(2))
        #expect(guarded.awaited == [.nomad: [.services]])
        #expect(guarded.catalog == Catalog())
        let outcome = guarded.complete(fleet(3..<5), from: .nomad, at: 3)
        #expect(outcome.becameReady)
        #expect(outcome.changed.count == 5)
        #expect(guarded.servingCount == 5)
        #expect(guarded.awaited == [:])
    }

    @Test func `a source that has nothing was heard, too`() {
        var guarded = self.guarded(required: [.consul: [.services]])
        #expect(guarded.complete([], at: 0).becameReady)
        #expect(guarded.catalog == Catalog())
    }

    @Test func `an update that says what is known changes nothing`() {
        var guarded = self.guarded()
        #expect(guarded.complete(fleet(0..<10), at: 0).changed.count == 10)
        #expect(guarded.complete(fleet(0..<10), at: 1) == GuardOutcome())
        let outcome = guarded.apply(.changed([service("s3", [instance("x")])]), at: .seconds(2))
        #expect(outcome.changed == [ServiceName("s3")])
        #expect(!outcome.isOtherServices)
        #expect(guarded.apply(.changed([service("new", [])]), at: .seconds(2)).isOtherServices)
    }

    @Test func `a service is known by the name that it is told under`() {
        var guarded = self.guarded()
        let update = CatalogUpdate(
            source: .consul,
            isComplete: true,
            services: [ServiceName("a"): service("b", [instance("x")])]
        )
        _ = guarded.apply(update, at: .zero)
        #expect(guarded.catalog[ServiceName("a")]?.name == ServiceName("a"))
        #expect(guarded.catalog.services.count == 1)
    }

    @Test func `of many names that are shared a hundred are shown`() {
        var guarded = self.guarded()
        guarded.complete(fleet(0..<130), from: .consul, at: 0)
        guarded.complete(fleet(0..<130), from: .nomad, at: 0)
        #expect(guarded.diagnostics.count == 101)
        #expect(guarded.diagnostics.last?.message.hasPrefix("30 more findings") == true)
    }
}
