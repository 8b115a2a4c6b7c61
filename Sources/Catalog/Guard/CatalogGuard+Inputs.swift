// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// - Parameters:
    ///   - stopped: instances of which another source says that they stopped.
    ///   - now: monotonic, since any start; and so below.
    package mutating func apply(
        _ update: CatalogUpdate,
        stopped: [ServiceName: Set<InstanceID>] = [:],
        at now: Duration
    ) -> GuardOutcome {
        self.withSource(update.source) { state in
            if update.isComplete {
                state.heard(.services)
                state.refusals = [:]
            }
            var admitted: [ServiceName: Service?] = [:]
            admitted.reserveCapacity(update.services.count)
            for (name, service) in update.services {
                if let service = service.flatMap({ state.unreleased($0, update.unheard.hidden) }) {
                    // One that is refused is not there.
                    admitted[name] = .some(state.admit(service, named: name, from: update.source))
                } else {
                    admitted[name] = .some(nil)
                    state.refusals[name] = nil
                }
            }
            let time = state.clock.reading(at: now)
            state.services.advance(to: time, now: now)
            state.services.apply(
                admitted,
                isComplete: update.isComplete,
                unheard: update.unheard,
                stopped: stopped,
                at: time,
                now: now
            )
            return state.hide(update.unheard.hidden, at: now)
        }
    }

    /// Only its status says whether a source can be heard: what comes of it may have been on its way before, or be another
    /// source's word of it.
    package mutating func apply(_ status: SourceStatus, at now: Duration) {
        _ = self.withSource(status.source) { state in
            state.status = status
            switch status.state {
            case .up: state.revive(at: now)
            // What a source cannot say of some of its services is no reason to wait for the others.
            case .down where status.isPartial, .suspect where status.isPartial: state.revive(at: now)
            case .down, .suspect:
                state.clock.stop(at: now)
                if state.downSince == nil { state.downSince = now }
            case .starting: break
            }
            return EventTally()
        }
    }

    /// - Parameters:
    ///   - entries: all that the source has.
    ///   - accepted: of which an operator said that they are to go.
    package mutating func apply(
        configEntries entries: [ConfigEntry],
        from source: SourceName,
        accepted: Set<ConfigEntry.Key> = [],
        at now: Duration
    ) -> GuardOutcome {
        self.withSource(source) { state in
            state.heard(.configEntries)
            let time = state.clock.reading(at: now)
            var tally = state.entries.advance(to: time)
            tally.add(state.entries.apply(entries, accepted: accepted, at: time, now: now))
            return tally
        }
    }

    /// - Parameter changes: since the last ones. The first of a source are all that it has.
    /// - Returns: what to pass on, with the removal of what was stored and is not there any more.
    package mutating func apply(
        documents changes: [FileChange],
        from source: SourceName,
        at now: Duration
    ) -> (documents: [FileChange], outcome: GuardOutcome) {
        var all = changes
        let outcome = self.withSource(source) { state in
            if !state.heard.contains(.documents) {
                let named = Set(changes.map(\.path))
                all += state.documents.keys.filter { !named.contains($0) }.sorted()
                    .map { FileChange(path: $0, content: .removed) }
            }
            for change in all {
                switch change.content {
                case .bytes(let bytes): state.documents[change.path] = bytes
                case .removed: state.documents[change.path] = nil
                case .unreadable: break
                }
            }
            state.heard(.documents)
            return EventTally()
        }
        return (all, outcome)
    }

    /// - Parameter subjects: all config entries and documents that the source refuses to show.
    package mutating func hidePolicy(_ subjects: Set<String>, of source: SourceName, at now: Duration) -> GuardOutcome {
        self.withSource(source) { $0.hidePolicy(subjects, at: now) }
    }

    /// Releases what is due.
    package mutating func advance(to now: Duration) -> GuardOutcome {
        var outcome = GuardOutcome()
        for source in Self.precedence where self.sources[source] != nil {
            let next = self.withSource(source) { state in
                let time = state.clock.reading(at: now)
                state.services.advance(to: time, now: now)
                return state.entries.advance(to: time)
            }
            outcome.add(next)
        }
        return outcome
    }

    /// Takes the operator's word that what the guard holds of this source is really to go, and what it refuses to show.
    package mutating func accept(_ source: SourceName, at now: Duration) -> GuardOutcome {
        guard self.sources[source] != nil else { return GuardOutcome() }
        return self.withSource(source) { state in
            state.services.accept()
            var tally = state.acceptHidden(at: now)
            tally.add(state.entries.accept())
            return tally
        }
    }
}
