// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Follows what Consul keeps besides its catalog: config entries, and documents in its key-value store.
///
/// Nothing in these answers tells whether the token still sees everything: they leave out what it may not read. So what
/// is gone from one is believed when the link to the server was found good after it, and when each thing that is missing
/// was asked for by its own name: that is refused if it may not be read.
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

    /// - Parameter known: what stands in until it is heard.
    init(followsConfigEntries: Bool, keyPrefix: String?, knowing known: KnownWord) {
        let kinds = followsConfigEntries ? Self.kinds : []
        self.topics = kinds.map { ConsulTopic(entriesOf: $0, knowing: known.configEntries) }
        if let keyPrefix {
            let keys = Set(known.documents.compactMap(ConsulKey.name(ofFile:)))
            self.topics.append(ConsulTopic(keysBelow: keyPrefix, knowing: keys))
        }
    }

    /// What is asked for and cannot be had, with the reason, and whether it was told before.
    var problems: [(subject: ConsulQuery.Subject, failure: ConsulFailure, isHeard: Bool, isRefused: Bool)] {
        self.topics.compactMap { topic in
            guard let problem = topic.problem else { return nil }
            guard topic.doubts > 0 || topic.watch.failures >= ConsulHealth.failures else { return nil }
            let isHeard = if case .keys = topic.subject { self.areDocumentsDelivered } else { self.areEntriesDelivered }
            return (topic.subject, problem, isHeard, topic.isRefused)
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
        self.hidden = []
        for subject in self.topics.lazy.flatMap(\.hidden) {
            switch subject {
            case .key(let key): self.hidden.insert("key/\(key)")
            case .entry(let key): self.hidden.insert("config-entry/\(key)")
            default: break
            }
        }
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
            let asked = self.topics[place].held?.missing.popLast()
            guard case .presence(true) = answer.content, let asked, self.topics[place].knows(asked) else { return }
            // It is there: then the list is an old one, or it has just been made again.
            return self.doubt(place, nil, &effects)
        }
        guard let place = self.topics.firstIndex(where: { $0.watch.request == request }) else { return }
        if self.topics[place].doubts == 0 { self.topics[place].problem = nil }
        switch self.topics[place].watch.answered(answer, at: effects.now) {
        case .regressed: effects.count(.indexRegression)
        case .believed, .reset:
            let missing = self.topics[place].missing(from: answer.content)
            if missing.isEmpty {
                self.learn(answer.content, at: place)
            } else {
                let check = link.checkNow(at: effects.now)
                self.topics[place].hold(.init(content: answer.content, check: check, missing: missing))
            }
        }
    }

    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, _ effects: inout ConsulEffects) {
        if let place = self.topics.firstIndex(where: { $0.held?.request == request }) {
            let asked = self.topics[place].held?.missing.last
            guard failure.fault == .rights, asked.map(self.topics[place].accepted.contains) == true else {
                return self.doubt(place, failure, &effects)
            }
            self.topics[place].held?.request = nil
            self.topics[place].isLetGo = true
            _ = self.topics[place].held?.missing.popLast()
            return
        }
        guard let place = self.topics.firstIndex(where: { $0.watch.request == request }) else { return }
        self.topics[place].watch.failed(&effects, longest: ConsulWatch.longBackOff)
        self.topics[place].problem = failure
    }

    /// The operator says that what was told to be hidden is gone.
    mutating func accept(at now: Duration) {
        for place in self.topics.indices where self.topics[place].isRefused {
            self.topics[place].accept()
            self.topics[place].watch.hurry(at: now)
        }
    }

    private mutating func doubt(_ place: Int, _ failure: ConsulFailure?, _ effects: inout ConsulEffects) {
        self.topics[place].doubted(failure)
        self.noteHidden()
        self.topics[place].watch.doubted(times: self.topics[place].doubts, &effects)
    }

    /// Asks what is to be asked, and decides about what was held.
    mutating func proceed(_ link: ConsulLink, in datacenter: String?, _ effects: inout ConsulEffects) {
        for place in self.topics.indices {
            if let held = self.topics[place].held {
                if link.state == .blind {
                    self.drop(place, &effects)
                } else if link.isUp, link.passed >= held.check, held.request == nil {
                    if let subject = held.missing.last {
                        guard effects.mayAsk else { continue }
                        let query = ConsulQuery(subject, datacenter: datacenter)
                        self.topics[place].held?.request = effects.send(query)
                    } else {
                        self.topics[place].held = nil
                        self.learn(held.content, at: place)
                    }
                }
            }
            guard link.isUp, self.topics[place].held == nil else { continue }
            self.topics[place].watch.ask(self.topics[place].subject, in: datacenter, &effects)
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
        if !kinds.isEmpty, kinds.allSatisfy(\.canBeTold), self.isEntryChanged || !self.areEntriesDelivered {
            self.areEntriesDelivered = true
            self.isEntryChanged = false
            let isAccepted = self.takeLetGo { if case .entries = $0 { true } else { false } }
            events.append(.configEntries(kinds.flatMap(\.entries), isAccepted: isAccepted))
        }
        let keys = self.topics.first { if case .keys = $0.subject { true } else { false } }
        // Also that there are none: who waits for them waits no longer.
        if !self.fileChanges.isEmpty || keys?.isAnswered == true && !self.areDocumentsDelivered {
            self.areDocumentsDelivered = true
            let isAccepted = self.takeLetGo { if case .keys = $0 { true } else { false } }
            events.append(.documents(self.fileChanges, isAccepted: isAccepted))
            self.fileChanges = []
        }
        return events
    }

    private mutating func takeLetGo(_ isOfPart: (ConsulQuery.Subject) -> Bool) -> Bool {
        var isAny = false
        for place in self.topics.indices where self.topics[place].held == nil && isOfPart(self.topics[place].subject) {
            isAny = isAny || self.topics[place].isLetGo
            self.topics[place].isLetGo = false
        }
        return isAny
    }

    private mutating func learn(_ content: ConsulAnswer.Content, at place: Int) {
        switch content {
        case .entries(let entries, let unreadable):
            let named = Set(entries.map(\.key))
            // What cannot be read is there, and what it was before stays.
            let kept = self.topics[place].entries.filter { !named.contains($0.key) && unreadable.mayBe($0.key.name) }
            let sorted = (entries + kept).sorted { $0.key < $1.key }
            self.topics[place].unreadable = unreadable
            if sorted != self.topics[place].entries { self.isEntryChanged = true }
            self.topics[place].entries = sorted
        case .keys(let keys):
            let known = self.topics[place].keys
            for (path, key) in keys.sorted(by: { $0.key < $1.key }) where known[path]?.value != key.value {
                self.fileChanges.append(FileChange(path: ConsulKey.file(path), content: .bytes(key.value)))
            }
            for path in known.keys.sorted() where keys[path] == nil {
                self.fileChanges.append(FileChange(path: ConsulKey.file(path), content: .removed))
            }
            self.topics[place].keys = keys
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .capacity, .indexes, .presence,
            .agent:
            return
        }
        self.topics[place].believed()
        if !self.hidden.isEmpty { self.noteHidden() }
    }
}
