// SPDX-License-Identifier: Apache-2.0

/// The four questions that are always open, and the link.
extension ConsulDatacenter {
    mutating func namesAnswered(_ answer: ConsulAnswer, _ effects: inout ConsulEffects) {
        guard case .services(let listed) = answer.content else { return }
        guard listed[ConsulSelection.consul] != nil || !effects.scope.isDefault else {
            // Whoever does not see the servers themselves may see nothing at all: that is no answer.
            self.names.forget(&effects)
            self.link.turnedBlind(&effects)
            return
        }
        self.problems[.services] = nil
        // To gather the names, the server goes through all instances.
        let cost = Self.costOfInstance * self.services.instanceCount
        guard let previous = self.believe(\.names, answer, cost: cost, &effects) else { return }
        let isExplained = self.compareNames(listed, index: answer.index, effects)
        guard let previous, answer.index > previous else { return }
        self.distrust(between: previous, and: answer.index)
        let isKnown = isExplained || self.services.byName.values.contains { $0.index == answer.index }
        let hides = answer.index.leavesOut(after: previous)
        if isKnown {
            self.search.wantLater(hides: hides, at: effects.now)
        } else {
            self.search.wantNow(answer.index, hides: hides, at: effects.now)
        }
    }

    /// Returns whether something is another than it was.
    private mutating func compareNames(_ listed: [String: [String]], index: UInt64, _ effects: ConsulEffects) -> Bool {
        var isDifferent = false
        var kept = 0
        let before = self.services.byName.count
        self.unaskable = nil
        for (name, tags) in listed where self.selection.takes(name, tags: tags) {
            guard ConsulSelection.canBeAsked(name) else {
                let others = self.unaskable
                self.unaskable = (min(name, others?.first ?? name), 1 + (others?.count ?? 0))
                continue
            }
            guard let known = self.services.tags(of: name) else {
                self.services.add(name, tags: tags)
                self.services.isDirty(name, needed: nil, isUrgent: self.wasComplete)
                isDifferent = true
                continue
            }
            kept += 1
            guard known != tags else { continue }
            self.services.setTags(tags, of: name)
            self.services.isDirty(name, needed: index)
            isDifferent = true
        }
        guard kept < before else {
            _ = self.missing.compare([], effects) { listed[$0] != nil }
            return isDifferent
        }
        for name in self.services.byName.keys {
            guard let tags = listed[name], !self.selection.takes(name, tags: tags) else { continue }
            self.isGone(name)
            isDifferent = true
        }
        let areNewMissing = self.missing.compare(self.services.byName.keys, effects) { listed[$0] != nil }
        return isDifferent || areNewMissing
    }

    private mutating func isGone(_ name: String) {
        self.services.remove(name)
        self.problems[.service(name)] = nil
        self.isChanged(name)
        self.focus.forgetGone(self.services)
        self.multiplex.forget(name)
    }

    mutating func missingAnswered(_ request: ConsulRequestID, isThere: Bool, _ effects: inout ConsulEffects) {
        if let name = self.missing.answered(request, isThere: isThere, &effects) { self.isGone(name) }
    }

    mutating func nodesAnswered(_ answer: ConsulAnswer, _ effects: inout ConsulEffects) {
        guard case .nodes(let indexes) = answer.content else { return }
        self.problems[.nodes] = nil
        guard let previous = self.believe(\.nodes, answer, &effects) else { return }
        for (node, index) in indexes where self.nodeIndexes[node] != index {
            for service in self.services.byNode[node] ?? [] { self.services.isDirty(service, needed: answer.index) }
        }
        for node in self.nodeIndexes.keys where indexes[node] == nil {
            for service in self.services.byNode[node] ?? [] { self.services.isDirty(service, needed: answer.index) }
        }
        self.nodeIndexes = indexes
        if let previous { self.distrust(between: previous, and: answer.index) }
    }

    mutating func checksAnswered(
        _ state: ConsulQuery.CheckState,
        _ answer: ConsulAnswer,
        _ effects: inout ConsulEffects
    ) {
        guard case .checks(let checks) = answer.content else { return }
        self.problems[.checks(state)] = nil
        let before: Set<ConsulCheckKey>
        let previous: UInt64??
        switch state {
        case .critical:
            previous = self.believe(\.critical, answer, &effects)
            before = self.criticalChecks
            if previous != nil { self.criticalChecks = checks }
        case .warning:
            previous = self.believe(\.warning, answer, &effects)
            before = self.warningChecks
            if previous != nil { self.warningChecks = checks }
        }
        guard let previous else { return }
        for check in checks.symmetricDifference(before) {
            if !check.service.isEmpty {
                self.services.isDirty(check.service, needed: answer.index)
            } else {
                for service in self.services.byNode[check.node] ?? [] {
                    self.services.isDirty(service, needed: answer.index)
                }
            }
        }
        if let previous { self.distrust(between: previous, and: answer.index) }
    }

    mutating func linkAnswered(_ answer: ConsulAnswer, _ effects: inout ConsulEffects) {
        let before = self.link.state
        self.link.answered(answer.content, &effects)
        guard self.link.isUp else { return }
        let isOtherToken = self.token.map { $0 != answer.token } ?? false
        self.token = answer.token
        let wasDoubted = self.doubt.isOn
        var index: UInt64?
        if case .server(isVisible: true) = answer.content { index = answer.index }
        guard self.doubt.checked(index, at: effects.now) else {
            self.link.doubted(at: effects.now)
            return
        }
        if before != .up { effects.linkIsUp() }
        let lostRights = self.link.takeLostRights()
        switch before {
        case .up where isOtherToken:
            // Questions that wait keep the rights that they began with.
            self.isResetWanted = true
        case .up:
            self.compare(answer, &effects)
        case .unknown:
            self.renew(&effects)
        case .down where wasDoubted:
            self.isResetWanted = true
            self.resetNotBefore = effects.now
        case _ where lostRights:
            // Another token, or other rights: what was asked with the old ones means nothing.
            self.isResetWanted = true
        case .blind, .down:
            // Connections to a machine that is gone do not say so.
            self.renew(&effects)
            if isOtherToken { self.isResetWanted = true }
            if case .server = answer.content, answer.index < self.link.floor {
                self.indexFell(&effects)
                self.isResetWanted = true
            }
        }
    }

    /// The catalog's index against that of its tables: a question may be waiting for an index that is never reached, or
    /// may have missed one.
    private mutating func compare(_ answer: ConsulAnswer, _ effects: inout ConsulEffects) {
        guard case .server(isVisible: true) = answer.content, self.isBased else { return }
        if answer.index < self.link.floor {
            self.indexFell(&effects)
            self.isResetWanted = true
            self.missedIndex = nil
            return
        }
        if let missed = self.missedIndex, missed > self.catalogIndex, self.isIndexComparable {
            let isFresh = self.names.failures == 0 && self.nodes.failures == 0
            if isFresh, self.names.request != nil, self.nodes.request != nil {
                self.names.askAgain(&effects)
                self.nodes.askAgain(&effects)
                self.isIndexComparable = false
            }
        } else if self.missedIndex != nil {
            self.isIndexComparable = true
        }
        self.missedIndex = answer.index > self.catalogIndex ? answer.index : nil
    }

    /// Nil: not now. Otherwise the index of the answer before, or that there is none that this one compares with.
    private mutating func believe(
        _ watch: WritableKeyPath<ConsulDatacenter, ConsulWatch>,
        _ answer: ConsulAnswer,
        cost: Duration = .zero,
        _ effects: inout ConsulEffects
    ) -> UInt64?? {
        switch self[keyPath: watch].answered(answer, cost: cost, at: effects.now) {
        case .believed(let previous):
            return .some(previous)
        case .regressed:
            self.indexFell(&effects)
            return nil
        case .reset:
            self.isResetWanted = true
            return .some(nil)
        }
    }

    /// An index is lower than one that was seen before.
    mutating func indexFell(_ effects: inout ConsulEffects) {
        effects.count(.indexRegression)
        if self.doubt.fell(at: effects.now) { self.link.doubted(at: effects.now) }
    }

    /// A service that was read between two answers may have changed and changed back between them, which no difference
    /// shows. Its own index does.
    private mutating func distrust(between previous: UInt64, and index: UInt64) {
        guard index.leavesOut(after: previous) else { return }
        for (name, service) in self.services.byName where service.index > previous && service.index < index {
            self.services.isDirty(name, needed: index)
        }
    }

    /// What is open is asked again: its connections may be dead.
    mutating func renew(_ effects: inout ConsulEffects) {
        self.names.renew(&effects)
        self.nodes.renew(&effects)
        self.critical.renew(&effects)
        self.warning.renew(&effects)
        self.focus.renew()
        self.multiplex.renew(isForgetting: false, &effects)
        if let glance = self.glance { _ = effects.cancel(glance) }
        self.glance = nil
        self.search.renew(&effects)
        self.missing.renew(&effects)
        for (request, reading) in self.readings {
            _ = effects.cancel(request)
            self.services.readingEnded(reading.service)
            self.services.isDirty(reading.service, needed: nil)
        }
        self.readings = [:]
        for name in self.services.resting.keys { self.services.isDirty(name, needed: nil) }
    }

    /// Everything is asked anew. What is known stays until it is read again or no longer listed.
    mutating func reset(_ effects: inout ConsulEffects) {
        effects.count(.resynchronization)
        self.isResetWanted = false
        self.resetNotBefore = effects.now + .seconds(1)
        self.renew(&effects)
        self.names.forget(&effects)
        self.nodes.forget(&effects)
        self.critical.forget(&effects)
        self.warning.forget(&effects)
        self.services.areAllDirty()
        self.multiplex.renew(isForgetting: true, &effects)
        self.problems = [:]
    }
}

extension UInt64 {
    /// Whether there are indexes between. Any number may come as an index, also the largest.
    func leavesOut(after previous: UInt64) -> Bool { self > previous && self - previous > 1 }
}
