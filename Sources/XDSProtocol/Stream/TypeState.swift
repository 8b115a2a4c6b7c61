// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

/// Everything that one stream remembers of one type. Four things are kept apart: what is *wanted* (the snapshot, not
/// here), what is *acknowledged*, what is *in flight* and what was *rejected*.
///
/// `dirty` and `owed` say where to look, so that a change costs what it touches and not what the stream holds.
struct TypeState: Sendable {
    /// What the client said it has: by ACK, or by `initial_resource_versions`.
    struct Held: Sendable, Equatable {
        /// Nil if nobody knows: the client named a version that we cannot have made, or refused a response with it.
        var version: ResourceVersion?
        /// What a state-of-the-world response must repeat when the newest was refused. Nil if learned from a reconnect.
        var resource: Resource?
    }

    /// The content of a response.
    struct Next: Sendable {
        var upserts: [Resource] = []
        /// Delta only.
        var removals: [ResourceName] = []
        /// SotW root types: the response is the whole truth.
        var isWhole = false
        /// The one suspect that it carries, so that a NACK convicts it.
        var trial: ResourceName?
    }

    struct InFlight: Sendable {
        var nonce: Nonce
        var content: Next
    }

    let type: TypeURL
    var subscription = Subscription()
    var acknowledged: [ResourceName: Held] = [:]
    var inFlight: InFlight?
    /// SotW: whether `acknowledged` is all that the client holds. Not when it reconnects with a version that is not the
    /// current one: then it holds nobody knows what, until it accepts something.
    var knowsWhatIsHeld = true
    var suspects = Suspects()
    /// Names to compare with the snapshot at the next opportunity.
    var dirty: Set<ResourceName> = []
    /// Names that are gone from the snapshot and held by the client: to be removed when nothing refers to them any more.
    var doomed: Set<ResourceName> = []
    /// Names that the client asked for: answered even if nothing changed (rule 3).
    var owed: Set<ResourceName> = []
    /// The subscription as a whole is to be answered, also with nothing.
    var owesAnswer = false
    /// SotW, first request: the `version_info` that the client came with, until there is a snapshot to compare it with.
    var claimedVersion: String?
    var responsesSent = 0
    var resourcesSent = 0

    init(type: TypeURL) {
        self.type = type
    }

    /// Looks again at everything: the snapshot is another one, or the first.
    mutating func markAll(in snapshot: Snapshot) {
        if self.subscription.isWildcard {
            self.dirty.formUnion(snapshot[self.type].keys)
        }
        self.dirty.formUnion(self.subscription.names)
        self.dirty.formUnion(self.acknowledged.keys)
        self.dirty.formUnion(self.suspects.names)
        // What is on its way will be held when it is ACKed, and may be gone by then.
        if let flight = self.inFlight { self.dirty.formUnion(flight.content.upserts.map(\.name)) }
    }

    mutating func mark(_ changed: Set<ResourceName>) {
        if self.subscription.isWildcard {
            self.dirty.formUnion(changed)
        } else if changed.count < self.subscription.names.count {
            for name in changed where self.subscription.names.contains(name) { self.dirty.insert(name) }
        } else {
            for name in self.subscription.names where changed.contains(name) { self.dirty.insert(name) }
        }
    }

    /// Forgets what the client does not want any more.
    mutating func forget(_ names: some Sequence<ResourceName>) {
        for name in names {
            self.acknowledged[name] = nil
            self.dirty.remove(name)
            self.doomed.remove(name)
            self.owed.remove(name)
            self.suspects.forget(name)
        }
    }

    /// Something to send, or something sent and not answered.
    var isBusy: Bool {
        self.inFlight != nil || self.owesAnswer || !self.owed.isEmpty || !self.dirty.isEmpty || self.suspects.haveTrials
    }

    /// Moves what is in flight to what is acknowledged.
    mutating func acknowledge() {
        guard let flight = self.inFlight?.content else { return }
        self.inFlight = nil
        self.knowsWhatIsHeld = true
        if flight.isWhole { self.acknowledged.removeAll(keepingCapacity: true) }
        for resource in flight.upserts where self.subscription.contains(resource.name) {
            self.acknowledged[resource.name] = Held(version: resource.version, resource: resource)
            if !self.suspects.isEmpty { self.suspects.accepted(resource) }
        }
        for name in flight.removals { self.acknowledged[name] = nil }
        self.suspects.acknowledged(
            trial: flight.trial,
            isComplete: self.dirty.isEmpty
        )
    }

    /// The response was refused. What of it the client kept is unknown: Envoy keeps the good clusters and listeners of a
    /// response that it refuses.
    /// - Returns: the resources that may be to blame.
    mutating func reject(message: String) -> [Resource] {
        guard let flight = self.inFlight?.content else { return [] }
        self.inFlight = nil
        let new = flight.upserts.filter { resource in
            // A stand-in was accepted once.
            let held = self.acknowledged[resource.name]
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
        let blamed = self.suspects.refused(changed, message: message)
        // What is not asked for any more may have been to blame; it is not sent again anyhow.
        for resource in changed where !self.subscription.contains(resource.name) { self.suspects.forget(resource.name) }
        if flight.isWhole, !changed.isEmpty {
            // What it left out was to be removed: say so again, without the culprit.
            let sent = Set(flight.upserts.map(\.name))
            self.owesAnswer = self.acknowledged.keys.contains { !sent.contains($0) }
        }
        for resource in new where self.subscription.contains(resource.name) {
            self.acknowledged[resource.name] = Held(version: nil, resource: self.acknowledged[resource.name]?.resource)
        }
        for name in flight.removals { self.acknowledged[name]?.version = nil }
        // The rest of the response is looked at again: what was not to blame is sent without the culprit.
        self.dirty.formUnion(flight.upserts.map(\.name))
        if flight.upserts.isEmpty {
            // Nothing but removals, refused: to say them again would be refused again.
            for name in flight.removals { self.acknowledged[name] = nil }
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
            self.acknowledged[resource.name] = Held(version: resource.version, resource: nil)
        }
        return blamed
    }
}
