// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

extension TypeState {
    /// Moves what is in flight to what is held.
    mutating func acknowledge(_ snapshot: Snapshot?) {
        guard let flight = self.inFlight?.content else { return }
        self.inFlight = nil
        self.knowsWhatIsHeld = true
        let accepted =
            self.subscription.isWildcard
            ? flight.upserts : flight.upserts.filter { self.subscription.contains($0.name) }
        if !accepted.isEmpty || flight.isWhole {
            let outdated = self.held.accept(
                accepted,
                isWhole: flight.isWhole,
                current: snapshot?[self.type] ?? [:],
                pending: self.owed.isEmpty ? self.dirty : self.dirty.union(self.owed)
            )
            // Given up and asked for again while it was on its way, and gone or changed meanwhile.
            self.dirty.formUnion(outdated)
            for resource in accepted where resource.timeToLive != nil { self.expiring.insert(resource.name) }
            if !self.suspects.isEmpty {
                for resource in accepted { self.suspects.accepted(resource) }
            }
        }
        for name in flight.removals {
            self.held.set(name, nil)
            self.expiring.remove(name)
        }
        self.suspects.acknowledged(trial: flight.trial, isComplete: self.dirty.isEmpty)
    }

    /// The response was refused. What of it the client kept is unknown: Envoy keeps the good clusters and listeners of a
    /// response that it refuses.
    /// - Returns: the resources that may be to blame.
    mutating func reject(message: String) -> [Resource] {
        guard let flight = self.inFlight?.content else { return [] }
        self.inFlight = nil
        let new = flight.upserts.filter { resource in
            guard self.subscription.contains(resource.name) else { return true }
            // A stand-in was accepted once.
            let held = self.held[resource.name]
            return held?.version != resource.version && held?.resource != resource
        }
        let changed: [Resource]
        if let trial = flight.trial {
            changed = flight.upserts.filter { $0.name == trial }
        } else {
            changed = new.isEmpty ? flight.upserts : new
        }
        if flight.isWhole, !self.knowsWhatIsHeld {
            return self.rejectBlindly(changed, message: message)
        }
        let held = Set(changed.map(\.name).filter { self.subscription.contains($0) && self.held[$0] != nil })
        let blamed = changed.isEmpty ? [] : self.suspects.refused(changed, held: held, message: message)
        // What is not asked for any more may have been to blame; it is not sent again anyhow.
        for resource in changed where !self.subscription.contains(resource.name) { self.suspects.forget(resource.name) }
        if flight.isWhole, !changed.isEmpty {
            // What it left out was to be removed: say so again, without the culprit.
            let sent = Set(flight.upserts.map(\.name))
            self.owesAnswer = self.held.exceptions.contains { $0.value != nil && !sent.contains($0.key) }
        }
        for resource in new where self.subscription.contains(resource.name) {
            self.held.set(resource.name, Held(version: nil, resource: self.held[resource.name]?.resource))
        }
        for name in flight.removals {
            if var held = self.held[name] {
                held.version = nil
                self.held.set(name, held)
            }
        }
        // The rest of the response is looked at again: what was not to blame is sent without the culprit.
        self.dirty.formUnion(flight.upserts.map(\.name))
        if flight.upserts.isEmpty {
            // Nothing but removals, refused: to say them again would be refused again.
            for name in flight.removals { self.held.set(name, nil) }
        } else {
            self.dirty.formUnion(flight.removals)
        }
        return blamed
    }

    /// As `reject`, of a whole response to a client that holds nobody knows what: nothing is tried, because a response
    /// that leaves a resource out removes it. Clients take the good ones of such a response.
    private mutating func rejectBlindly(_ changed: [Resource], message: String) -> [Resource] {
        let blamed = self.suspects.convict(changed, message: message)
        for resource in changed {
            self.held.set(resource.name, Held(version: resource.version, resource: nil))
        }
        return blamed
    }
}
