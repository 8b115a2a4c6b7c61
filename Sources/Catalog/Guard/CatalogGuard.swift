// SPDX-License-Identifier: Apache-2.0

/// Everything between what sources tell and the catalog that is routed by, so that no source can empty a proxy by mistake.
/// For operators, the same rules are in `docs/survival.md`.
///
/// 1. **Input.** Of each service, what `InputRules` refuse is left out, and the rest is taken.
/// 2. **Readiness.** Nothing is in force before every required part of every required source has been heard once, or a
///    stored catalog stands in for it. What is stored counts as what the source said last, until the source speaks.
/// 3. **Merging.** A service is one source's as a whole: that of the first in `precedence` that has a routable instance of
///    it, or else of the first that holds one, or else of the first that has it. One that only remembers it comes last.
/// 4. **Additions and changes** are in force at once. Only removals may be held.
/// 5. **Mass removal.** An instance is removed when it was routable and is gone, or is critical. A service is removed when
///    its last such instance is. If, within `window`, more instances or more services of a source are removed than the
///    limit AND the fraction allow, all that were removed within the window are held in force, in whatever number of steps
///    they went, each for `grace` from then on. The fraction is of those that are there and those that went within the window.
///    The window is time that passes, whether the source is heard or not.
/// 6. **Last instances.** If the last routable instances of a service are removed (not: are critical), they are held for
///    `lastInstanceGrace`, or until the service has another.
/// 7. **No removal** is what was announced: an instance that was draining, or had no weight, or of which another source
///    says that it stopped.
/// 8. **Release.** What comes back is released by itself. So is what is superseded: another instance of the source has its
///    address and port, and came to be there within the window and not together with it. An operator may `accept` all at
///    once. The clock of a source stands still while it is not heard or not believed as a whole, so that no grace runs out
///    while nobody could say what is back.
/// 9. **Memory.** A service that is gone stays known, without instances, so that routes to it answer 503 and not 404;
///    up to `rememberedServices`, and over restarts. What it said itself, by tags, does not count.
package struct CatalogGuard: Sendable {
    package let settings: Settings
    private(set) var sources: [SourceName: SourceState] = [:]
    private var merged: [ServiceName: Service] = [:]
    /// Services that several sources have.
    private(set) var shared: Set<ServiceName> = []
    /// Services that are gone: no source has one or holds anything of it. Their routes answer, and they have no say.
    package private(set) var remembered: Set<ServiceName> = []
    /// Whether there is something in force. It stays so.
    package private(set) var isReady: Bool

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
        self.isReady = settings.required.allSatisfy(\.value.isEmpty)
    }

    /// What is in force.
    package var catalog: Catalog { self.isReady ? Catalog(services: self.merged) : Catalog() }

    /// Config entries that are in force, in the order of their keys.
    package func configEntries(of source: SourceName) -> [ConfigEntry] {
        self.isReady ? self.sources[source]?.entries.inForce ?? [] : []
    }

    /// Required sources that have not been heard in full, and that nothing stands in for.
    package var awaited: [SourceName: Set<Part>] {
        var awaited = self.settings.required
        for (source, parts) in self.settings.required {
            let state = self.sources[source]
            let missing = parts.filter { state?.has([$0]) != true }
            awaited[source] = missing.isEmpty ? nil : missing
        }
        return awaited
    }

    /// When `advance` has something to do, on the clock that the guard is given.
    package var nextDeadline: Duration? {
        self.sources.values.compactMap { state in
            let deadlines = [state.services.nextDeadline, state.entries.hold?.until]
            return deadlines.compactMap(\.self).min().flatMap { state.clock.time(of: $0) }
        }.min()
    }
}

// MARK: - Merging

extension CatalogGuard {
    /// Every input goes through here: what it touches is merged again.
    mutating func withSource(
        _ source: SourceName,
        _ body: (inout SourceState) -> EventTally
    ) -> GuardOutcome {
        var state = self.sources.removeValue(forKey: source) ?? SourceState(rules: self.settings.rules(for: source))
        let entriesBefore = state.entries.revision
        var tally = body(&state)
        let news = state.services.takeNews()
        tally.add(news.tally)
        let isOtherEntries = state.entries.revision != entriesBefore
        self.sources[source] = state

        var outcome = GuardOutcome()
        for name in news.touched {
            let wasRemembered = self.remembered.contains(name)
            let service = self.merge(name)
            let before = self.merged[name]
            if self.remembered.contains(name) != wasRemembered { outcome.changed.insert(name) }
            guard service != before else { continue }
            self.merged[name] = service
            outcome.changed.insert(name)
            if (service == nil) != (before == nil) { outcome.isOtherServices = true }
        }
        outcome.events = tally.events(of: source)
        if isOtherEntries { outcome.configEntries = [source] }
        return self.gate(outcome)
    }

    private mutating func merge(_ name: ServiceName) -> Service? {
        let claims = self.claims(to: name)
        if claims.all.count > 1, claims.claimants.count > 1 {
            self.shared.insert(name)
        } else {
            self.shared.remove(name)
        }
        let owner = claims.owner
        if owner == nil, !claims.all.isEmpty {
            self.remembered.insert(name)
        } else {
            self.remembered.remove(name)
        }
        if let owner { return claims.all.first { $0.source == owner }?.record.inForce(named: name) }
        return claims.all.lazy.compactMap { $0.record.inForce(named: name) }.first
    }

    /// Before it is ready nothing changes; when it becomes ready everything does.
    private mutating func gate(_ outcome: GuardOutcome) -> GuardOutcome {
        if self.isReady { return outcome }
        var gated = GuardOutcome()
        gated.events = outcome.events
        guard self.awaited.isEmpty else { return gated }
        self.isReady = true
        gated.becameReady = true
        gated.changed = Set(self.merged.keys)
        gated.isOtherServices = !self.merged.isEmpty
        gated.configEntries = Set(self.sources.filter { !$0.value.entries.inForce.isEmpty }.keys)
        return gated
    }
}
