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
    /// What it refuses to show, and is as it told it before.
    private(set) var hidden: [ServiceName: Hidden] = [:]
    /// The same of config entries and documents, and since when, on the clock of the guard.
    private(set) var hiddenPolicy: [String: Duration] = [:]
    /// What of that was let go. It may be repeated until the source has heard so.
    private var released: [ServiceName: Unheard.Share] = [:]
    private var releasedPolicy: Set<String> = []

    struct Hidden: Hashable, Sendable {
        var share: Unheard.Share
        /// On the clock of the guard.
        var since: Duration
    }

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

    /// - Parameter shares: all that it refuses to show.
    mutating func hide(_ shares: [ServiceName: Unheard.Share], at now: Duration) -> EventTally {
        var tally = EventTally()
        // What is hidden no more is there, though something else of its service may be hidden now.
        for (name, share) in self.released { self.released[name] = shares[name].flatMap(share.common) }
        for (name, hidden) in self.hidden where shares[name] == nil {
            self.count(.released(.returned), name, hidden.share, in: &tally)
            self.hidden[name] = nil
        }
        for (name, share) in shares where !self.instances(of: name, in: share).isEmpty {
            if self.hidden[name] == nil { self.count(.held, name, share, in: &tally) }
            self.hidden[name] = Hidden(share: share, since: self.hidden[name]?.since ?? now)
        }
        return tally
    }

    /// - Parameter subjects: all config entries and documents that it refuses to show.
    mutating func hidePolicy(_ subjects: Set<String>, at now: Duration) -> EventTally {
        var tally = EventTally()
        for subject in Set(self.hiddenPolicy.keys).subtracting(subjects) {
            tally.count(.released(.returned), .hiddenPolicy, subject, instances: 0)
            self.hiddenPolicy[subject] = nil
        }
        self.releasedPolicy.formIntersection(subjects)
        for subject in subjects.subtracting(self.releasedPolicy) where self.hiddenPolicy[subject] == nil {
            tally.count(.held, .hiddenPolicy, subject, instances: 0)
            self.hiddenPolicy[subject] = now
        }
        return tally
    }

    /// The source lets go of the config entries and documents itself, once it was refused them once more.
    mutating func acceptHidden(at now: Duration) -> EventTally {
        var tally = EventTally()
        for subject in self.hiddenPolicy.keys {
            tally.count(.released(.accepted), .hiddenPolicy, subject, instances: 0)
        }
        self.releasedPolicy.formUnion(self.hiddenPolicy.keys)
        self.hiddenPolicy = [:]
        let shares = self.hidden.mapValues(\.share)
        for (name, share) in shares { self.count(.released(.accepted), name, share, in: &tally) }
        self.services.forget(shares, at: self.clock.reading(at: now), now: now)
        self.released.merge(shares) { $1 }
        self.hidden = [:]
        return tally
    }

    /// Without what was let go though the source still has it.
    func unreleased(_ service: Service, _ hidden: [ServiceName: Unheard.Share]) -> Service? {
        guard let share = hidden[service.name].flatMap({ self.released[service.name]?.common(with: $0) }) else {
            return service
        }
        return service.without(share)
    }

    /// What of a service is in force by the source's word.
    func instances(of name: ServiceName, in share: Unheard.Share) -> [Instance] {
        self.services.records[name]?.said?.instances.filter(share.has) ?? []
    }

    private func count(
        _ change: GuardOutcome.Event.Change,
        _ name: ServiceName,
        _ share: Unheard.Share,
        in tally: inout EventTally
    ) {
        tally.count(change, .hidden, name.rawValue, instances: self.instances(of: name, in: share).count)
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
