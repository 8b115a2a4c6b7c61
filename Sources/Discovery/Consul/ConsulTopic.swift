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
    /// What stands in until it is answered.
    let known: [ConsulQuery.Subject]
    var watch = ConsulWatch()
    var entries: [ConfigEntry] = []
    /// There are more, which cannot be read.
    var unreadable = ConsulUnreadableEntries()
    var keys: [String: ConsulKey] = [:]
    var isAnswered = false
    var problem: ConsulFailure?
    /// An answer that lacks what was there.
    var held: Held?
    /// How many of those were not believed, in a row.
    var doubts = 0
    /// Whether an operator said that what the token may not read is gone: of the answer that comes next.
    var isAccepted = false
    /// Whether something went for that since the last word.
    var isLetGo = false
    /// What the last answer that was not believed lacks.
    private var lacking: [ConsulQuery.Subject] = []

    init(_ subject: ConsulQuery.Subject, knowing known: [ConsulQuery.Subject]) {
        self.subject = subject
        self.known = known
    }

    /// Whether something is kept only because the token may not read it.
    var isRefused: Bool { self.doubts > 0 && self.problem?.fault == .rights }

    /// What is kept only for that, and perhaps is gone.
    var hidden: [ConsulQuery.Subject] { self.isRefused ? self.lacking : [] }

    mutating func believed() {
        self.isAnswered = true
        self.lacking = []
        self.doubts = 0
        self.problem = nil
        self.isAccepted = false
    }

    /// The answer that was held is not believed.
    ///
    /// - Parameter failure: nil: something that it lacks is there.
    mutating func doubted(_ failure: ConsulFailure?) {
        // Not the prefix, which only tells whether an empty list may be believed.
        if let held = self.held {
            let told = Set(self.told)
            self.lacking = self.missing(from: held.content).filter(told.contains)
        }
        self.dropped()
        self.doubts += 1
        self.problem = failure
    }

    /// The answer that was held is none.
    mutating func dropped() {
        self.held = nil
        (self.isAccepted, self.isLetGo) = (false, false)
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
        guard self.isAnswered else { return self.known }
        return self.entries.map { .entry($0.key) } + self.keys.keys.map { .key($0) }
    }
}
