// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Catalog

/// What time does while a source, or a part of it, is not heard or not believed.
struct SourceClockTests {
    @Test func `another source's word is no sign of life`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete([], at: 1)
        guarded.apply(SourceStatus(source: .consul, state: .down), at: .seconds(2))
        _ = guarded.apply(.changed([service("s1", fleet(1..<2)[0].instances)]), at: .seconds(3))
        #expect(guarded.nextDeadline == nil)
        _ = guarded.advance(to: .seconds(500))
        #expect(guarded.servingCount == 40)
    }

    @Test func `the clock stands still while the source is down`() {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete([], at: 10)
        guarded.apply(SourceStatus(source: .consul, state: .down), at: .seconds(20))
        #expect(guarded.nextDeadline == nil)
        _ = guarded.advance(to: .seconds(1000))
        #expect(guarded.servingCount == 40)
        guarded.apply(SourceStatus(source: .consul, state: .up), at: .seconds(1000))
        #expect(guarded.nextDeadline == .seconds(1050))
        _ = guarded.advance(to: .seconds(1050))
        #expect(guarded.servingCount == 0)
    }

    @Test(arguments: [SourceStatus.State.down, .suspect], [false, true])
    func `it goes on where that is so of a part only`(state: SourceStatus.State, isPartial: Bool) {
        var guarded = CatalogGuard.consul()
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete([], at: 10)
        guarded.apply(
            SourceStatus(source: .consul, state: state, reason: "acl", isPartial: isPartial),
            at: .seconds(20)
        )
        #expect(guarded.nextDeadline == (isPartial ? .seconds(70) : nil))
        guarded.complete(fleet(0..<1), at: 30)
        #expect(guarded.nextDeadline == (isPartial ? .seconds(70) : nil), "what was on its way is no sign of life")
        guarded.apply(SourceStatus(source: .consul, state: .up), at: .seconds(30))
        #expect(guarded.nextDeadline == .seconds(isPartial ? 70 : 80))
    }

    /// As while one service of a thousand is hidden, or one question of all is refused.
    @Test(arguments: [SourceStatus.State.down, .suspect], [false, true])
    func `what goes in hours is not taken for what goes at once, however the source is`(
        state: SourceStatus.State,
        isPartial: Bool
    ) {
        var guarded = CatalogGuard.consul()
        var last = 0
        func more(_ count: Int) -> [Instance] {
            (0..<count).map { _ in
                last += 1
                return instance("i\(last)", at: "10.\(last / 62500).\(last / 250 % 250).\(last % 250 + 1)")
            }
        }
        var services = (0..<20).map { _ in more(50) }
        guarded.complete(services.enumerated().map { service("s\($0.offset)", $0.element) }, at: 0)
        guarded.apply(SourceStatus(source: .consul, state: state, reason: "acl", isPartial: isPartial), at: .seconds(1))
        for step in 1...480 {
            let number = step % 20
            services[number] = services[number].dropFirst(20) + more(20)
            _ = guarded.apply(.changed([service("s\(number)", services[number])]), at: .seconds(30 * step))
            let inForce = guarded.inForce["s\(number)"] ?? []
            #expect(inForce.sorted() == services[number].map(\.id.rawValue).sorted())
            #expect(guarded.sources[.consul].map { $0.services.sums.missing <= 60 } == true)
        }
        #expect(guarded.held == [])
    }

    @Test func `nor are config entries`() {
        var guarded = CatalogGuard.consul()
        let entries = (0..<20).map {
            ConfigEntry(key: .init(kind: "service-router", name: "s\($0)"), json: [], origin: Origin(file: "consul"))
        }
        _ = guarded.apply(configEntries: entries, from: .consul, at: .zero)
        guarded.apply(SourceStatus(source: .consul, state: .suspect, reason: "acl"), at: .seconds(1))
        for gone in 1...19 {
            _ = guarded.apply(configEntries: Array(entries[gone...]), from: .consul, at: .seconds(61 * gone))
            #expect(guarded.configEntries(of: .consul).count == 20 - gone)
        }
    }

    /// The window before it fell silent is over. What it says then is compared with what is in force all the same.
    @Test(arguments: [SourceStatus.State.down, .suspect], [false, true])
    func `a source that comes back with next to nothing is judged as a whole`(
        state: SourceStatus.State,
        isToldFirst: Bool
    ) {
        var guarded = CatalogGuard.consul { $0.lastInstanceGrace = .zero }
        guarded.complete(fleet(0..<40), at: 0)
        guarded.complete(fleet(18..<40), at: 10)
        #expect(guarded.servingCount == 22)
        guarded.apply(SourceStatus(source: .consul, state: state), at: .seconds(20))
        _ = guarded.advance(to: .seconds(500))
        if isToldFirst { guarded.complete(fleet(35..<40), at: 999) }
        guarded.apply(SourceStatus(source: .consul, state: .up), at: .seconds(1000))
        if !isToldFirst { guarded.complete(fleet(35..<40), at: 1000) }
        // And the rest a little later.
        guarded.complete([], at: 1010)
        #expect(guarded.servingCount == 22)
        #expect(guarded.held.map(\.excess) == [Excess(kind: .services, gone: 22, all: 22, rules: .init())])
        _ = guarded.advance(to: .seconds(1059))
        #expect(guarded.servingCount == 22)
        _ = guarded.advance(to: .seconds(1070))
        #expect(guarded.servingCount == 0 && guarded.held == [])
    }
}
