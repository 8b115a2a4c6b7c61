// SPDX-License-Identifier: Apache-2.0

/// The link to the datacenter, and what is asked again or anew because of it.
extension ConsulDatacenter {
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
        } else if let missed = self.missedIndex, missed <= self.catalogIndex {
            self.isIndexComparable = true
        }
        self.missedIndex = answer.index > self.catalogIndex ? answer.index : nil
    }

    /// An index is lower than one that was seen before.
    mutating func indexFell(_ effects: inout ConsulEffects) {
        effects.count(.indexRegression)
        if self.doubt.fell(at: effects.now) { self.link.doubted(at: effects.now) }
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
        self.unseen.renew(&effects)
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
