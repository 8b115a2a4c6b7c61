// SPDX-License-Identifier: Apache-2.0

/// All that the guard knows of one source.
struct SourceState: Sendable {
    var services: ServiceLedger
    var entries: EntryLedger
    /// Those whose content is known, by path.
    var documents: [String: [UInt8]] = [:]
    var clock = SourceClock()
    /// What the source has told itself, completely.
    var heard: Set<CatalogGuard.Part> = []
    /// What was taken from a stored catalog and not heard since, and when each was known to be so, in seconds since 1970.
    var stored: [CatalogGuard.Part: Int64] = [:]
    /// When the source went down; nil while it is up.
    var downSince: Duration?
    /// By its own word; nil: it has not said.
    var status: SourceStatus?
    /// Of the services that it told of: what was left out.
    var refusals: [ServiceName: [Diagnostic]] = [:]
    /// Services that it refuses to show, and that are as it told them before; since when, on the clock of the guard.
    private(set) var hidden: [ServiceName: Duration] = [:]

    init(rules: CatalogGuard.SourceRules) {
        self.services = ServiceLedger(rules: rules)
        self.entries = EntryLedger(rules: rules)
    }

    var rules: CatalogGuard.SourceRules { self.services.rules }

    func has(_ parts: Set<CatalogGuard.Part>) -> Bool {
        parts.isSubset(of: self.heard.union(self.stored.keys))
    }

    mutating func heard(_ part: CatalogGuard.Part) {
        self.heard.insert(part)
        self.stored[part] = nil
    }

    /// It answers: what it says next is worth waiting for no longer than usual.
    mutating func revive(at now: Duration) {
        self.clock.start(at: now)
        self.downSince = nil
    }

    /// - Parameter names: all that it refuses to show.
    mutating func hide(_ names: Set<ServiceName>, at now: Duration) -> EventTally {
        var tally = EventTally()
        for name in self.hidden.keys where !names.contains(name) {
            self.count(.released(.returned), name, in: &tally)
            self.hidden[name] = nil
        }
        for name in names where self.hidden[name] == nil && self.services.records[name]?.said != nil {
            self.hidden[name] = now
            self.count(.held, name, in: &tally)
        }
        return tally
    }

    mutating func acceptHidden(at now: Duration) -> EventTally {
        var tally = EventTally()
        for name in self.hidden.keys { self.count(.released(.accepted), name, in: &tally) }
        self.services.forget(Set(self.hidden.keys), at: self.clock.reading(at: now), now: now)
        self.hidden = [:]
        return tally
    }

    private func count(_ change: GuardOutcome.Event.Change, _ name: ServiceName, in tally: inout EventTally) {
        let instances = self.services.records[name]?.said?.instances.count ?? 0
        tally.count(change, .hidden, name.rawValue, instances: instances)
    }

    mutating func admit(_ service: Service, named name: ServiceName, from source: SourceName) -> Service? {
        var named = service
        if named.name != name { named.name = name }
        guard let input = self.rules.input else { return named }
        let (admitted, diagnostics) = input.admit(named, from: source)
        self.refusals[name] = diagnostics.isEmpty ? nil : diagnostics
        return admitted
    }
}
