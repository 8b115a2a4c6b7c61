// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

/// A start from what was known before it.
struct StoredCatalogTests {
    private static let entry = ConfigEntry(
        key: ConfigEntry.Key(kind: "service-router", name: "web"),
        json: Array("{}".utf8),
        origin: Origin(file: "consul")
    )

    private static let stored = StoredCatalog(
        savedAt: 1_000_100,
        sources: [
            .consul: StoredCatalog.Source(
                heardAt: 1_000_000,
                services: fleet(0..<20),
                configEntries: [entry],
                documents: [
                    StoredCatalog.Document(path: "a.yaml", bytes: [1]),
                    StoredCatalog.Document(path: "b.yaml", bytes: [2]),
                ]
            ),
            .nomad: StoredCatalog.Source(heardAt: 1_000_000, services: fleet(90..<95)),
        ]
    )

    private static func guarded() -> CatalogGuard {
        CatalogGuard(
            CatalogGuard.Settings(
                required: [.consul: [.services, .configEntries, .documents]],
                rules: [.consul: CatalogGuard.SourceRules()]
            )
        )
    }

    @Test func `what is stored stands in for a source, with its age`() {
        var guarded = Self.guarded()
        let (documents, outcome) = guarded.seed(Self.stored, wallClock: 1_000_300, at: .seconds(5))
        #expect(outcome.becameReady)
        #expect(guarded.servingCount == 20, "nomad is no source of this process")
        #expect(guarded.configEntries(of: .consul) == [Self.entry])
        #expect(documents.keys.sorted() == [.consul])
        #expect(
            documents[.consul] == [
                FileChange(path: "a.yaml", content: .bytes([1])), FileChange(path: "b.yaml", content: .bytes([2])),
            ]
        )
        let ages = guarded.storedAges(of: .consul, wallClock: 1_000_400)
        #expect(ages == [.services: .seconds(400), .configEntries: .seconds(400), .documents: .seconds(400)])
        #expect(guarded.storedAges(of: .nomad, wallClock: 1_000_400).isEmpty)
        #expect(
            guarded.diagnostics.map(\.description) == [
                "consul: warning[SB304] source/consul: the services, config entries and documents of consul have not "
                    + "been heard since the start; what it said at 1970-01-12T13:46:40Z stands in for them "
                    + "(wait until it has answered; signalbox catalog status says how it is)"
            ]
        )
    }

    @Test func `the source is believed as if it had said what is stored`() {
        var guarded = Self.guarded()
        _ = guarded.seed(Self.stored, wallClock: 1_000_300, at: .zero)
        guarded.complete(fleet(0..<5), at: 1)
        #expect(guarded.servingCount == 20)
        #expect(guarded.held.map(\.instances) == [15])
        _ = guarded.apply(configEntries: [], from: .consul, at: .seconds(1))
        #expect(guarded.configEntries(of: .consul) == [])
        #expect(guarded.storedAges(of: .consul, wallClock: 1_000_400).keys.map(\.self) == [.documents])
        let (documents, _) = guarded.apply(
            documents: [FileChange(path: "a.yaml", content: .bytes([3]))],
            from: .consul,
            at: .seconds(1)
        )
        #expect(
            documents == [
                FileChange(path: "a.yaml", content: .bytes([3])), FileChange(path: "b.yaml", content: .removed),
            ]
        )
        #expect(guarded.storedAges(of: .consul, wallClock: 1_000_400).isEmpty)
        let (later, _) = guarded.apply(documents: [], from: .consul, at: .seconds(2))
        #expect(later == [])
    }

    @Test func `only the parts that are not heard are said to be stood in for, with what keeps them`() {
        var guarded = Self.guarded()
        _ = guarded.seed(Self.stored, wallClock: 1_000_300, at: .zero)
        #expect(guarded.storedAges(of: .consul, wallClock: 0).count == 3)
        guarded.apply(
            SourceStatus(source: .consul, state: .suspect, problem: "no key:read", reason: "partial", isPartial: true),
            at: .zero
        )
        guarded.complete(fleet(0..<20), at: 1)
        _ = guarded.apply(configEntries: [Self.entry], from: .consul, at: .seconds(1))
        #expect(guarded.storedAges(of: .consul, wallClock: 0).keys.map(\.self) == [.documents])
        #expect(
            guarded.diagnostics.map(\.description) == [
                "consul: warning[SB304] source/consul: the documents of consul have not been heard since the start; "
                    + "what it said at 1970-01-12T13:46:40Z stands in for them (no key:read)"
            ]
        )
        _ = guarded.apply(documents: [], from: .consul, at: .seconds(2))
        #expect(guarded.storedAges(of: .consul, wallClock: 0).isEmpty && guarded.diagnostics == [])
    }

    @Test func `what is in force is what is stored, also what is held and what is remembered`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<3), at: 0)
        guarded.complete(fleet(1..<3), at: 1)
        guarded.complete(fleet(2..<3), at: 50)
        _ = guarded.advance(to: .seconds(70))
        #expect(guarded.inForce == ["s0": [], "s1": ["s1-0"], "s2": ["s2-0"]])
        let stored = guarded.stored(wallClock: 5000, at: .seconds(70))
        #expect(stored.savedAt == 5000)
        let gone = fleet(0..<1).map { Service(name: $0.name, instances: [], origin: $0.origin) }
        #expect(stored.sources == [.consul: StoredCatalog.Source(heardAt: 5000, services: gone + fleet(1..<3))])

        var next = CatalogGuard.consul()
        _ = next.seed(stored, wallClock: 5010, at: .zero)
        #expect(next.inForce == guarded.inForce)
        #expect(next.remembered == [ServiceName("s0")])
        next.complete(fleet(1..<3), at: 1)
        #expect(next.inForce == guarded.inForce)
    }

    @Test func `the age of what is stored is that of the word of its source`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<3), at: 0)
        guarded.apply(SourceStatus(source: .consul, state: .down), at: .seconds(100))
        #expect(guarded.stored(wallClock: 5000, at: .seconds(150)).sources[.consul]?.heardAt == [.services: 4950])

        var next = CatalogGuard.consul()
        _ = next.seed(guarded.stored(wallClock: 5000, at: .seconds(150)), wallClock: 5010, at: .zero)
        #expect(next.stored(wallClock: 6000, at: .seconds(1000)).sources[.consul]?.heardAt == [.services: 4950])
        #expect(next.storedAges(of: .consul, wallClock: 6000) == [.services: .seconds(1050)])
        #expect(next.storedAges(of: .consul, wallClock: 4000) == [.services: .zero], "a clock that went back")
    }

    @Test func `each part has an age of its own`() {
        var guarded = Self.guarded()
        _ = guarded.seed(Self.stored, wallClock: 1_000_300, at: .zero)
        guarded.complete(fleet(0..<20), at: 1)
        let stored = guarded.stored(wallClock: 1_000_400, at: .seconds(100))
        #expect(
            stored.sources[.consul]?.heardAt
                == [.services: 1_000_400, .configEntries: 1_000_000, .documents: 1_000_000]
        )
        var next = Self.guarded()
        _ = next.seed(stored, wallClock: 1_000_500, at: .zero)
        #expect(next.storedAges(of: .consul, wallClock: 1_000_500)[.services] == .seconds(100))
        #expect(next.storedAges(of: .consul, wallClock: 1_000_500)[.documents] == .seconds(500))
        #expect(
            next.diagnostics.map(\.message) == [
                "the services, config entries and documents of consul have not been heard since the start; what it said "
                    + "of its config entries and documents at 1970-01-12T13:46:40Z and of its services at "
                    + "1970-01-12T13:53:20Z stands in for them"
            ]
        )
    }

    @Test(arguments: [Int64.min, -1, .max])
    func `a time that cannot be is no matter`(heardAt: Int64) {
        var guarded = CatalogGuard.consul()
        let source = StoredCatalog.Source(heardAt: heardAt, services: [])
        _ = guarded.seed(StoredCatalog(savedAt: heardAt, sources: [.consul: source]), wallClock: 100, at: .zero)
        #expect(guarded.storedAges(of: .consul, wallClock: 200) == [.services: .seconds(heardAt == .max ? 100 : 200)])
        #expect(guarded.codes == ["SB304"])
    }

    @Test func `what is stored is judged by the rules of today`() {
        var guarded = CatalogGuard.consul()
        let stored = StoredCatalog(
            savedAt: 0,
            sources: [
                .consul: StoredCatalog.Source(heardAt: 0, services: [service("web", [instance("a", at: "127.0.0.1")])])
            ]
        )
        _ = guarded.seed(stored, wallClock: 0, at: .zero)
        #expect(guarded.inForce == ["web": []])
        #expect(guarded.codes == ["SB304", "SB311"])
    }
}

struct ConfigEntryTests {
    private func entries(_ range: Range<Int>) -> [ConfigEntry] {
        range.map { number in
            ConfigEntry(
                key: ConfigEntry.Key(kind: "service-router", name: "s\(number)"),
                json: [],
                origin: Origin(file: "consul")
            )
        }
    }

    @Test func `entries that go by the operator's word are not held, and count no more`() {
        var guarded = CatalogGuard.consul()
        _ = guarded.apply(configEntries: self.entries(0..<20), from: .consul, at: .zero)
        let accepted = Set(self.entries(8..<20).map(\.key))
        _ = guarded.apply(configEntries: self.entries(0..<8), from: .consul, accepted: accepted, at: .seconds(1))
        #expect(guarded.configEntries(of: .consul).count == 8 && guarded.held == [])
        _ = guarded.apply(configEntries: self.entries(0..<4), from: .consul, at: .seconds(2))
        #expect(guarded.configEntries(of: .consul).count == 4 && guarded.held == [])
    }

    @Test func `entries that go by the operator's word take no others with them`() {
        var guarded = CatalogGuard.consul()
        _ = guarded.apply(configEntries: self.entries(0..<20), from: .consul, at: .zero)
        let accepted = Set(self.entries(19..<20).map(\.key))
        _ = guarded.apply(configEntries: self.entries(0..<1), from: .consul, accepted: accepted, at: .seconds(1))
        #expect(guarded.configEntries(of: .consul).map(\.key) == self.entries(0..<19).map(\.key).sorted())
        #expect(guarded.held.map(\.excess) == [Excess(kind: .configEntries, gone: 18, all: 19, rules: .init())])
    }

    @Test func `a few may go at once, most of many may not`() {
        var guarded = CatalogGuard.consul()
        #expect(guarded.apply(configEntries: self.entries(0..<5), from: .consul, at: .zero).configEntries == [.consul])
        #expect(guarded.apply(configEntries: [], from: .consul, at: .seconds(1)).configEntries == [.consul])
        #expect(guarded.configEntries(of: .consul) == [])

        _ = guarded.apply(configEntries: self.entries(0..<20), from: .consul, at: .seconds(100))
        let held = guarded.apply(configEntries: self.entries(0..<1), from: .consul, at: .seconds(101))
        #expect(guarded.configEntries(of: .consul).count == 20)
        #expect(held.events.map(\.names.count) == [19])
        #expect(guarded.held.map(\.reason) == [.configEntries])
        #expect(guarded.held.map(\.excess) == [Excess(kind: .configEntries, gone: 19, all: 20, rules: .init())])
        #expect(guarded.codes == ["SB302"])
        #expect(
            guarded.diagnostics.first?.message.hasPrefix(
                "19 of 20 config entries went within 60 s (catalog.removal.window.seconds), which is more than 50 % "
                    + "(catalog.removal.percent) and more than 5 (catalog.removal.services); 19 config entries are held: "
            ) == true
        )
        _ = guarded.apply(configEntries: self.entries(0..<3), from: .consul, at: .seconds(102))
        #expect(guarded.held.map(\.names.count) == [17])
        #expect(guarded.nextDeadline == .seconds(161))
        #expect(guarded.advance(to: .seconds(161)).configEntries == [.consul])
        #expect(guarded.configEntries(of: .consul).count == 3)
    }

    @Test func `each entry has its grace from when it was held`() {
        var guarded = CatalogGuard.consul()
        _ = guarded.apply(configEntries: self.entries(0..<20), from: .consul, at: .zero)
        _ = guarded.apply(configEntries: self.entries(0..<8), from: .consul, at: .seconds(1))
        _ = guarded.apply(configEntries: self.entries(0..<2), from: .consul, at: .seconds(50))
        #expect(guarded.held.map(\.names.count) == [18])
        #expect(guarded.held.map(\.until) == [.seconds(61)] && guarded.nextDeadline == .seconds(61))
        #expect(guarded.advance(to: .seconds(60)).events == [])
        #expect(guarded.advance(to: .seconds(61)).events.map(\.names.count) == [12])
        #expect(guarded.configEntries(of: .consul).map(\.key) == self.entries(0..<8).map(\.key).sorted())
        #expect(guarded.held.map(\.since) == [.seconds(1)])
        #expect(guarded.held.map(\.until) == [.seconds(110)] && guarded.nextDeadline == .seconds(110))
        #expect(guarded.advance(to: .seconds(110)).events.map(\.names.count) == [6])
        #expect(guarded.configEntries(of: .consul).count == 2)
        #expect(guarded.held == [] && guarded.nextDeadline == nil)
    }

    @Test func `what went while others were held counts when these are released`() {
        var guarded = CatalogGuard.consul { $0.grace = .seconds(10) }
        _ = guarded.apply(configEntries: self.entries(0..<20), from: .consul, at: .zero)
        _ = guarded.apply(configEntries: self.entries(14..<20), from: .consul, at: .seconds(1))
        #expect(guarded.held.map(\.names.count) == [14])
        // Of so many, what is held and these are few.
        let others = self.entries(14..<60)
        _ = guarded.apply(configEntries: others, from: .consul, at: .seconds(2))
        _ = guarded.apply(configEntries: Array(others.dropLast(10)), from: .consul, at: .seconds(3))
        #expect(guarded.held.map(\.names.count) == [14])
        #expect(guarded.advance(to: .seconds(11)).events.map(\.change) == [.released(.graceOver)])
        #expect(guarded.configEntries(of: .consul).count == 36)
        // 10 and 14 of 46 are too many, and 14 of 36 were not.
        _ = guarded.apply(configEntries: Array(others.dropLast(24)), from: .consul, at: .seconds(12))
        #expect(guarded.held.map(\.excess) == [Excess(kind: .configEntries, gone: 24, all: 46, rules: .init())])
        #expect(guarded.configEntries(of: .consul).count == 46)
    }

    @Test func `removals of entries can be accepted`() {
        var guarded = CatalogGuard.consul()
        _ = guarded.apply(configEntries: self.entries(0..<20), from: .consul, at: .zero)
        _ = guarded.apply(configEntries: [], from: .consul, at: .seconds(1))
        #expect(guarded.accept(.consul, at: .seconds(2)).configEntries == [.consul])
        #expect(guarded.configEntries(of: .consul) == [])
    }
}
