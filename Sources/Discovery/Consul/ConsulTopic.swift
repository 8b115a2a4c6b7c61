// SPDX-License-Identifier: Apache-2.0

import Catalog

/// One question of `ConsulPolicy`, and what is known by its answers.
struct ConsulTopic: Sendable {
    struct Held: Sendable {
        var content: ConsulAnswer.Content
        /// The check of the link that must go well first.
        var check: Int
        /// What is missing and was not asked for yet.
        var missing: [ConsulQuery.Subject]
        var request: ConsulRequestID?
    }

    let subject: ConsulQuery.Subject
    var watch = ConsulWatch()
    /// Until it is answered, what stands in.
    var entries: [ConfigEntry] = []
    /// The keys of documents that stand in until it is answered.
    private var knownKeys: [String] = []
    /// There are more, which cannot be read.
    var unreadable = ConsulUnreadableEntries()
    var keys: [String: ConsulKey] = [:]
    var isAnswered = false
    var problem: ConsulFailure?
    /// An answer that lacks what was there.
    var held: Held?
    /// How many of those were not believed, in a row.
    var doubts = 0
    /// What an operator said is gone if the token still may not read it.
    private(set) var accepted: Set<ConsulQuery.Subject> = []
    /// Whether something went for that since the last word.
    var isLetGo = false
    /// What the last answer that was not believed lacks, if the token may not read some of it: it is kept only for that.
    private(set) var hidden: [ConsulQuery.Subject] = []
    /// Whether that was the reason.
    private(set) var isRefused = false

    init(entriesOf kind: String, knowing known: [ConfigEntry]) {
        self.subject = .entries(kind: kind)
        self.entries = known.filter { $0.key.kind == kind }.sorted { $0.key < $1.key }
    }

    init(keysBelow prefix: String, knowing known: Set<String>) {
        self.subject = .keys(prefix: prefix)
        self.knownKeys = known.filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// Whether there is something to tell of it: an answer, or what stands in for one that is not believed.
    var canBeTold: Bool { self.isAnswered || self.isRefused && !self.entries.isEmpty }

    mutating func believed() {
        self.isAnswered = true
        (self.hidden, self.isRefused, self.accepted) = ([], false, [])
        self.doubts = 0
        self.problem = nil
    }

    /// An answer that lacks something.
    mutating func hold(_ held: Held) {
        self.held = held
        // What is back is another matter if it is missing again.
        self.accepted.formIntersection(held.missing)
    }

    mutating func accept() {
        self.accepted = Set(self.hidden)
        // That it is refused says nothing of what is below it.
        if case .keys(let prefix) = self.subject { self.accepted.insert(.key(prefix)) }
    }

    /// The answer that was held is not believed.
    ///
    /// - Parameter failure: nil: something that it lacks is there.
    mutating func doubted(_ failure: ConsulFailure?) {
        // Whether it may be read, no other failure tells.
        if failure == nil || failure?.fault == .rights {
            self.isRefused = failure != nil
            self.hidden = self.isRefused ? self.told(lackingIn: self.held) : []
        }
        (self.held, self.isLetGo) = (nil, false)
        self.doubts += 1
        self.problem = failure
    }

    /// Not the prefix, which only tells whether an empty list may be believed.
    private func told(lackingIn held: Held?) -> [ConsulQuery.Subject] {
        guard let held else { return [] }
        let told = Set(self.told)
        return self.missing(from: held.content).filter(told.contains)
    }

    /// The answer that was held is none: another token may see more, or nothing is seen at all.
    mutating func dropped() {
        (self.held, self.isLetGo) = (nil, false)
        // The word was about another token, or is said again.
        if !self.accepted.isEmpty { (self.accepted, self.hidden, self.isRefused) = ([], [], false) }
    }

    /// What was there and is not in this answer. Of the keys, if there is none at first: also the prefix, as whoever has no
    /// store does not know what was there before the start.
    func missing(from content: ConsulAnswer.Content) -> [ConsulQuery.Subject] {
        switch content {
        case .entries(let entries, let unreadable):
            let keys = Set(entries.map(\.key))
            return self.told.filter { subject in
                if case .entry(let key) = subject { !keys.contains(key) && !unreadable.mayBe(key.name) } else { false }
            }
        case .keys(let keys):
            let missing = self.told.filter { if case .key(let key) = $0 { keys[key] == nil } else { false } }
            guard keys.isEmpty, !self.isAnswered, case .keys(let prefix) = self.subject else { return missing }
            return missing + [.key(prefix)]
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .capacity, .indexes, .presence,
            .agent:
            return []
        }
    }

    func knows(_ subject: ConsulQuery.Subject) -> Bool { self.told.contains(subject) }

    /// What is in force of it.
    private var told: [ConsulQuery.Subject] {
        let keys = self.isAnswered ? Array(self.keys.keys) : self.knownKeys
        return self.entries.map { .entry($0.key) } + keys.map { .key($0) }
    }
}
