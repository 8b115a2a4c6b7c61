// SPDX-License-Identifier: Apache-2.0

/// The config entries of one source, and which of their removals are held.
struct EntryLedger: Sendable {
    private struct Missing: Sendable {
        var entry: ConfigEntry
        /// On the clock of the guard, and so is the window.
        var left: Duration
        /// On the clock of the source; nil: it is not held, and only counts.
        var heldUntil: Duration?

        var isHeld: Bool { self.heldUntil != nil }
    }

    let rules: CatalogGuard.SourceRules
    /// Rises whenever something else may be in force.
    private(set) var revision = 0
    private var said: [ConfigEntry.Key: ConfigEntry] = [:] {
        didSet { if self.said != oldValue { self.revision += 1 } }
    }
    private var missing: [ConfigEntry.Key: Missing] = [:]
    /// Since when something is held, on the clock of the guard.
    private var heldSince: Duration?
    /// Why, as of the last time that more was held.
    private(set) var excess: Excess?

    init(rules: CatalogGuard.SourceRules) {
        self.rules = rules
    }

    /// Nil: nothing is held. Until when is that of the first that is released, on the clock of the source.
    var hold: (since: Duration, until: Duration)? {
        guard let since = self.heldSince, let until = self.missing.values.compactMap(\.heldUntil).min() else {
            return nil
        }
        return (since, until)
    }

    /// In the order of their keys.
    var inForce: [ConfigEntry] {
        let held = self.missing.values.lazy.filter(\.isHeld).map(\.entry)
        return (Array(self.said.values) + held).sorted { $0.key < $1.key }
    }

    var heldKeys: [ConfigEntry.Key] {
        self.missing.filter(\.value.isHeld).keys.sorted()
    }

    mutating func seed(_ entries: [ConfigEntry]) {
        self.said = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter accepted: they are to go if they went, and do not count.
    mutating func apply(
        _ entries: [ConfigEntry],
        accepted: Set<ConfigEntry.Key> = [],
        at time: Duration,
        now: Duration
    ) -> EventTally {
        var tally = EventTally()
        let new = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        self.missing = self.missing.filter { key, missing in
            if new[key] != nil, missing.isHeld {
                tally.count(.released(.returned), .configEntries, "\(key)", instances: 0)
            }
            return new[key] == nil && (missing.isHeld || missing.left > now - self.rules.window)
        }
        let gone = self.said.filter { new[$0.key] == nil && !accepted.contains($0.key) }
        self.said = new
        if !self.rules.isOff, !gone.isEmpty {
            for (key, entry) in gone { self.missing[key] = Missing(entry: entry, left: now) }
            let all = self.said.count + self.missing.count
            let excess = Excess(kind: .configEntries, gone: self.missing.count, all: all, rules: self.rules)
            if excess.isTooMuch {
                if self.heldSince == nil { self.heldSince = now }
                self.excess = excess
                for (key, missing) in self.missing where !missing.isHeld {
                    self.missing[key]?.heldUntil = time + self.rules.grace
                    tally.count(.held, .configEntries, "\(key)", instances: 0)
                }
            }
        }
        self.endHoldIfEmpty()
        return tally
    }

    /// Releases what is due. What counts and is not held counts on.
    mutating func advance(to time: Duration) -> EventTally {
        let due = self.missing.filter { $0.value.heldUntil.map { $0 <= time } ?? false }
        return due.isEmpty ? EventTally() : self.release(due.keys, .graceOver)
    }

    /// From here on what is missing is gone.
    mutating func accept() -> EventTally {
        defer { self.missing = [:] }
        return self.release(self.missing.filter(\.value.isHeld).keys, .accepted)
    }

    private mutating func release(
        _ keys: some Collection<ConfigEntry.Key>,
        _ release: GuardOutcome.Event.Release
    ) -> EventTally {
        var tally = EventTally()
        if !keys.isEmpty { self.revision += 1 }
        for key in keys.sorted() {
            tally.count(.released(release), .configEntries, "\(key)", instances: 0)
            self.missing[key] = nil
        }
        self.endHoldIfEmpty()
        return tally
    }

    private mutating func endHoldIfEmpty() {
        if !self.missing.values.contains(where: \.isHeld) { self.heldSince = nil }
    }
}
