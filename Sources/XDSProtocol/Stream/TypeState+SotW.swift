// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

extension TypeState {
    /// Takes the subscription part of a state-of-the-world request.
    mutating func received(_ request: SotWRequest, isFirst: Bool, snapshot: Snapshot?) {
        if isFirst {
            self.claimedVersion = request.versionInfo.isEmpty ? nil : request.versionInfo
            self.knowsWhatIsHeld = request.versionInfo.isEmpty
        }
        guard let names = request.resourceNames else { return }
        let set = request.nameSet ?? Set(names)
        let wasWildcard = self.subscription.isWildcard
        let change = self.subscription.replace(with: set, type: self.type, isFirst: isFirst)
        self.introduce(change.new, wasWildcard: wasWildcard, snapshot)
        if !change.isEmpty {
            self.suspects.renew(retries: false)
            self.refusals = [:]
        }
        // A root type's answer lists everything, so that the client learns what there is not.
        if self.type.isRoot, isFirst || !change.isEmpty { self.owesAnswer = true }
        self.owe(change.added)
        if change.wildcardBegan {
            // Sent again, with everything else. A response of a root type says anyhow what is held.
            if !self.type.isRoot { self.forget(change.removed) }
            self.owesAnswer = true
            // A root type's answer lists everything: of a client that holds nothing, and will not hold a part when it answers
            // what is on its way, there is nothing to be looked at.
            let holdsNothing = self.held.isEmpty && self.suspects.isEmpty && self.inFlight == nil
            if !self.type.isRoot || !holdsNothing { self.wildcardBegan(isFirst: isFirst, snapshot) }
        }
        if change.wildcardEnded { self.forgetUnnamed() }
        if !self.subscription.isWildcard { self.forget(change.removed) }
    }

    /// A client that reconnects and holds exactly what there is now is sent nothing.
    private mutating func settleClaim(_ snapshot: Snapshot) {
        guard let claimed = self.claimedVersion else { return }
        self.claimedVersion = nil
        let current = self.subscribed(in: snapshot)
        guard ResourceVersion.Sum(current.map(\.version)).description == claimed else { return }
        // What expires may have done so since.
        guard current.allSatisfy({ $0.timeToLive == nil }) else { return }
        self.held.adopt(current, of: snapshot[self.type])
        self.knowsWhatIsHeld = true
        self.forgetOwed()
        self.dirty = []
        self.owesAnswer = false
    }

    private func subscribed(in snapshot: Snapshot) -> [Resource] {
        let wanted = snapshot[self.type]
        return self.subscription.isWildcard
            ? wanted.values.filter { !self.hides($0) } : self.subscription.names.compactMap { wanted[$0] }
    }

    /// What to send in a step, or nil. Nothing in flight is a precondition.
    mutating func nextSotW(
        _ step: PushOrder.Step,
        snapshot: Snapshot,
        pushes: Bool
    ) -> Next? {
        self.settleClaim(snapshot)
        // An answer is an answer to all that was asked: it does not wait for its turn.
        let pushes = pushes || self.owesAnswer
        let type = self.type
        var trial: Set<ResourceName>?
        var changed = self.takeChanged(snapshot, pushes: pushes, step: step)
        let isRemoval = step.isRemoval
        // A whole response has what is newest in it, which may not be due yet.
        if self.owesHeartbeat, !isRemoval, pushes || !self.type.isRoot {
            // The whole of them: an entry without its resource is for delta only, because Envoy's state-of-the-world
            // client takes what a response of a root type leaves out for removed.
            self.owesHeartbeat = false
            let expiring = self.perishable(in: snapshot[type], besides: Set(changed.map(\.name)))
            if self.type.isRoot {
                if !expiring.isEmpty { self.owesAnswer = true }
            } else {
                if changed.isEmpty, !expiring.isEmpty { trial = [] }
                changed += expiring
            }
        }
        if changed.isEmpty, !isRemoval, !self.owesAnswer, pushes, !self.suspects.isEmpty,
            !(type.isRoot && !self.knowsWhatIsHeld)
        {
            changed = self.nextTrial(snapshot)
            if !changed.isEmpty { trial = Set(changed.map(\.name)) }
        }
        guard self.type.isRoot else {
            // Only what changed: the protocol allows it for types that are not root types. What is gone is not told;
            // the client stops asking for it when its parent is gone.
            self.doomed = []
            guard self.owesAnswer || !changed.isEmpty else { return nil }
            self.owesAnswer = false
            return Next(upserts: changed, trial: trial)
        }
        if isRemoval, pushes {
            // What returned before its turn came is no removal.
            self.doomed = self.doomed.filter { self.isGone($0, snapshot) && self.held[$0] != nil }
        }
        let hasRemovals = isRemoval && pushes && !self.doomed.isEmpty
        guard self.owesAnswer || !changed.isEmpty || hasRemovals else { return nil }
        self.owesAnswer = false
        let whole = self.whole(snapshot, trial: trial, removing: isRemoval)
        return Next(upserts: whole, isWhole: true, trial: trial)
    }

    /// On a root type, a trial repeats what was accepted meanwhile, and so it may say what was refused before. What the
    /// client took since may have cured it (a listener whose port is free now), but only once.
    private mutating func nextTrial(_ snapshot: Snapshot) -> [Resource] {
        let (type, subscription) = (self.type, self.subscription)
        while true {
            let trial = self.suspects.nextTrial { subscription.contains($0) ? snapshot[type, $0] : nil }
            if trial.isEmpty || !type.isRoot || self.refusals.isEmpty { return trial }
            let whole = self.whole(snapshot, trial: Set(trial.map(\.name)), removing: false)
            let content = ResourceVersion.Sum(whole.lazy.map(\.version)).description
            if self.refusals[content, default: 0] < 2 { return trial }
            self.suspects.refusedUnsent(trial)
        }
    }

    /// The resources with news for this client.
    private mutating func takeChanged(
        _ snapshot: Snapshot,
        pushes: Bool,
        step: PushOrder.Step
    ) -> [Resource] {
        guard case .upserts = step else { return [] }
        let wanted = snapshot[self.type]
        var changed: [Resource] = []
        // Mostly one set, and then no name is looked up.
        let isAllOwed = self.owed == self.subscription.names
        changed.reserveCapacity(self.owed.count)
        for name in self.owed where isAllOwed || self.subscription.contains(name) {
            let resource = wanted[name]
            if !self.suspects.isEmpty { self.suspects.acquit(name, unless: resource?.version) }
            if let resource, let answer = self.answer(name, with: resource) { changed.append(answer) }
        }
        if pushes {
            for name in self.dirty where !self.owed.contains(name) && self.subscription.contains(name) {
                let resource = wanted[name]
                if !self.suspects.isEmpty { self.suspects.acquit(name, unless: resource?.version) }
                if let resource, !self.hides(resource) {
                    self.refusedRemovals.forget(name)
                    if self.held.version(name) != resource.version, !self.suspects.excludes(resource) {
                        changed.append(resource)
                    }
                } else if resource == nil ? self.held[name] != nil : (self.held.exceptions[name] ?? nil) != nil {
                    if self.refusedRemovals.contains(name) {
                        continue
                    } else if !self.type.isRoot {
                        // The client is not told and may drop it with its parent: if it returns, it is sent.
                        if resource == nil { self.held.set(name, nil) }
                    } else if PushOrder.removesWithUpserts(self.type) {
                        self.owesAnswer = true
                    } else {
                        self.doomed.insert(name)
                    }
                }
            }
            self.dirty = []
        }
        self.dirty.subtract(self.owed)
        self.forgetOwed()
        return changed
    }

    /// Everything a root type's response must list. The last good version stands in for one that was refused, and what is
    /// to be removed is still there until its step, and longer if the client refused that: what a response leaves out is
    /// removed.
    private mutating func whole(_ snapshot: Snapshot, trial: Set<ResourceName>?, removing: Bool) -> [Resource] {
        var resources = self.subscribed(in: snapshot)
        // Of a client that holds nobody knows what, the last good version is not known either. To leave the resource out
        // would remove it; with it in, clients take the rest and keep what they have of it.
        if self.knowsWhatIsHeld, !self.suspects.isEmpty {
            resources = resources.compactMap { resource in
                let isSaid = trial?.contains(resource.name) == true || !self.suspects.excludes(resource)
                return isSaid ? resource : self.held[resource.name]?.resource
            }
        }
        let removes = removing || PushOrder.removesWithUpserts(self.type)
        if removes { self.doomed = [] }
        for (name, held) in self.held.exceptions {
            let stays =
                self.refusedRemovals.contains(name)
                ? self.isGone(name, snapshot) : !removes && snapshot[self.type, name] == nil
            if stays, let resource = held?.resource { resources.append(resource) }
        }
        return resources
    }

    /// Whether whole responses leave it out for good.
    func isGone(_ name: ResourceName, _ snapshot: Snapshot) -> Bool {
        let resource = snapshot[self.type, name]
        return resource == nil || self.hides(resource)
    }

    /// The version of what the client will hold when it accepts `next`.
    func versionInfo(after next: Next) -> String {
        if next.isWhole { return ResourceVersion.Sum(next.upserts.lazy.map(\.version)).description }
        var sum = self.held.sum
        for resource in next.upserts {
            if let version = self.held.version(resource.name) { sum.subtract(version) }
            sum.add(resource.version)
        }
        return sum.description
    }
}
