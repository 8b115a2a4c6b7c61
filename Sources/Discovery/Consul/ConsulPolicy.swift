// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Follows what Consul keeps besides its catalog: config entries, and documents in its key-value store.
///
/// Nothing in these answers tells whether the token still sees everything: they leave out what it may not read. So what
/// is gone from one is believed when the link to the server was found good after it, and when each thing that is missing
/// was asked for by its own name: that is refused if it may not be read. What is refused stays as it was, and the rest of
/// the answer counts.
struct ConsulPolicy: Sendable {
    /// Those that mean something to services outside the mesh.
    static let kinds = [
        "proxy-defaults", "service-defaults", "service-resolver", "service-router", "service-splitter",
    ]

    private var topics: [ConsulTopic]
    private var areDocumentsDelivered = false
    private var areEntriesDelivered = false
    private var isEntryChanged = false
    private var fileChanges: [FileChange] = []
    /// What went by the operator's word and was not told yet: entries, and the files of keys.
    private var acceptedEntries: Set<ConfigEntry.Key> = []
    private var acceptedFiles: Set<String> = []

    /// - Parameter known: what stands in until it is heard.
    init(followsConfigEntries: Bool, keyPrefix: String?, knowing known: KnownWord) {
        let kinds = followsConfigEntries ? Self.kinds : []
        self.topics = kinds.map { ConsulTopic(entriesOf: $0, knowing: known.configEntries) }
        if let keyPrefix {
            let keys = known.documents.compactMap { file, bytes in
                ConsulKey.name(ofFile: file).map { ($0, ConsulKey(index: 0, value: bytes)) }
            }
            self.topics.append(
                ConsulTopic(keysBelow: keyPrefix, knowing: Dictionary(keys, uniquingKeysWith: { first, _ in first }))
            )
        }
    }

    /// What is asked for and cannot be had.
    struct Problem {
        var subject: ConsulQuery.Subject
        var failure: ConsulFailure
        /// Whether it was told before.
        var isHeard: Bool
        /// Whether the token may not read all of it, and an operator can say that the rest is gone.
        var isRefused: Bool
        /// If it is no more than that: the first of the names, and how many there are.
        var hidden: (first: [String], count: Int)?
    }

    var problems: [Problem] {
        self.topics.compactMap { topic in
            let isTroubled = topic.doubts > 0 || topic.watch.failures >= ConsulHealth.failures
            let problem = isTroubled ? topic.problem : nil
            guard let failure = problem ?? topic.refusal else { return nil }
            let isHeard = if case .keys = topic.subject { self.areDocumentsDelivered } else { self.areEntriesDelivered }
            return Problem(
                subject: topic.subject,
                failure: failure,
                isHeard: isHeard,
                isRefused: topic.refusal != nil,
                hidden: problem == nil && !topic.hidden.isEmpty ? (topic.hiddenNames, topic.hidden.count) : nil
            )
        }
    }

    /// Config entries that are there and cannot be read, by kind.
    var unreadable: [(kind: String, ConsulUnreadableEntries)] {
        self.topics.compactMap { topic in
            guard case .entries(let kind) = topic.subject, topic.unreadable.count > 0 else { return nil }
            return (kind, topic.unreadable)
        }
    }

    /// What is kept only because the token may not read it any more, by the subjects of diagnostics.
    private(set) var hidden: Set<String> = []

    private mutating func noteHidden() {
        var hidden: Set<String> = []
        for subject in self.topics.lazy.flatMap(\.hidden) {
            switch subject {
            case .key(let key): hidden.insert("key/\(key)")
            case .entry(let key): hidden.insert("config-entry/\(key)")
            default: break
            }
        }
        // Whoever compares it is done soon if it is the same one.
        if hidden != self.hidden { self.hidden = hidden }
    }

    var inFlight: Int { self.topics.count { $0.watch.request != nil || $0.held?.request != nil } }

    mutating func answered(
        _ request: ConsulRequestID,
        _ answer: ConsulAnswer,
        _ link: inout ConsulLink,
        _ effects: inout ConsulEffects
    ) {
        if let place = self.topics.firstIndex(where: { $0.held?.request == request }) {
            self.topics[place].held?.request = nil
            if case .presence(true) = answer.content, let asked = self.topics[place].held?.absence.next,
                self.topics[place].knows(asked)
            {
                // It is there: then the list is an old one, or it has just been made again.
                return self.doubt(place, nil, &effects)
            }
            self.topics[place].held?.absence.isGone()
            return
        }
        guard let place = self.topics.firstIndex(where: { $0.watch.request == request }) else { return }
        if self.topics[place].doubts == 0 { self.topics[place].problem = nil }
        switch self.topics[place].watch.answered(answer, at: effects.now) {
        case .regressed: effects.count(.indexRegression)
        case .believed, .reset:
            let absence = self.topics[place].absence(in: answer.content, at: effects.now)
            if absence.next == nil {
                self.learn(answer.content, absence, at: place, &effects)
            } else {
                let check = link.checkNow(at: effects.now)
                self.topics[place].held = .init(content: answer.content, check: check, absence: absence)
            }
        }
    }

    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, _ effects: inout ConsulEffects) {
        if let place = self.topics.firstIndex(where: { $0.held?.request == request }) {
            // Whether it may be read, no other failure tells.
            guard failure.fault == .rights else { return self.doubt(place, failure, &effects) }
            return self.topics[place].isRefused(failure)
        }
        guard let place = self.topics.firstIndex(where: { $0.watch.request == request }) else { return }
        self.topics[place].watch.failed(&effects, longest: ConsulWatch.longBackOff)
        self.topics[place].problem = failure
    }

    /// The operator says that what was told to be hidden is gone.
    mutating func accept(_ effects: inout ConsulEffects) {
        for place in self.topics.indices where self.topics[place].refusal != nil {
            self.topics[place].accept(at: effects.now)
            // They are asked for once more when there is a list.
            self.topics[place].watch.forget(&effects)
        }
    }

    private mutating func doubt(_ place: Int, _ failure: ConsulFailure?, _ effects: inout ConsulEffects) {
        self.topics[place].doubted(failure)
        self.topics[place].watch.doubted(times: self.topics[place].doubts, &effects)
    }

    /// Asks what is to be asked, and decides about what was held.
    mutating func proceed(_ link: ConsulLink, in datacenter: String?, _ effects: inout ConsulEffects) {
        for place in self.topics.indices {
            if let held = self.topics[place].held {
                if link.state == .blind {
                    self.drop(place, &effects)
                } else if link.isUp, link.passed >= held.check, held.request == nil {
                    if let subject = held.absence.next {
                        guard effects.mayAsk else { continue }
                        let query = ConsulQuery(subject, datacenter: datacenter)
                        self.topics[place].held?.request = effects.send(query)
                    } else {
                        self.topics[place].held = nil
                        self.learn(held.content, held.absence, at: place, &effects)
                    }
                }
            }
            guard link.isUp, self.topics[place].held == nil else { continue }
            let wait = self.topics[place].wait(at: effects.now)
            self.topics[place].watch.ask(self.topics[place].subject, in: datacenter, wait: wait, &effects)
        }
    }

    func deadline(_ link: ConsulLink) -> Duration? {
        guard link.isUp else { return nil }
        return self.topics.compactMap { topic in
            guard let held = topic.held else { return topic.watch.due }
            return held.request == nil && link.passed >= held.check ? .zero : nil
        }.min()
    }

    mutating func retry(at now: Duration) {
        for place in self.topics.indices { self.topics[place].watch.retry(at: now) }
    }

    mutating func renew(_ effects: inout ConsulEffects) {
        for place in self.topics.indices {
            self.topics[place].watch.renew(&effects)
            if let request = self.topics[place].held?.request, effects.cancel(request) {
                self.topics[place].held?.request = nil
            }
        }
    }

    mutating func reset(_ effects: inout ConsulEffects) {
        for place in self.topics.indices { self.drop(place, &effects) }
    }

    private mutating func drop(_ place: Int, _ effects: inout ConsulEffects) {
        if let request = self.topics[place].held?.request { _ = effects.cancel(request) }
        self.topics[place].dropped()
        self.noteHidden()
        self.topics[place].watch.forget(&effects)
    }

    /// What is news since it was last asked for: all entries, once each kind was answered; the keys that changed.
    mutating func takeEvents() -> [SourceEvent] {
        var events: [SourceEvent] = []
        let kinds = self.topics.filter { if case .entries = $0.subject { true } else { false } }
        if !kinds.isEmpty, kinds.allSatisfy(\.isAnswered), self.isEntryChanged || !self.areEntriesDelivered {
            self.areEntriesDelivered = true
            self.isEntryChanged = false
            events.append(.configEntries(kinds.flatMap(\.entries), accepted: self.acceptedEntries))
            self.acceptedEntries = []
        }
        let keys = self.topics.first { if case .keys = $0.subject { true } else { false } }
        // Also that there are none: who waits for them waits no longer.
        if !self.fileChanges.isEmpty || keys?.isAnswered == true && !self.areDocumentsDelivered {
            self.areDocumentsDelivered = true
            events.append(.documents(self.fileChanges, accepted: self.acceptedFiles))
            (self.fileChanges, self.acceptedFiles) = ([], [])
        }
        return events
    }

    /// - Parameter absence: what is not in it, as far as it stays.
    private mutating func learn(
        _ content: ConsulAnswer.Content,
        _ absence: ConsulAbsence,
        at place: Int,
        _ effects: inout ConsulEffects
    ) {
        if self.topics[place].isDoubted(for: absence, &effects) {
            self.noteHidden()
            return self.topics[place].watch.doubted(times: self.topics[place].doubts, &effects)
        }
        let topic = self.topics[place]
        let refused = Set(absence.refused)
        self.noteAccepted(topic.accepted.intersection(absence.gone))
        switch content {
        case .entries(let entries, let unreadable):
            let named = Set(entries.map(\.key))
            // What cannot be read is there, and what it was before stays.
            let kept = topic.entries.filter { entry in
                guard !named.contains(entry.key) else { return false }
                return unreadable.mayBe(entry.key.name) || refused.contains(.entry(entry.key))
            }
            let sorted = (entries + kept).sorted { $0.key < $1.key }
            self.topics[place].unreadable = unreadable
            if sorted != topic.entries { self.isEntryChanged = true }
            self.topics[place].entries = sorted
        case .keys(let listed):
            let known = topic.keys
            var keys = listed
            for case .key(let path) in refused where keys[path] == nil { keys[path] = known[path] }
            // The first are all that there are.
            for (path, key) in keys.sorted(by: { $0.key < $1.key })
            where !topic.isAnswered || known[path]?.value != key.value {
                self.fileChanges.append(FileChange(path: ConsulKey.file(path), content: .bytes(key.value)))
            }
            for path in known.keys.sorted() where topic.isAnswered && keys[path] == nil {
                self.fileChanges.append(FileChange(path: ConsulKey.file(path), content: .removed))
            }
            self.topics[place].keys = keys
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .capacity, .indexes, .presence,
            .agent:
            return
        }
        self.topics[place].believed(absence, &effects)
        if absence.failure != nil || self.topics[place].hidden.count != topic.hidden.count { self.noteHidden() }
    }

    /// - Parameter subjects: what goes by the operator's word.
    private mutating func noteAccepted(_ subjects: Set<ConsulQuery.Subject>) {
        for subject in subjects {
            switch subject {
            case .entry(let key): self.acceptedEntries.insert(key)
            case .key(let key): self.acceptedFiles.insert(ConsulKey.file(key))
            default: break
            }
        }
    }
}
