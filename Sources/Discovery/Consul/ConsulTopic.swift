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

    var subject: ConsulQuery.Subject
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

    /// Whether something is kept only because the token may not read it.
    var isRefused: Bool { self.doubts > 0 && self.problem?.fault == .rights }

    mutating func believed() {
        self.isAnswered = true
        self.doubts = 0
        self.problem = nil
        self.isAccepted = false
    }

    /// The answer that was held is none.
    mutating func dropped() {
        self.held = nil
        (self.isAccepted, self.isLetGo) = (false, false)
    }

    /// What was there and is not in this answer. Of the keys, if there is none at first: the prefix, since what was there
    /// before a restart is not known here.
    func missing(from content: ConsulAnswer.Content) -> [ConsulQuery.Subject] {
        switch content {
        case .entries(let entries, let unreadable):
            let keys = Set(entries.map(\.key))
            return self.entries.map(\.key).filter { !keys.contains($0) && !unreadable.mayBe($0.name) }
                .map { .entry($0) }
        case .keys(let keys):
            if keys.isEmpty, !self.isAnswered, case .keys(let prefix) = self.subject { return [.key(prefix)] }
            return self.keys.keys.filter { keys[$0] == nil }.map { .key($0) }
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .capacity, .indexes, .presence,
            .agent:
            return []
        }
    }

    func knows(_ subject: ConsulQuery.Subject) -> Bool {
        switch subject {
        case .key(let key): self.keys[key] != nil
        case .entry(let key): self.entries.contains { $0.key == key }
        default: false
        }
    }
}
