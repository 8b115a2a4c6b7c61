// SPDX-License-Identifier: Apache-2.0

/// The services whose questions share one connection.
struct ConsulMultiplexGroup: Sendable {
    enum State: Hashable, Sendable {
        case closed
        case opening
        case open
    }

    /// How it went with the questions about a service.
    private struct Attempt: Sendable {
        var sent: Duration
        /// Answers in a row that came at once.
        var quick = 0
        /// Refusals in a row.
        var refusals = 0
    }

    /// Changes that come close together are asked about together.
    private static let pause = Duration.milliseconds(10)
    /// An answer that comes sooner and tells nothing new is that of an index that stands.
    private static let idle = Duration.seconds(1)
    /// Before that is asked about again.
    private static let rest = Duration.seconds(16)
    /// So many answers may come at once before there is a pause.
    private static let patience = 20
    /// Before one that is refused is asked about again, at the longest.
    private static let longestRest = Duration.seconds(300)

    /// Between two connections: Consul goes on with the questions of one that is closed, until it would have answered.
    private static let gap = Duration.seconds(60)

    private(set) var state = State.closed
    private(set) var request: ConsulRequestID?
    /// Those that have their home here, and the index that is known of each; nil: it is to be read first.
    private(set) var indexes: [String: UInt64?] = [:]
    /// Those that are being asked about, and the index that each is to go beyond.
    private var asked: [String: UInt64] = [:]
    private var attempts: [String: Attempt] = [:]
    /// Those that are left alone for a while, and until when.
    private var resting: [String: Duration] = [:]
    /// Whether what is asked is not what should be.
    private var isStale = false
    private var notBefore = Duration.zero
    private var reopensFrom = Duration.zero
    private var failures = 0

    /// How many changes show by themselves.
    var watched: Int { self.state == .open && self.request != nil ? self.asked.count : 0 }

    func isWatching(_ name: String) -> Bool {
        self.state == .open && self.request != nil && self.asked[name] != nil
    }

    mutating func learned(_ name: String, index: UInt64) {
        self.indexes[name] = .some(index)
        if self.asked[name] == nil { self.isStale = true }
    }

    mutating func forget(_ name: String) {
        self.indexes.removeValue(forKey: name)
        self.attempts[name] = nil
        self.resting[name] = nil
        self.isStale = true
    }

    /// The indexes mean nothing any more: all are read first.
    mutating func forgetIndexes() {
        for name in self.indexes.keys { self.indexes[name] = .some(nil) }
    }

    /// When something is to be asked, or the connection to be opened; nil: not before an answer.
    var due: Duration? {
        switch self.state {
        case .closed: max(self.notBefore, self.reopensFrom)
        case .opening: nil
        case .open: self.isStale ? self.notBefore : self.resting.values.min()
        }
    }

    func isDue(at now: Duration) -> Bool { self.due.map { $0 <= now } ?? false }

    // MARK: Asking

    mutating func opens(with request: ConsulRequestID, at now: Duration) {
        self.state = .opening
        self.reopensFrom = now + Self.gap
        self.request = request
    }

    /// What is to wait from now on.
    mutating func takeQuestions(at now: Duration) -> [String: UInt64] {
        self.resting = self.resting.filter { $0.value > now }
        var questions: [String: UInt64] = [:]
        for (name, index) in self.indexes {
            guard let index, self.resting[name] == nil else { continue }
            let asked = self.asked[name]
            if asked == nil { self.attempts[name, default: Attempt(sent: now)].sent = now }
            questions[name] = asked ?? index
        }
        self.asked = questions
        self.isStale = false
        self.notBefore = now + Self.pause
        return questions
    }

    mutating func asks(with request: ConsulRequestID) {
        self.request = request
    }

    // MARK: Answers

    mutating func opened(at now: Duration) {
        self.request = nil
        self.state = .open
        self.isStale = true
        self.notBefore = now
    }

    /// Returns the services that are to be read.
    ///
    /// - Parameter known: the index that is known of a service.
    mutating func answered(
        _ request: ConsulRequestID,
        _ answers: [String: UInt64?],
        known: (String) -> UInt64?,
        _ effects: inout ConsulEffects
    ) -> [String] {
        // The answers to one whose place another took are none to its questions.
        let isCurrent = self.request == request
        if isCurrent {
            self.request = nil
            self.isStale = true
        }
        var changed: [String] = []
        for (name, index) in answers where self.indexes[name] != nil {
            let asked = self.asked.removeValue(forKey: name)
            guard let index else {
                self.refused(name, &effects)
                continue
            }
            self.failures = 0
            let isOther = known(name) != index
            if isOther {
                self.indexes[name] = .some(nil)
                changed.append(name)
            }
            guard isCurrent, let asked else { continue }
            self.answeredAt(effects.now, name, isNews: isOther || index > asked, &effects)
        }
        return changed
    }

    private mutating func answeredAt(_ now: Duration, _ name: String, isNews: Bool, _ effects: inout ConsulEffects) {
        guard var attempt = self.attempts[name] else { return }
        attempt.refusals = 0
        attempt.quick = now - attempt.sent < Self.idle ? attempt.quick + 1 : 0
        if attempt.quick > 0, !isNews {
            self.resting[name] = now + effects.jittered(Self.rest)
        } else if attempt.quick > Self.patience {
            self.resting[name] = now + effects.jittered(Self.idle)
        }
        self.attempts[name] = attempt
    }

    /// It alone is left alone: what refuses it may let the others pass.
    private mutating func refused(_ name: String, _ effects: inout ConsulEffects) {
        let refusals = (self.attempts[name]?.refusals ?? 0) + 1
        self.attempts[name]?.refusals = refusals
        self.resting[name] =
            effects.now + effects.backOff(after: refusals, from: Self.rest, to: Self.longestRest)
    }

    mutating func failed(_ effects: inout ConsulEffects) {
        self.failures += 1
        self.close(until: effects.now + effects.backOff(after: self.failures, to: .seconds(60)))
    }

    mutating func close(until time: Duration) {
        self.state = .closed
        self.request = nil
        self.asked = [:]
        self.resting = [:]
        self.notBefore = time
    }

    /// All that are to be watched elsewhere.
    var known: [String: UInt64] { self.indexes.compactMapValues { $0 } }

    /// After a failure, it need not wait any longer.
    mutating func retry(at now: Duration) {
        if self.failures > 0 { self.notBefore = min(self.notBefore, now) }
    }
}
