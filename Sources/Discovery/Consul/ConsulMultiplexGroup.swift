// SPDX-License-Identifier: Apache-2.0

/// The services whose questions share one connection.
struct ConsulMultiplexGroup: Sendable {
    enum State: Hashable, Sendable {
        case closed
        case opening
        case open
    }

    /// Changes that come close together are asked about together.
    private static let pause = Duration.milliseconds(10)
    /// An answer that comes sooner and tells nothing new is that of an index that stands.
    private static let idle = Duration.seconds(1)
    /// Before that is asked about again.
    private static let rest = Duration.seconds(16)
    /// Before an agent that has no HTTP/2 is asked again whether it has.
    private static let reopening = Duration.seconds(300)

    private(set) var state = State.closed
    private(set) var request: ConsulRequestID?
    /// Those that have their home here, and the index that is known of each; nil: it is to be read first.
    private(set) var indexes: [String: UInt64?] = [:]
    /// Those that are being asked about, and the index that each is to go beyond.
    private var asked: [String: UInt64] = [:]
    private var sent: [String: Duration] = [:]
    /// Those whose index stands, and when they are asked about again.
    private var resting: [String: Duration] = [:]
    /// Whether what is asked is not what should be.
    private var isStale = false
    private var notBefore = Duration.zero
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
        self.sent[name] = nil
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
        case .closed: self.notBefore
        case .opening: nil
        case .open: self.isStale ? self.notBefore : self.resting.values.min()
        }
    }

    func isDue(at now: Duration) -> Bool { self.due.map { $0 <= now } ?? false }

    // MARK: Asking

    mutating func opens(with request: ConsulRequestID) {
        self.state = .opening
        self.request = request
    }

    /// What is to wait from now on.
    mutating func takeQuestions(at now: Duration) -> [String: UInt64] {
        self.resting = self.resting.filter { $0.value > now }
        var questions: [String: UInt64] = [:]
        for (name, index) in self.indexes {
            guard let index, self.resting[name] == nil else { continue }
            let asked = self.asked[name]
            if asked == nil { self.sent[name] = now }
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

    mutating func opened(capacity: Int, at now: Duration) {
        self.request = nil
        guard capacity > 0 else {
            self.close(until: now + Self.reopening)
            return
        }
        self.state = .open
        self.failures = 0
        self.isStale = true
        self.notBefore = now
    }

    /// Returns the services that are to be read.
    ///
    /// - Parameter known: the index that is known of a service.
    mutating func answered(
        _ request: ConsulRequestID,
        _ answers: [String: UInt64],
        known: (String) -> UInt64?,
        _ effects: inout ConsulEffects
    ) -> [String] {
        // The answer to one whose place another took tells nothing.
        if self.request == request {
            self.request = nil
            self.isStale = true
        }
        var changed: [String] = []
        for (name, index) in answers where self.indexes[name] != nil {
            let asked = self.asked.removeValue(forKey: name)
            guard known(name) == index else {
                self.indexes[name] = .some(nil)
                changed.append(name)
                continue
            }
            if let asked, index <= asked, let sent = self.sent[name], effects.now - sent < Self.idle {
                self.resting[name] = effects.now + effects.jittered(Self.rest)
            }
        }
        return changed
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

    /// After a failure, it need not wait any longer.
    mutating func retry(at now: Duration) {
        if self.failures > 0 { self.notBefore = min(self.notBefore, now) }
    }
}
