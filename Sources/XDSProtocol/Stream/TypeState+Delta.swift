// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

extension TypeState {
    /// Takes the subscription part of a delta request.
    mutating func received(_ request: DeltaRequest, isFirst: Bool, snapshot: Snapshot?) {
        let change = self.subscription.update(
            subscribe: request.subscribe,
            unsubscribe: request.unsubscribe,
            type: self.type,
            isFirst: isFirst
        )
        if isFirst {
            // Rule 4: what is gone meanwhile is removed, what is current is not sent again.
            for (name, version) in request.initialResourceVersions where self.subscription.contains(name) {
                self.acknowledged[name] = Held(version: ResourceVersion(version), resource: nil)
                self.dirty.insert(name)
            }
        }
        for name in change.added {
            if isFirst, self.acknowledged[name] != nil { continue }
            self.owed.insert(name)
        }
        if change.wildcardBegan {
            // An empty answer too: Envoy waits for the first one (15 s by default) before it goes on, and takes a stream
            // for healthy, so that its reconnection back-off starts anew, only when it has received something.
            self.owesAnswer = true
            if let snapshot { self.markAll(in: snapshot) }
        }
        if change.wildcardEnded {
            self.forget(self.acknowledged.keys.filter { !self.subscription.names.contains($0) })
            self.dirty.formIntersection(self.subscription.names)
            self.owesAnswer = false
        }
        if self.subscription.isWildcard {
            // The wildcard still covers them, and the client may have dropped them: say what there is.
            // See .../xds_protocol#unsubscribing-from-resources
            self.owed.formUnion(change.removed)
        } else {
            self.forget(change.removed)
        }
    }

    /// What to send in a step, or nil. Nothing in flight is a precondition.
    mutating func nextDelta(
        _ step: PushOrder.Step,
        snapshot: Snapshot,
        pushes: Bool
    ) -> Next? {
        switch step {
        case .upserts:
            return self.nextDeltaUpserts(snapshot, pushes: pushes)
        case .removals:
            guard pushes, !self.doomed.isEmpty else { return nil }
            let removals = self.doomed.filter {
                snapshot[self.type, $0] == nil && self.acknowledged[$0] != nil
            }
            self.doomed = []
            return removals.isEmpty ? nil : Next(removals: Array(removals))
        }
    }

    private mutating func nextDeltaUpserts(_ snapshot: Snapshot, pushes: Bool) -> Next? {
        // An answer is an answer to all that was asked: it does not wait for its turn.
        let pushes = pushes || self.owesAnswer
        var next = Next()
        let wanted = snapshot[self.type]
        let subscription = self.subscription

        for name in self.owed where self.subscription.contains(name) {
            self.suspects.acquit(name, unless: wanted[name]?.version)
            if let resource = wanted[name] {
                next.upserts.append(resource)
            } else {
                // Rule 5: a name that nobody knows is told at once; it stays subscribed and is sent when it appears.
                next.removals.append(name)
            }
        }
        if pushes {
            for name in self.dirty where !self.owed.contains(name) && self.subscription.contains(name) {
                let resource = wanted[name]
                if !self.suspects.isEmpty { self.suspects.acquit(name, unless: resource?.version) }
                let held = self.acknowledged[name]
                if let resource {
                    if held?.version != resource.version, !self.suspects.excludes(resource) {
                        next.upserts.append(resource)
                    }
                } else if held != nil {
                    if PushOrder.removesWithUpserts(self.type) {
                        next.removals.append(name)
                    } else {
                        self.doomed.insert(name)
                    }
                }
            }
            self.dirty = []
        }
        self.dirty.subtract(self.owed)
        self.owed = []

        if next.upserts.isEmpty, next.removals.isEmpty, pushes,
            let trial = self.suspects.nextTrial(current: { subscription.contains($0) ? wanted[$0] : nil })
        {
            next.upserts = [trial]
            next.trial = trial.name
        }
        guard self.owesAnswer || !next.upserts.isEmpty || !next.removals.isEmpty else { return nil }
        self.owesAnswer = false
        return next
    }
}
