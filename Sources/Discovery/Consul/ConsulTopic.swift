// SPDX-License-Identifier: Apache-2.0

import Catalog

/// One question of `ConsulPolicy`, and what is known by its answers.
struct ConsulTopic: Sendable {
    struct Held: Sendable {
        var content: ConsulAnswer.Content
        /// The check of the link that must go well first.
        var check: Int
        var absence: ConsulAbsence
        var request: ConsulRequestID?
    }

    /// The longest until some of what is refused is asked for again: with the wait of a list, 10 s at most.
    private static let retryInterval = Duration.seconds(7)

    let subject: ConsulQuery.Subject
    var watch = ConsulWatch()
    /// Until it is answered, what stands in. So are the keys.
    var entries: [ConfigEntry] = []
    var keys: [String: ConsulKey] = [:]
    /// There are more, which cannot be read.
    var unreadable = ConsulUnreadableEntries()
    private(set) var isAnswered = false
    var problem: ConsulFailure?
    /// An answer that lacks what was there.
    var held: Held?
    /// How many of those were not believed, in a row.
    private(set) var doubts = 0
    /// What an operator said is gone if the token still may not read it.
    private(set) var accepted: Set<ConsulQuery.Subject> = []
    /// What the last answer lacks and the token may not read: it is kept only for that. What was asked for longest ago comes
    /// first.
    private(set) var hidden: [ConsulQuery.Subject] = []
    /// The first of them by name.
    private(set) var hiddenNames: [String] = []
    /// What was answered when such a thing was asked for; nil: none is refused.
    private(set) var refusal: ConsulFailure?
    /// Whether it was the prefix, so that not even an empty list says anything.
    private(set) var isPrefixRefused = false
    /// When some of it is asked for again, and how often in a row it was.
    private var retryNotBefore = Duration.zero
    private var retries = 0

    init(entriesOf kind: String, knowing known: [ConfigEntry]) {
        self.subject = .entries(kind: kind)
        self.entries = known.filter { $0.key.kind == kind }.sorted { $0.key < $1.key }
    }

    init(keysBelow prefix: String, knowing known: [String: ConsulKey]) {
        self.subject = .keys(prefix: prefix)
        self.keys = known.filter { $0.key.hasPrefix(prefix) }
    }

    /// How long a list may wait for a change: what is refused is asked for again after it.
    func wait(at now: Duration) -> Duration {
        guard !self.hidden.isEmpty else { return ConsulQuery.longWait }
        return .seconds(max(0, (self.retryNotBefore - now).components.seconds) + 1)
    }

    /// An answer is believed.
    ///
    /// - Parameter absence: what it lacks, as far as it is refused.
    mutating func believed(_ absence: ConsulAbsence, _ effects: inout ConsulEffects) {
        self.isAnswered = true
        (self.doubts, self.problem) = (0, nil)
        self.note(absence, &effects)
        // The rest is gone.
        self.accepted.formIntersection(self.hidden)
    }

    /// An answer that lacks something.
    mutating func absence(in content: ConsulAnswer.Content, at now: Duration) -> ConsulAbsence {
        let missing = self.missing(from: content)
        let prefix = self.prefixToAsk(content)
        let all = Set(missing + prefix)
        // What is back is another matter if it is missing again.
        self.accepted.formIntersection(all)
        let hidden = Set(self.hidden)
        return ConsulAbsence(
            each: prefix + missing.filter(self.accepted.contains),
            new: missing.filter { !hidden.contains($0) && !self.accepted.contains($0) && !prefix.contains($0) },
            refused: self.hidden.filter { all.contains($0) && !self.accepted.contains($0) },
            isToRetry: self.retryNotBefore <= now
        )
    }

    /// What is asked for is refused.
    mutating func isRefused(_ failure: ConsulFailure) {
        self.held?.request = nil
        guard let next = self.held?.absence.next else { return }
        if self.accepted.contains(next) {
            self.held?.absence.isLetGo()
        } else {
            self.held?.absence.isRefused(failure)
        }
    }

    mutating func accept(at now: Duration) {
        self.accepted = Set(self.hidden)
        // That it is refused says nothing of what is below it.
        if self.isPrefixRefused, let prefix = self.prefix { self.accepted.insert(prefix) }
        self.retryNotBefore = now
    }

    /// The answer that was held is not believed.
    ///
    /// - Parameter failure: nil: something that it lacks is there.
    mutating func doubted(_ failure: ConsulFailure?) {
        self.held = nil
        self.doubts += 1
        self.problem = failure
    }

    /// The same because the prefix may not be read, either. Returns false if it may.
    mutating func isDoubted(for absence: ConsulAbsence, _ effects: inout ConsulEffects) -> Bool {
        guard !self.isAnswered, let prefix = self.prefix, absence.refused.contains(prefix) else { return false }
        self.note(absence, &effects)
        self.doubted(absence.failure)
        return true
    }

    /// The answer that was held is none: another token may see more, or nothing is seen at all.
    mutating func dropped() {
        self.held = nil
        (self.retryNotBefore, self.retries) = (.zero, 0)
        // The word was about another token, or is said again.
        if !self.accepted.isEmpty {
            (self.accepted, self.hidden, self.hiddenNames) = ([], [], [])
            (self.refusal, self.isPrefixRefused) = (nil, false)
        }
    }

    func knows(_ subject: ConsulQuery.Subject) -> Bool {
        switch subject {
        case .entry(let key): self.entries.contains { $0.key == key }
        case .key(let key): self.keys[key] != nil
        default: false
        }
    }

    private var prefix: ConsulQuery.Subject? {
        if case .keys(let prefix) = self.subject { .key(prefix) } else { nil }
    }

    /// If there are no keys at first: whoever has no store does not know what was there before the start.
    private func prefixToAsk(_ content: ConsulAnswer.Content) -> [ConsulQuery.Subject] {
        guard case .keys(let keys) = content, keys.isEmpty, !self.isAnswered else { return [] }
        return [self.prefix].compactMap(\.self)
    }

    /// What is in force and not in this answer.
    private func missing(from content: ConsulAnswer.Content) -> [ConsulQuery.Subject] {
        switch content {
        case .entries(let entries, let unreadable):
            let listed = Set(entries.map(\.key))
            return self.entries.map(\.key).filter { !listed.contains($0) && !unreadable.mayBe($0.name) }
                .map { .entry($0) }
        case .keys(let listed): return self.keys.keys.filter { listed[$0] == nil }.sorted().map { .key($0) }
        case .servers, .server, .services, .nodes, .checks, .passing, .service, .probes, .capacity, .indexes, .presence,
            .agent:
            return []
        }
    }

    private mutating func note(_ absence: ConsulAbsence, _ effects: inout ConsulEffects) {
        let refused = absence.refused
        let count = self.hidden.count
        self.hidden = refused.filter { $0 != self.prefix || self.knows($0) }
        self.isPrefixRefused = !self.isAnswered && self.prefix.map(refused.contains) ?? false
        if refused.isEmpty { (self.refusal, self.retryNotBefore, self.retries) = (nil, .zero, 0) }
        if absence.failure != nil || self.hidden.count != count {
            self.hiddenNames = .first(of: self.hidden.lazy.compactMap(\.nameOfPolicy))
        }
        guard let failure = absence.failure else { return }
        self.refusal = failure
        guard absence.isToRetry else { return }
        self.retries += 1
        self.retryNotBefore =
            effects.now + effects.backOff(after: self.retries, from: .seconds(1), to: Self.retryInterval)
    }
}

extension ConsulQuery.Subject {
    /// Of a config entry or a key.
    fileprivate var nameOfPolicy: String? {
        switch self {
        case .entry(let key): key.name
        case .key(let key): key
        default: nil
        }
    }
}
