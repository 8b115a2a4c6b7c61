// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Follows what Consul keeps besides its catalog: config entries, and documents in its key-value store.
///
/// Nothing in these answers tells whether the token still sees anything. So what is gone from one is believed when the
/// link to the server was found good after it.
struct ConsulPolicy: Sendable {
    /// Those that mean something to services outside the mesh.
    static let kinds = [
        "proxy-defaults", "service-defaults", "service-resolver", "service-router", "service-splitter",
    ]

    private struct Topic: Sendable {
        var subject: ConsulQuery.Subject
        var watch = ConsulWatch()
        var entries: [ConfigEntry] = []
        var keys: [String: ConsulKey] = [:]
        var isAnswered = false
        var problem: ConsulFailure?
        /// An answer that lacks what was there, and the check of the link that must go well first.
        var held: (content: ConsulAnswer.Content, check: Int)?
    }

    private var topics: [Topic]
    private var areDocumentsDelivered = false
    private var areEntriesDelivered = false
    private var isEntryChanged = false
    private var fileChanges: [FileChange] = []

    init(followsConfigEntries: Bool, keyPrefix: String?) {
        let kinds = followsConfigEntries ? Self.kinds : []
        self.topics = kinds.map { Topic(subject: .entries(kind: $0)) }
        if let keyPrefix { self.topics.append(Topic(subject: .keys(prefix: keyPrefix))) }
    }

    /// What is asked for and cannot be had, with the reason.
    var problems: [(subject: ConsulQuery.Subject, failure: ConsulFailure)] {
        self.topics.compactMap { topic in
            guard let problem = topic.problem, topic.watch.failures >= ConsulHealth.failures else { return nil }
            return (topic.subject, problem)
        }
    }

    var inFlight: Int { self.topics.count { $0.watch.request != nil } }

    mutating func answered(
        _ request: ConsulRequestID,
        _ answer: ConsulAnswer,
        _ link: inout ConsulLink,
        _ effects: inout ConsulEffects
    ) {
        guard let place = self.topics.firstIndex(where: { $0.watch.request == request }) else { return }
        self.topics[place].problem = nil
        switch self.topics[place].watch.answered(answer, at: effects.now) {
        case .regressed: effects.count(.indexRegression)
        case .believed, .reset:
            if Self.lacksSomething(answer.content, of: self.topics[place]) {
                self.topics[place].held = (answer.content, link.checkNow(at: effects.now))
            } else {
                self.learn(answer.content, at: place)
            }
        }
    }

    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, _ effects: inout ConsulEffects) {
        guard let place = self.topics.firstIndex(where: { $0.watch.request == request }) else { return }
        self.topics[place].watch.failed(&effects, longest: ConsulWatch.longBackOff)
        self.topics[place].problem = failure
    }

    /// Asks what is to be asked, and decides about what was held.
    mutating func proceed(_ link: ConsulLink, in datacenter: String?, _ effects: inout ConsulEffects) {
        for place in self.topics.indices {
            if let held = self.topics[place].held {
                if link.isUp, link.passed >= held.check {
                    self.topics[place].held = nil
                    self.learn(held.content, at: place)
                } else if link.state == .blind {
                    self.topics[place].held = nil
                    self.topics[place].watch.forget(&effects)
                }
            }
            guard link.isUp, self.topics[place].held == nil else { continue }
            self.topics[place].watch.ask(self.topics[place].subject, in: datacenter, &effects)
        }
    }

    func deadline(_ link: ConsulLink) -> Duration? {
        guard link.isUp else { return nil }
        return self.topics.compactMap { $0.held == nil ? $0.watch.due : nil }.min()
    }

    mutating func retry(at now: Duration) {
        for place in self.topics.indices { self.topics[place].watch.retry(at: now) }
    }

    mutating func renew(_ effects: inout ConsulEffects) {
        for place in self.topics.indices { self.topics[place].watch.renew(&effects) }
    }

    mutating func reset(_ effects: inout ConsulEffects) {
        for place in self.topics.indices {
            self.topics[place].held = nil
            self.topics[place].watch.forget(&effects)
        }
    }

    /// What is news since it was last asked for: all entries, once each kind was answered; the keys that changed.
    mutating func takeEvents() -> [SourceEvent] {
        var events: [SourceEvent] = []
        let kinds = self.topics.filter { if case .entries = $0.subject { true } else { false } }
        if !kinds.isEmpty, kinds.allSatisfy(\.isAnswered), self.isEntryChanged || !self.areEntriesDelivered {
            self.areEntriesDelivered = true
            self.isEntryChanged = false
            events.append(.configEntries(kinds.flatMap(\.entries)))
        }
        let keys = self.topics.first { if case .keys = $0.subject { true } else { false } }
        // Also that there are none: who waits for them waits no longer.
        if !self.fileChanges.isEmpty || keys?.isAnswered == true && !self.areDocumentsDelivered {
            self.areDocumentsDelivered = true
            events.append(.documents(self.fileChanges))
            self.fileChanges = []
        }
        return events
    }

    private mutating func learn(_ content: ConsulAnswer.Content, at place: Int) {
        switch content {
        case .entries(let entries):
            let sorted = entries.sorted { $0.key < $1.key }
            if sorted != self.topics[place].entries { self.isEntryChanged = true }
            self.topics[place].entries = sorted
        case .keys(let keys):
            let known = self.topics[place].keys
            for (path, key) in keys.sorted(by: { $0.key < $1.key }) where known[path]?.value != key.value {
                self.fileChanges.append(FileChange(path: "consul:kv/\(path)", content: .bytes(key.value)))
            }
            for path in known.keys.sorted() where keys[path] == nil {
                self.fileChanges.append(FileChange(path: "consul:kv/\(path)", content: .removed))
            }
            self.topics[place].keys = keys
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .agent:
            return
        }
        self.topics[place].isAnswered = true
    }

    private static func lacksSomething(_ content: ConsulAnswer.Content, of topic: Topic) -> Bool {
        switch content {
        case .entries(let entries):
            let keys = Set(entries.map(\.key))
            return topic.entries.contains { !keys.contains($0.key) }
        case .keys(let keys):
            return topic.keys.keys.contains { keys[$0] == nil }
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .agent:
            return false
        }
    }
}
