// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// How each source is, by its own last word.
    package var statuses: [SourceName: SourceStatus] { self.sources.compactMapValues(\.status) }

    /// The parts of this source that what was stored stands in for, as it has not told them since the start; and how long
    /// ago each was known to be so.
    ///
    /// - Parameter wallClock: in seconds since 1970.
    package func storedAges(of source: SourceName, wallClock: Int64) -> [Part: Duration] {
        (self.sources[source]?.stored ?? [:]).mapValues { .seconds(max(0, wallClock - $0)) }
    }

    /// All that is in force against the word of its source: at most one for each reason and source, but for last
    /// instances, of which there is one for each service.
    package var held: [HeldRemoval] {
        Self.precedence.flatMap { source -> [HeldRemoval] in
            guard let state = self.sources[source] else { return [] }
            return state.heldServices(of: source) + state.heldEntries(of: source) + state.hiddenServices(of: source)
                + state.hiddenPolicy(of: source)
        }
    }

    /// Of the guard itself and of the input that it left out.
    package var diagnostics: [Diagnostic] {
        let states = Self.precedence.compactMap { source in self.sources[source].map { (source, $0) } }
        return self.held.diagnostics
            + states.flatMap { source, state in
                let stored = [Diagnostic.stored(source, state)].compactMap(\.self)
                return stored + state.refusals.sorted { $0.key < $1.key }.flatMap(\.value).abridged(of: source.rawValue)
            }
            + self.shared.sorted().prefix(101).compactMap(self.sharedDiagnostic)
            .abridged(of: "the sources", all: self.shared.count)
    }
}

extension SourceState {
    func heldServices(of source: SourceName) -> [HeldRemoval] {
        var mass: HeldRemoval?
        var last: [HeldRemoval] = []
        for name in self.services.held.sorted() {
            guard let record = self.services.records[name] else { continue }
            let isEmptied = record.said?.instances.contains(where: \.isRoutable) != true
            let inMass = record.missing.values.count(where: \.isHeldInMass)
            if inMass > 0, let since = self.services.massSince {
                mass =
                    mass
                    ?? HeldRemoval(
                        source: source,
                        reason: .massRemoval,
                        names: [],
                        emptied: 0,
                        instances: 0,
                        since: since,
                        until: self.services.massGraces.first.flatMap(self.clock.time(of:)),
                        excess: self.services.massExcess
                    )
                mass?.names.append(name.rawValue)
                mass?.emptied += isEmptied ? 1 : 0
                mass?.instances += inMass
            }
            let others = record.missing.values.filter { $0.isHeld && !$0.isHeldInMass }
            if let since = others.map(\.since).min(), let until = others.compactMap(\.heldAsLastUntil).max() {
                last.append(
                    HeldRemoval(
                        source: source,
                        reason: .lastInstances,
                        names: [name.rawValue],
                        emptied: isEmptied ? 1 : 0,
                        instances: others.count,
                        since: since,
                        until: self.clock.time(of: until)
                    )
                )
            }
        }
        return (mass.map { [$0] } ?? []) + last
    }

    func hiddenServices(of source: SourceName) -> [HeldRemoval] {
        guard let since = self.hidden.values.map(\.since).min() else { return [] }
        let instances = self.hidden.map { self.instances(of: $0.key, in: $0.value.share) }
        let emptied = self.hidden.count { name, hidden in
            let routable = self.services.records[name]?.said?.instances.filter(\.isRoutable) ?? []
            return !routable.isEmpty && routable.allSatisfy(hidden.share.has)
        }
        return [
            HeldRemoval(
                source: source,
                reason: .hidden,
                names: self.hidden.keys.map(\.rawValue).sorted(),
                emptied: emptied,
                instances: instances.reduce(0) { $0 + $1.count },
                since: since,
                until: nil
            )
        ]
    }

    func hiddenPolicy(of source: SourceName) -> [HeldRemoval] {
        guard let since = self.hiddenPolicy.values.min() else { return [] }
        let names = self.hiddenPolicy.keys.sorted()
        return [HeldRemoval(source: source, reason: .hiddenPolicy, names: names, since: since, until: nil)]
    }

    func heldEntries(of source: SourceName) -> [HeldRemoval] {
        guard let hold = self.entries.hold else { return [] }
        return [
            HeldRemoval(
                source: source,
                reason: .configEntries,
                names: self.entries.heldKeys.map(\.description),
                emptied: 0,
                instances: 0,
                since: hold.since,
                until: self.clock.time(of: hold.until),
                excess: self.entries.excess
            )
        ]
    }
}
