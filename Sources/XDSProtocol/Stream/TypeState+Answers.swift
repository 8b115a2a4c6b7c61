// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

extension TypeState {
    /// Moves what is in flight to what is held.
    mutating func acknowledge(_ snapshot: Snapshot?) {
        guard let inFlight = self.inFlight else { return }
        let flight = inFlight.content
        self.inFlight = nil
        self.knowsWhatIsHeld = true
        let accepted = self.stillWanted(of: flight, isNarrowed: inFlight.isNarrowed)
        if !accepted.isEmpty || flight.isWhole {
            let outdated = self.held.accept(
                accepted,
                isWhole: flight.isWhole,
                current: snapshot?[self.type] ?? [:],
                isCurrent: snapshot != nil && inFlight.generation == snapshot?.generation,
                pending: self.owed.isEmpty ? self.dirty : self.dirty.union(self.owed)
            )
            // Given up and asked for again while it was on its way, and gone or changed meanwhile.
            self.dirty.formUnion(outdated)
            if self.type == .virtualHost { self.resolveAnew(outdated, in: snapshot?[self.type] ?? [:]) }
            if flight.isWhole { self.expiring = [] }
            for resource in accepted {
                if resource.timeToLive != nil {
                    self.expiring.insert(resource.name)
                } else if !self.expiring.isEmpty {
                    self.expiring.remove(resource.name)
                }
            }
            if !self.suspects.isEmpty {
                for resource in accepted { self.suspects.accepted(resource) }
            }
        }
        for name in flight.removals {
            self.held.set(name, nil)
            self.expiring.remove(name)
        }
        self.suspects.acknowledged(trial: flight.trial, isComplete: self.isAllTold(snapshot))
        if flight.isWhole, !self.refusedRemovals.isEmpty {
            for name in self.refusedRemovals.names where self.held[name] == nil {
                self.refusedRemovals.forget(name)
            }
            self.dirty.formUnion(self.refusedRemovals.accepted())
        }
    }

    /// What the client has of a response that it accepted, without what it gave up since.
    private func stillWanted(of flight: Next, isNarrowed: Bool) -> [Resource] {
        // A virtual host may be held under other names than its own.
        if self.subscription.isWildcard || (!isNarrowed && self.type != .virtualHost) {
            assert(flight.upserts.allSatisfy { self.subscription.contains($0.name) })
            return flight.upserts
        }
        return flight.upserts.filter { self.subscription.contains($0.name) }
    }

    /// The client asks for more and does not answer. What is in flight is said again with what was asked for, as nobody knows
    /// what became of it; its answer is stale from then on.
    mutating func giveUpFlight(_ nonce: Nonce) {
        guard let flight = self.inFlight, flight.nonce == nonce else { return }
        self.inFlight = nil
        self.isOverdue = false
        let content = flight.content
        self.dirty.formUnion(content.upserts.map(\.name))
        self.dirty.formUnion(content.removals)
        self.repeatAnswers(of: content, besides: [])
    }

    /// Whether the client asked for something that waits for its answer to what is in flight. Not beside a trial, whose outcome
    /// would be lost.
    var waitsForAnswer: Bool {
        guard let flight = self.inFlight, flight.content.trial == nil else { return false }
        return self.owesAnswer || self.owed.count > self.debts.count
    }

    /// Whether nothing is left to send but what is suspect.
    private func isAllTold(_ snapshot: Snapshot?) -> Bool {
        if self.dirty.isEmpty || self.suspects.isEmpty { return self.dirty.isEmpty }
        return self.dirty.allSatisfy { name in snapshot?[self.type, name].map(self.suspects.excludes) ?? false }
    }

    /// The response was refused. What of it the client kept is unknown: Envoy keeps the good clusters and listeners of a
    /// response that it refuses.
    /// - Returns: the resources that may be to blame.
    mutating func reject(message: String, _ snapshot: Snapshot?) -> [Resource] {
        guard let flight = self.inFlight?.content else { return [] }
        self.inFlight = nil
        let new = flight.upserts.filter { resource in
            guard self.subscription.contains(resource.name) else { return true }
            // A stand-in was accepted once.
            let held = self.held[resource.name]
            return held?.version != resource.version && held?.resource != resource
        }
        let leftOut = flight.isWhole ? self.leftOut(by: flight) : flight.removals.filter { self.held[$0] != nil }
        if flight.isWhole {
            self.refusals[self.versionInfo(after: flight), default: 0] += 1
            if !self.knowsWhatIsHeld { return self.rejectBlindly(flight, new, message: message) }
            if new.isEmpty { return self.rejectNothingNew(flight, leftOut, message: message, snapshot) }
        }
        // What stands in for one that was refused says nothing about that.
        let standIns = flight.isWhole ? [] : flight.upserts.filter { self.suspects.suspectOther(than: $0) }
        let standInNames = Set(standIns.map(\.name))
        let changed: [Resource]
        if let trial = flight.trial {
            changed = flight.upserts.filter { trial.contains($0.name) }
        } else {
            changed = new.isEmpty ? flight.upserts.filter { !standInNames.contains($0.name) } : new
        }
        var blamed: [Resource] = []
        if changed.isEmpty {
            self.suspects.tryAccused()
            // Nothing is known to be good any more.
            for resource in standIns { self.held.set(resource.name, Held(version: nil, resource: nil)) }
        } else {
            let held = Set(changed.map(\.name).filter { self.subscription.contains($0) && self.held[$0] != nil })
            let isRemovalToo = leftOut.contains { name in snapshot.map { self.isGone(name, $0) } ?? false }
            let isMore = isRemovalToo || !flight.heartbeats.isEmpty
            blamed = self.suspects.refused(
                changed,
                held: held,
                message: message,
                isTrial: flight.trial != nil,
                isMore: isMore
            )
        }
        // What is not asked for any more may have been to blame; it is not sent again anyhow.
        for resource in changed where !self.subscription.contains(resource.name) { self.suspects.forget(resource.name) }
        for resource in new where self.subscription.contains(resource.name) {
            self.held.set(resource.name, Held(version: nil, resource: self.held[resource.name]?.resource))
        }
        self.doubt(leftOut)
        // The rest of the response is looked at again: what was not to blame is sent without the culprit.
        self.dirty.formUnion(flight.upserts.map(\.name))
        // Also what was in it though nothing of it changed: others or the client wait for that. It ends, because each
        // refusal blames something that was not suspect before, and a repeat is without it.
        if !changed.isEmpty { self.repeatAnswers(of: flight, besides: new) }
        self.heartbeatsRefused(flight)
        if flight.upserts.isEmpty, flight.heartbeats.isEmpty, !flight.isWhole {
            // Nothing but removals, refused: to say them again would be refused again.
            for name in flight.removals { self.held.set(name, nil) }
        } else {
            self.dirty.formUnion(leftOut)
        }
        return blamed
    }

    /// - Parameter new: those that are looked at again anyhow.
    private mutating func repeatAnswers(of flight: Next, besides new: [Resource]) {
        let isWanted = { [subscription] (name: ResourceName) in subscription.contains(name) }
        if !flight.isWhole {
            let new = Set(new.map(\.name))
            for resource in flight.upserts where !new.contains(resource.name) && isWanted(resource.name) {
                // A virtual host is owed under the names that were asked for.
                guard flight.aliases[resource.name] == nil, !self.suspects.excludes(resource) else { continue }
                self.promise(resource.name)
            }
        }
        for name in flight.removals where self.held[name] == nil && isWanted(name) { self.promise(name) }
        for name in flight.unknown {
            if name == Self.placeholder { self.owesPlaceholder = true } else if isWanted(name) { self.promise(name) }
        }
        for name in flight.aliases.values.joined() where isWanted(name) { self.promise(name) }
    }

    /// What a whole response takes from the client, or holds back.
    private func leftOut(by flight: Next) -> [ResourceName] {
        if self.held.exceptions.isEmpty { return [] }
        let sent = Set(flight.upserts.map(\.name))
        return self.held.exceptions.filter { $0.value != nil && !sent.contains($0.key) }.map(\.key)
    }

    /// Whether the client has them still, nobody knows.
    private mutating func doubt(_ names: [ResourceName]) {
        for name in names {
            guard let held = self.held[name] else { continue }
            self.held.set(name, Held(version: nil, resource: held.resource))
        }
    }

    /// As `reject`, of a whole response that had nothing new, so that the client can have refused only what it left out.
    /// What it listed was accepted before: it is not to blame, and not sent again.
    private mutating func rejectNothingNew(
        _ flight: Next,
        _ leftOut: [ResourceName],
        message: String,
        _ snapshot: Snapshot?
    ) -> [Resource] {
        self.suspects.tryAccused()
        self.suspects.acknowledged(trial: flight.trial ?? [], isComplete: true)
        let gone = leftOut.filter { name in snapshot.map { self.isGone(name, $0) } ?? true }
        self.refusedRemovals.insert(gone, message: message)
        self.doubt(leftOut)
        // What returned meanwhile.
        self.dirty.formUnion(leftOut)
        return gone.isEmpty ? flight.upserts : gone.compactMap { self.held[$0]?.resource }.sorted { $0.name < $1.name }
    }

    /// As `reject`, of a whole response to a client that holds nobody knows what: nothing is tried, because a response
    /// that leaves a resource out removes it. Clients take the good ones of such a response.
    private mutating func rejectBlindly(_ flight: Next, _ new: [Resource], message: String) -> [Resource] {
        if new.isEmpty { return flight.upserts }
        let blamed = self.suspects.convict(new, message: message)
        for resource in new {
            self.held.set(resource.name, Held(version: resource.version, resource: nil))
        }
        return blamed
    }
}
