// SPDX-License-Identifier: Apache-2.0

import Catalog
import DequeModule

/// Services that are known and listed no more. Consul leaves out what a token may not read without a word, and a question
/// that waits keeps the rights that it began with. So each is asked for by its own name: first whether the token may read
/// it, then whether it is there.
///
/// One that may not be read, or is there, waits for a list that was asked for after that.
struct ConsulMissing: Sendable {
    /// How many are asked for again with each list: as long as none of them may be read, the others may not, either.
    private static let tries = 8
    /// The longest between two lists.
    private static let interval = Duration.seconds(10)

    enum Step: Hashable, Sendable {
        /// Whoever may read the service may read the config entries of its name, and is told that there is none.
        case right
        case presence
    }

    private struct Question: Sendable {
        var name: String
        var step: Step

        var subject: ConsulQuery.Subject {
            switch self.step {
            case .right: .entry(ConfigEntry.Key(kind: "service-defaults", name: self.name))
            case .presence: .instances(self.name)
            }
        }
    }

    private var waiting = Deque<Question>()
    private var asked: [ConsulRequestID: Question] = [:]
    /// All of them.
    private var names: Set<String> = []
    /// Those that wait for a new list.
    private var postponed: [String] = []
    /// When to ask for it.
    private(set) var due: Duration?
    /// How often it was asked for in a row.
    private var rounds = 0
    /// Those that the token may not read.
    private(set) var refused: Set<String> = []
    /// Those of which nothing was answered yet.
    private(set) var undecided: Set<String> = []

    var inFlight: Int { self.asked.count }

    func contains(_ name: String) -> Bool { self.names.contains(name) }

    var isAnyWaiting: Bool { !self.waiting.isEmpty }

    /// There is a list.
    ///
    /// - Returns: whether one of the known services is missing that was not before.
    mutating func compare(_ known: some Sequence<String>, _ effects: ConsulEffects, _ isListed: (String) -> Bool)
        -> Bool
    {
        for name in self.names where isListed(name) { self.end(name) }
        self.postponed.removeAll { !self.names.contains($0) }
        self.retry(Self.tries)
        if !self.postponed.isEmpty { self.due = self.due ?? effects.now + Self.interval }
        var isAnyNew = false
        for name in known where !isListed(name) && self.names.insert(name).inserted {
            self.waiting.append(Question(name: name, step: .right))
            self.undecided.insert(name)
            isAnyNew = true
        }
        return isAnyNew
    }

    /// Asks about as many as there is room for.
    mutating func ask(room: Int, in datacenter: String?, _ effects: inout ConsulEffects) {
        while self.asked.count < room, effects.mayAsk, let question = self.waiting.popFirst() {
            guard self.names.contains(question.name) else { continue }
            self.asked[effects.send(ConsulQuery(question.subject, datacenter: datacenter))] = question
        }
    }

    /// Whether a new list is wanted.
    mutating func wake(at now: Duration) -> Bool {
        guard let due = self.due, due <= now else { return false }
        self.due = nil
        self.rounds += 1
        return true
    }

    /// What an answer is: nothing new, also of a service that was found to be listed meanwhile.
    enum Finding: Hashable, Sendable {
        case nothing
        /// The token may not read it.
        case refused(String)
        /// It may again.
        case granted(String)
        case gone(String)
    }

    mutating func answered(_ request: ConsulRequestID, isThere: Bool, _ effects: inout ConsulEffects) -> Finding {
        guard let question = self.asked.removeValue(forKey: request), self.names.contains(question.name) else {
            return .nothing
        }
        switch question.step {
        case .right:
            self.waiting.append(Question(name: question.name, step: .presence))
            self.retry(.max)
            return self.refused.remove(question.name) == nil ? .nothing : .granted(question.name)
        case .presence where isThere: self.postpone(question.name, &effects)
        case .presence:
            self.end(question.name)
            return .gone(question.name)
        }
        return .nothing
    }

    /// Returns nil if the request was none of these.
    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, _ effects: inout ConsulEffects)
        -> Finding?
    {
        guard let name = self.asked.removeValue(forKey: request)?.name else { return nil }
        guard self.names.contains(name) else { return .nothing }
        self.postpone(name, &effects)
        guard failure.fault == .rights, self.refused.insert(name).inserted else { return .nothing }
        return .refused(name)
    }

    /// What the token may not read is gone, by the operator's word. Returns that.
    mutating func accept(_ told: Set<String>) -> Set<String> {
        let refused = self.refused.intersection(told)
        for name in refused { self.end(name) }
        self.postponed.removeAll(where: refused.contains)
        return refused
    }

    /// What was asked is asked again, and a list is soon.
    mutating func renew(_ effects: inout ConsulEffects) {
        for (request, question) in self.asked {
            _ = effects.cancel(request)
            self.waiting.append(question)
        }
        self.asked = [:]
        if self.due != nil { self.due = effects.now }
    }

    private mutating func postpone(_ name: String, _ effects: inout ConsulEffects) {
        self.undecided.remove(name)
        self.postponed.append(name)
        if self.due == nil { self.due = effects.now + effects.backOff(after: self.rounds + 1, to: Self.interval) }
    }

    private mutating func retry(_ count: Int) {
        for name in self.postponed.prefix(count) { self.waiting.append(Question(name: name, step: .right)) }
        self.postponed.removeFirst(min(count, self.postponed.count))
    }

    private mutating func end(_ name: String) {
        self.names.remove(name)
        self.refused.remove(name)
        self.undecided.remove(name)
        if self.names.isEmpty { (self.due, self.rounds) = (nil, 0) }
    }
}
