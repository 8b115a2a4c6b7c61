// SPDX-License-Identifier: Apache-2.0

/// Looking for whoever changed without showing it.
extension ConsulDatacenter {
    mutating func probe(_ effects: inout ConsulEffects) {
        if self.areAllWatched { self.search.areAllWatched() }
        while effects.mayAsk {
            let room = self.search.room(connections: self.limits.probers, at: effects.now)
            guard room > 0 else { return }
            var candidates: [ConsulSearch.Candidate] = []
            while candidates.count < room, let name = self.search.takeNext() {
                guard let known = self.services[name], known.canBeProbed, !self.isWatched(name) else { continue }
                candidates.append(ConsulSearch.Candidate(name: name, index: known.index))
            }
            guard !candidates.isEmpty else { return self.search.ranOut() }
            let request = effects.send(ConsulQuery(.probes(candidates.map(\.name)), datacenter: self.name))
            self.search.asks(candidates, with: request, at: effects.now)
        }
    }

    mutating func probed(_ candidate: ConsulSearch.Candidate, index: UInt64, _ effects: inout ConsulEffects) {
        guard let known = self.services[candidate.name], known.isRead else { return }
        if index < candidate.index {
            self.indexFell(&effects)
            self.services.isDirty(candidate.name, needed: nil)
        } else if index > known.index {
            self.services.isDirty(candidate.name, needed: nil)
        }
    }

    mutating func lookForChanges(_ effects: inout ConsulEffects) {
        let now = effects.now
        guard !self.services.isAnyQueued, self.glance == nil else { return }
        if let audit = self.nextAudit, audit <= now {
            self.search.wantLater(hides: false, at: now)
            self.nextAudit = nil
        }
        if self.nextAudit == nil { self.nextAudit = now + effects.jittered(Self.auditInterval) }
        guard self.search.begins(at: now), effects.mayAsk else { return }
        if self.search.isUrgent(at: now), !self.search.hasGlanced, self.isGlanceCheap {
            self.search.glanced(at: now)
            self.glance = effects.send(ConsulQuery(.passing, datacenter: self.name))
            return
        }
        let isHurried = self.search.begin(
            self.services.byName.keys,
            additions: self.services.additions,
            recent: self.services.recent(ConsulSearch.recent),
            at: now
        )
        if isHurried {
            // What is being read may have been told before the change, and cannot be asked about.
            for reading in self.readings.values { self.services.isDirty(reading.service, needed: nil) }
        }
        self.probe(&effects)
        if isHurried, self.search.inFlight > 0 { effects.count(.search) }
    }

    /// Whether it costs less than to ask all services, and not only those that are not watched. Most changes that nothing
    /// else explains are new instances, and most of those have checks.
    private var isGlanceCheap: Bool {
        let services = self.services.byName.count
        return services > 2 * self.limits.focus && self.multiplex.watched < services / 2
            && self.services.instanceCount <= 4 * services
            && self.readings.count < self.limits.readers
    }

    /// Whose checks changed since they were read, or became fewer, has changed.
    mutating func glanceAnswered(_ answer: ConsulAnswer, _ effects: inout ConsulEffects) {
        self.glance = nil
        self.search.glanced(cost: .seconds(Double(answer.bytes) / Self.bytesPerSecond), at: effects.now)
        guard case .passing(let passing) = answer.content else { return }
        var isAnyDirty = false
        for (name, known) in self.services.byName where known.isRead {
            let checks = passing[name] ?? ConsulPassingChecks(count: 0, index: 0)
            // A filter hides checks from what is known of a service, and not from this list.
            let areOthers = checks.count != known.passingChecks && !self.isFiltered
            guard checks.index > known.index || areOthers else { continue }
            self.services.isDirty(name, needed: areOthers ? nil : checks.index)
            isAnyDirty = true
        }
        if isAnyDirty { self.search.mayBeExplained(at: effects.now) }
    }
}
