// SPDX-License-Identifier: Apache-2.0

import Catalog

/// The four questions that are always open.
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
        let refused = self.missing.refused
        self.unaskable = nil
        var untaken: [String: Untaken] = [:]
        defer { self.untaken = untaken }
        self.troubles.changed()
        for (name, tags) in listed {
            guard self.selection.takes(name, tags: tags) else {
                untaken[name] = self.selection.untaken(name, tags: tags)
                continue
            }
            guard ConsulSelection.canBeAsked(name) else {
                let others = self.unaskable
                self.unaskable = (min(name, others?.first ?? name), 1 + (others?.count ?? 0))
                continue
            }
            guard let known = self.services.tags(of: name) else {
                self.services.add(name, tags: tags)
                self.services.isDirty(name, needed: nil, isUrgent: self.hasSettled)
                isDifferent = true
                continue
            }
            kept += 1
            guard known != tags else { continue }
            self.services.setTags(tags, of: name)
            self.services.isDirty(name, needed: index)
            isDifferent = true
        }
        for name in self.expected where listed[name] != nil {
            self.expected.remove(name)
            self.isChanged(name)
        }
        defer { for name in refused.subtracting(self.missing.refused) { self.isChanged(name) } }
        guard kept < before || !self.expected.isEmpty else {
            _ = self.missing.compare([], effects) { listed[$0] != nil }
            return isDifferent
        }
        for name in self.services.byName.keys {
            guard let tags = listed[name], !self.selection.takes(name, tags: tags) else { continue }
            self.isGone(name)
            isDifferent = true
        }
        let all = Array(self.services.byName.keys) + self.expected
        let areNewMissing = self.missing.compare(all, effects) { listed[$0] != nil }
        return isDifferent || areNewMissing
    }

    mutating func isGone(_ name: String) {
        self.services.remove(name)
        self.expected.remove(name)
        self.unseen.forget(name)
        self.problems[.service(name)] = nil
        self.isChanged(name)
        self.focus.forgetGone(self.services)
        self.multiplex.forget(name)
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
        // One that is no news and was not listed may be read again. What it has was perhaps never read, or let go.
        let isMoreListed = indexes.contains { node, index in
            self.nodeIndexes[node] == nil && previous.map { index <= $0 } ?? false
        }
        if isMoreListed {
            for name in self.services.byName.keys { self.services.isDirty(name, needed: nil, isUrgent: false) }
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

    /// A service that was read between two answers may have changed and changed back between them, which no difference
    /// shows. Its own index does.
    private mutating func distrust(between previous: UInt64, and index: UInt64) {
        guard index.leavesOut(after: previous) else { return }
        for (name, service) in self.services.byName where service.index > previous && service.index < index {
            self.services.isDirty(name, needed: index)
        }
    }
}

extension UInt64 {
    /// Whether there are indexes between. Any number may come as an index, also the largest.
    func leavesOut(after previous: UInt64) -> Bool { self > previous && self - previous > 1 }
}
