// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

extension TypeState {
    /// Takes the subscription part of a delta request.
    mutating func received(_ request: DeltaRequest, isFirst: Bool, snapshot: Snapshot?) {
        // Nobody wants every virtual host: Envoy says "*" when it comes back because its first request named nothing.
        let isOnDemand = self.type == .virtualHost
        var subscribe = request.subscribeSet ?? Set(request.subscribe)
        if isOnDemand { subscribe.remove(.wildcard) }
        let wasWildcard = self.subscription.isWildcard
        let change = self.subscription.update(
            subscribe: subscribe,
            unsubscribe: isOnDemand ? request.unsubscribe.filter { $0 != .wildcard } : request.unsubscribe,
            type: self.type,
            isFirst: isFirst
        )
        self.introduce(change.new, wasWildcard: wasWildcard, snapshot)
        if !change.isEmpty { self.suspects.renew(retries: false) }
        if isFirst {
            // Rule 4: what is gone meanwhile is removed, what is current is not sent again.
            // What it holds of virtual hosts it may have asked for under other names.
            if isOnDemand { for name in request.initialResourceVersions.keys { _ = self.subscription.imply(name) } }
            for (name, version) in request.initialResourceVersions where self.subscription.contains(name) {
                self.held.set(name, Held(version: ResourceVersion(version), resource: nil))
                self.dirty.insert(name)
            }
            if isOnDemand, let snapshot { self.cameBack(in: snapshot[self.type]) }
            // Rule 9: Envoy's first request for virtual hosts names none, and the listener waits for an answer.
            self.owesPlaceholder = isOnDemand && change.added.isEmpty
        }
        if isFirst, !self.held.isEmpty {
            for name in change.added where self.held[name] == nil { self.owed.insert(name) }
        } else {
            self.owe(change.added)
        }
        if change.wildcardBegan {
            // An empty answer too: Envoy waits for the first one (15 s by default) before it goes on, and takes a stream
            // for healthy, so that its reconnection back-off starts anew, only when it has received something.
            self.owesAnswer = true
            self.wildcardBegan(isFirst: isFirst, snapshot)
        }
        if change.wildcardEnded {
            self.forgetUnnamed()
            self.owesAnswer = false
        }
        let resources = snapshot?[self.type] ?? [:]
        if change.wildcardAgain {
            self.owesAnswer = true
            self.owe(Set(resources.filter { !self.hides($0.value) }.keys))
        }
        for name in change.removed {
            if self.subscription.isWildcard, !self.hides(resources[name]) {
                // The wildcard still covers it, and the client may have dropped it: say what there is.
                // See .../xds_protocol#unsubscribing-from-resources
                self.owe([name])
            } else {
                self.forget(CollectionOfOne(name))
            }
        }
    }

    /// What to send in a step, or nil. Nothing in flight is a precondition.
    mutating func nextDelta(_ step: PushOrder.Step, snapshot: Snapshot, pushes: Bool) -> Next? {
        switch step {
        case .upserts:
            return self.nextDeltaUpserts(snapshot[self.type], pushes: pushes)
        case .removals:
            guard pushes, !self.doomed.isEmpty else { return nil }
            let resources = snapshot[self.type]
            let removals = self.doomed.filter { resources[$0] == nil && self.held[$0] != nil }
            self.doomed = []
            return removals.isEmpty ? nil : Next(removals: Array(removals))
        }
    }

    private mutating func nextDeltaUpserts(_ resources: Snapshot.Resources, pushes: Bool) -> Next? {
        // An answer is an answer to all that was asked: it does not wait for its turn.
        let pushes = pushes || self.owesAnswer
        var next = Next()
        self.takeOwed(resources, into: &next)
        if pushes { self.takeDirty(resources, into: &next) }
        self.dirty.subtract(self.owed)
        self.forgetOwed()

        if self.owesHeartbeat {
            self.owesHeartbeat = false
            self.takeHeartbeats(resources, into: &next)
        }
        if next.isEmpty, pushes, !self.suspects.isEmpty {
            let subscription = self.subscription
            let trial = self.suspects.nextTrial { subscription.contains($0) ? resources[$0] : nil }
            if !trial.isEmpty {
                next.upserts = trial
                next.trial = Set(trial.map(\.name))
            }
        }
        guard self.owesAnswer || !next.isEmpty else { return nil }
        self.owesAnswer = false
        self.tellWaiting(in: &next, resources)
        return next
    }

    /// The answers to what was asked for by name.
    private mutating func takeOwed(_ resources: Snapshot.Resources, into next: inout Next) {
        if self.type == .virtualHost {
            self.takeOwedVirtualHosts(resources, into: &next)
            return
        }
        for name in self.owed where self.subscription.contains(name) {
            let resource = resources[name]
            if !self.suspects.isEmpty { self.suspects.acquit(name, unless: resource?.version) }
            if let resource, !self.hides(resource) {
                if let answer = self.answer(name, with: resource) { next.upserts.append(answer) }
            } else if resource == nil, self.debts.contains(name), self.held[name] != nil,
                !PushOrder.removesWithUpserts(self.type)
            {
                // It went before it was told: nobody asked, so it waits for what refers to it.
                self.doomed.insert(name)
            } else {
                // Rule 5: a name that nobody knows is told at once; it stays subscribed and is sent when it appears.
                next.removals.append(name)
            }
        }
    }

    /// What changed of what the client holds or is to hold.
    private mutating func takeDirty(_ resources: Snapshot.Resources, into next: inout Next) {
        for name in self.dirty where !self.owed.contains(name) && self.subscription.contains(name) {
            let resource = resources[name]
            if !self.suspects.isEmpty { self.suspects.acquit(name, unless: resource?.version) }
            if self.hides(resource), (self.held.exceptions[name] ?? nil) != nil {
                // It became on demand. Requests may be on their way there, and connections that know of no demand: who
                // has it keeps it, as if it had asked.
                _ = self.subscription.imply(name)
            }
            if let resource, !self.hides(resource) {
                if self.held.version(name) == resource.version {
                    // A client that came back with it: its time is running.
                    if resource.timeToLive != nil, self.expiring.insert(name).inserted { self.owesHeartbeat = true }
                } else if !self.suspects.excludes(resource) {
                    next.upserts.append(resource)
                }
            } else if resource == nil, self.held[name] != nil {
                if PushOrder.removesWithUpserts(self.type) {
                    next.removals.append(name)
                } else {
                    self.doomed.insert(name)
                }
            }
        }
        self.dirty = []
    }
}
