// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Reading services one by one: those that are dirty, and those that are watched.
extension ConsulDatacenter {
    /// What a reading costs the server and us, in bytes a second.
    static let bytesPerSecond = 20_000_000.0

    mutating func serviceAnswered(
        _ request: ConsulRequestID,
        _ answer: ConsulAnswer,
        _ effects: inout ConsulEffects
    ) {
        if case .presence(let isThere) = answer.content {
            if !self.unseenAnswered(request, isThere: isThere, &effects) {
                self.missingAnswered(request, isThere: isThere, &effects)
            }
        } else if let reading = self.readings.removeValue(forKey: request) {
            self.services.readingEnded(reading.service)
            guard case .service(let found) = answer.content else { return }
            self.readingAnswered(reading, found, answer, &effects)
        } else if let candidates = self.search.answered(request) {
            guard case .probes(let indexes) = answer.content else { return }
            for (candidate, index) in zip(candidates, indexes) { self.probed(candidate, index: index, &effects) }
        } else if case .capacity(let capacity) = answer.content {
            self.multiplex.opened(request, capacity: capacity, &effects)
        } else if case .indexes(let indexes) = answer.content {
            let changed = self.multiplex.answered(
                request,
                indexes,
                known: { [services] in services[$0]?.index },
                &effects
            )
            for name in changed { self.services.isDirty(name, needed: nil) }
        } else if let (name, asked) = self.focus.ended(request) {
            guard case .service(let found) = answer.content, let known = self.services[name] else {
                self.focus.forgetGone(self.services)
                return
            }
            let isEmpty = found.count == 0 && (!self.isFiltered || answer.index < known.index)
            let unseen = known.unseen(in: found)
            // It has the rights of when it was asked: what that changes is read once more.
            let isOtherUnseen = Set(unseen.map(\.id)) != self.unseen.kept(of: name)
            if isEmpty || isOtherUnseen || found.count == 0 && !unseen.isEmpty {
                self.services.isDirty(name, needed: nil)
                self.focus.postpone(name, until: effects.now + .milliseconds(250))
            } else if answer.index < known.index {
                // If it goes beyond what it was to go beyond, it was overtaken.
                if answer.index <= asked { self.indexFell(&effects) }
                self.services.isDirty(name, needed: nil)
                self.focus.postpone(name, until: effects.now + .milliseconds(250))
            } else if answer.index > known.index {
                let pause = self.learn(name, found, keeping: unseen, answer, &effects)
                if pause - effects.now > .milliseconds(5) { self.focus.postpone(name, until: pause) }
            } else {
                self.focus.toldNothingNew(name, at: effects.now)
            }
        }
    }

    /// A question failed that is not the link's.
    mutating func questionFailed(
        _ request: ConsulRequestID,
        _ failure: ConsulFailure,
        _ effects: inout ConsulEffects
    ) {
        if request == self.names.request {
            self.names.failed(&effects)
            self.problems[.services] = failure
        } else if request == self.nodes.request {
            self.nodes.failed(&effects)
            self.problems[.nodes] = failure
        } else if request == self.critical.request {
            self.critical.failed(&effects)
            self.problems[.checks(.critical)] = failure
        } else if request == self.warning.request {
            self.warning.failed(&effects)
            self.problems[.checks(.warning)] = failure
        } else if request == self.glance {
            self.glance = nil
        } else if let reading = self.readings.removeValue(forKey: request) {
            self.services.readingEnded(reading.service)
            let failures = self.services.readingFailed(reading.service)
            // A start may wait for it.
            let longest = Duration.seconds(self.services.unread.contains(reading.service) ? 10 : 60)
            self.services.rest(reading.service, until: effects.now + effects.backOff(after: failures, to: longest))
            self.problems[.service(reading.service)] = failure
        } else if !self.unseenFailed(request, failure, &effects), !self.missingFailed(request, failure, &effects),
            !self.focus.failed(request, &effects),
            !self.multiplex.failed(request, &effects)
        {
            _ = self.search.failed(request, &effects)
        }
    }

    /// Starts readings, as many as may be under way.
    mutating func read(_ effects: inout ConsulEffects) {
        // What is listed is not kept waiting by thousands that are not, as after a start that knows of them.
        let share = self.services.isAnyQueued ? max(1, self.readers / 2) : self.readers
        self.missing.ask(room: min(share, self.freeReaders + self.missing.inFlight), in: self.name, &effects)
        self.unseen.ask(room: min(share, self.freeReaders + self.unseen.inFlight), in: self.name, &effects)
        while self.freeReaders > 0, effects.mayAsk,
            let name = self.services.takeNext(at: effects.now)
        {
            let marks = [self.names.index, self.nodes.index, self.critical.index, self.warning.index].map { $0 ?? 0 }
            let request = effects.send(ConsulQuery(.service(name), datacenter: self.name))
            self.readings[request] = Reading(
                service: name,
                index: self.services[name]?.index ?? 0,
                marks: marks,
                cleared: self.unseen.takeCleared(name, at: effects.now)
            )
        }
    }

    private mutating func readingAnswered(
        _ reading: Reading,
        _ found: ConsulServiceReading,
        _ answer: ConsulAnswer,
        _ effects: inout ConsulEffects
    ) {
        let name = reading.service
        guard let known = self.services[name] else { return }
        self.problems[.service(name)] = nil
        let catalog = self.catalogIndex
        let isTooHigh = answer.index > catalog && answer.index - catalog > ConsulDoubt.slack
        if isTooHigh, self.doubt.isRecent(at: effects.now), known.tooHigh != answer.index {
            // Of another Consul, or of one whose checks alone have changed for long: they raise the index of a service, and not
            // the catalog's. The second says so again.
            self.services.isTooHigh(name, answer.index, restUntil: effects.now + .milliseconds(250))
            if known.tooHigh != nil { self.indexFell(&effects) }
            return
        }
        if known.isRead, answer.index < known.index, known.index != reading.index {
            // An answer that was asked for later has overtaken it.
            return self.services.isDirty(name, needed: nil)
        }
        if known.isRead, answer.index < known.index {
            // It is the leader's word. But then more may have fallen than this.
            self.indexFell(&effects)
            self.isResetWanted = true
        }
        let unseen = known.unseen(in: found)
        if found.count == 0, !unseen.isEmpty { return self.hidesAll(unseen, of: name, &effects) }
        // What our own filter leaves out is not there. What Consul left out, or an older state, says nothing.
        if found.count == 0, !self.isFiltered || found.isFiltered || answer.index < known.index {
            // The list will say if it is gone. If it does not, the token may see names and no nodes.
            let (since, times) = self.services.wasEmpty(name, at: effects.now)
            // What the operator let go of is not waited for: it comes with the nodes, or with the list.
            let longest = known.isLetGo ? Self.auditInterval : .seconds(10)
            let pause = effects.backOff(after: times, to: longest)
            self.services.rest(name, until: effects.now + pause)
            // One that is listed no more is asked about elsewhere. And what the token may not read may be what an operator let go.
            if effects.now - since >= Self.patience, !self.missing.contains(name), !known.isLetGo {
                self.problems[.service(name)] = ConsulFailure(
                    reason: .acl,
                    message: "listed, and without an instance that can be read; "
                        + "grant the token service:read there and node:read on the nodes that have the instances"
                )
            }
            return
        }
        let kept = unseen.filter { !reading.cleared.contains($0.id) }
        _ = self.learn(name, found, keeping: kept, answer, &effects)
        let marks = [self.names.index, self.nodes.index, self.critical.index, self.warning.index].map { $0 ?? 0 }
        let isBetween = zip(reading.marks, marks).contains { $0 < answer.index && answer.index < $1 }
        if isBetween || known.needed > answer.index {
            self.services.isDirty(name, needed: nil)
        } else if found.awaitsCheck, !self.isWatched(name) {
            // A first check that is passing shows in none of the questions.
            let waits = self.services[name]?.checkWaits ?? 0
            self.services.rest(name, until: effects.now + effects.backOff(after: waits + 1, to: .seconds(60)))
        }
    }

    /// Returns when it may be read again.
    ///
    /// - Parameter kept: what the reading lacks and may be there.
    private mutating func learn(
        _ name: String,
        _ found: ConsulServiceReading,
        keeping kept: [Instance],
        _ answer: ConsulAnswer,
        _ effects: inout ConsulEffects
    ) -> Duration {
        let recency = self.services[name]?.recency ?? 0
        let cost = Duration.seconds(Double(answer.bytes) / Self.bytesPerSecond)
        let pause = cost < .milliseconds(1) ? effects.now : effects.now + cost * 3
        let isChanged = self.services.learn(
            name,
            found.keeping(kept),
            index: answer.index,
            isNews: self.hasSettled,
            notBefore: pause
        )
        let isOtherHidden = self.unseen.lacks(kept, of: name)
        if isChanged || isOtherHidden { self.isChanged(name) }
        if self.unseen.hidden[name] != nil { self.isPartlyHidden(name) }
        if self.problems[.service(name)] != nil { self.troubles.changed() }
        self.multiplex.learned(name, index: answer.index)
        let isNews = (self.services[name]?.recency ?? 0) > recency
        if isNews, !self.multiplex.isAtHome(name) { self.focus.touch(name) }
        self.search.explained(answer.index, at: effects.now)
        return pause
    }
}
