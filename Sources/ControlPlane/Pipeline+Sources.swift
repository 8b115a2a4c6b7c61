// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Discovery
import Routing

extension Pipeline {
    /// - Parameter source: whose event it is.
    package mutating func apply(_ event: SourceEvent, from source: SourceName, at now: Duration) -> Change {
        switch event {
        case .catalog(let update):
            return self.apply(self.join.received(update), at: now)
        case .configEntries(let entries, let accepted):
            return self.take(
                self.catalogGuard.apply(configEntries: entries, from: source, accepted: accepted, at: now)
            )
        case .documents(let changes, let accepted):
            let (documents, outcome) = self.catalogGuard.apply(documents: changes, from: source, at: now)
            if !documents.isEmpty { self.changed() }
            let isOther = self.apply(documents, accepted: accepted, at: now)
            let change = self.take(outcome)
            return isOther ? .anything : change
        case .hiddenPolicy(let subjects):
            return self.take(self.catalogGuard.hidePolicy(subjects, of: source, at: now))
        case .diagnostics(let diagnostics):
            self.sourceDiagnostics[source] = diagnostics.abridged(of: source.rawValue)
            return .none
        case .untaken(let services):
            let isOther = self.isOther(services, of: source)
            self.untaken[source] = services
            return isOther ? self.compile() : .none
        case .status(let status):
            self.catalogGuard.apply(status, at: now)
            return .none
        }
    }

    /// What was saved stands in for sources until they are heard.
    ///
    /// - Parameter wallClock: in seconds since 1970.
    package mutating func apply(_ stored: StoredCatalog, wallClock: Int64, at now: Duration) -> Change {
        let stored = stored.limited(to: self.followed)
        if self.followed[.nomad] != nil { self.join.restore(stored) }
        let (documents, outcome) = self.catalogGuard.seed(stored, wallClock: wallClock, at: now)
        var isOther = false
        for (_, changes) in documents.sorted(by: { $0.key < $1.key }) {
            isOther = self.apply(changes, at: now) || isOther
        }
        let change = self.take(outcome)
        return isOther ? .anything : change
    }

    mutating func refuseStore(_ diagnostic: Diagnostic) {
        self.storeDiagnostics = [diagnostic]
    }

    /// - Parameter wallClock: in seconds since 1970.
    func stored(wallClock: Int64, at now: Duration) -> StoredCatalog? {
        guard self.isReady else { return nil }
        var stored = self.catalogGuard.stored(wallClock: wallClock, at: now)
        if self.followed[.nomad] != nil { stored.ended = self.join.ended }
        return stored
    }

    /// When `advance` has something to do.
    var nextDeadline: Duration? { self.catalogGuard.nextDeadline }

    /// Lets go what is held and due.
    package mutating func advance(to now: Duration) -> Change {
        self.take(self.catalogGuard.advance(to: now))
    }

    /// Takes the operator's word that what is held of these sources is really to go.
    package mutating func accept(_ sources: [SourceName], at now: Duration) -> Change {
        var change = Change.none
        if sources.contains(.file), self.acceptRemovals(at: now) { change = .anything }
        for source in sources {
            change.formUnion(self.take(self.catalogGuard.accept(source, at: now)))
        }
        return change
    }

    /// What Nomad knows of the instances, whoever registered them.
    package mutating func apply(_ facts: NomadFactsUpdate, at now: Duration) -> Change {
        var change = Change.none
        for output in self.join.received(facts) { change.formUnion(self.apply(output, at: now)) }
        return change
    }

    private mutating func apply(_ joined: Join.Output, at now: Duration) -> Change {
        var update = joined.update
        update.services = update.services.mapValues { $0.map(self.policy.weighted) }
        return self.take(self.catalogGuard.apply(update, stopped: joined.stopped, at: now))
    }

    /// Held and released since the last time: for the log, metrics and audit.
    mutating func takeGuardEvents() -> [GuardOutcome.Event] {
        defer { self.guardEvents = [] }
        return self.guardEvents
    }

    /// All that is in force against the word of its source.
    var held: [HeldRemoval] {
        let documents = self.heldDocuments.map {
            HeldRemoval(source: .file, reason: .documents, names: $0.documents, since: $0.since, until: nil)
        }
        return (documents.map { [$0] } ?? []) + self.catalogGuard.held
    }

    /// Documents have a guard of their own, which says only what it holds.
    mutating func noteHeldDocuments(since before: Set<String>, release: GuardOutcome.Event.Release) {
        let after = self.namesOfHeldDocuments
        for (names, change) in [
            (after.subtracting(before), GuardOutcome.Event.Change.held),
            (before.subtracting(after), .released(release)),
        ] where !names.isEmpty {
            let event = GuardOutcome.Event(
                source: .file,
                reason: .documents,
                change: change,
                names: names,
                instances: 0
            )
            self.guardEvents.append(event)
        }
    }

    var namesOfHeldDocuments: Set<String> { Set(self.heldDocuments?.documents ?? []) }

    var hasSomethingToServe: Bool { self.isReady && !self.topology.gateways.isEmpty }

    private mutating func take(_ outcome: GuardOutcome) -> Change {
        self.guardEvents += outcome.events
        return self.catalogChanged(outcome)
    }
}

extension Pipeline.Change {
    mutating func formUnion(_ other: Pipeline.Change) {
        switch (self, other) {
        case (_, .none): break
        case (.none, _): self = other
        case (.endpoints(let mine), .endpoints(let others)): self = .endpoints(mine.union(others))
        default: self = .anything
        }
    }
}

extension StoredCatalog {
    fileprivate func limited(to followed: [SourceName: Set<CatalogGuard.Part>]) -> StoredCatalog {
        var limited = self
        limited.sources = [:]
        for (name, source) in self.sources {
            guard let parts = followed[name] else { continue }
            limited.sources[name] = Source(
                heardAt: { source.heardAt[$0] ?? 0 },
                services: parts.contains(.services) ? source.services : nil,
                configEntries: parts.contains(.configEntries) ? source.configEntries : nil,
                documents: parts.contains(.documents) ? source.documents : nil
            )
        }
        return limited
    }
}
