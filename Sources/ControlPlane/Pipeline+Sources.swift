// SPDX-License-Identifier: Apache-2.0

package import Catalog
import Routing

extension Pipeline {
    /// - Parameter source: whose event it is.
    package mutating func apply(_ event: SourceEvent, from source: SourceName, at now: Duration) -> Change {
        switch event {
        case .catalog(let update):
            return self.apply(update, at: now)
        case .configEntries(let entries):
            return self.take(self.catalogGuard.apply(configEntries: entries, from: source, at: now))
        case .documents(let changes):
            let (documents, outcome) = self.catalogGuard.apply(documents: changes, from: source, at: now)
            let isOther = self.apply(documents, at: now)
            let change = self.take(outcome)
            return isOther ? .anything : change
        case .diagnostics(let diagnostics):
            self.sourceDiagnostics[source] = diagnostics
            return .none
        case .status(let status):
            self.catalogGuard.apply(status, at: now)
            return .none
        }
    }

    /// What was saved stands in for sources until they are heard.
    ///
    /// - Parameter wallClock: in seconds since 1970.
    package mutating func apply(_ stored: StoredCatalog, wallClock: Int64, at now: Duration) -> Change {
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
        self.isReady ? self.catalogGuard.stored(wallClock: wallClock, at: now) : nil
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
        for source in sources {
            change.formUnion(self.take(self.catalogGuard.accept(source, at: now)))
        }
        return change
    }

    private mutating func apply(_ update: CatalogUpdate, at now: Duration) -> Change {
        var update = update
        update.services = update.services.mapValues { $0.map(self.policy.weighted) }
        return self.take(self.catalogGuard.apply(update, at: now))
    }

    /// Held and released since the last time: for the log, metrics and audit.
    mutating func takeGuardEvents() -> [GuardOutcome.Event] {
        defer { self.guardEvents = [] }
        return self.guardEvents
    }

    var heldInstances: [SourceName: Int] {
        self.catalogGuard.held.reduce(into: [:]) { $0[$1.source, default: 0] += $1.instances }
    }

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
