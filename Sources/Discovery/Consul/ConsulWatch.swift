// SPDX-License-Identifier: Apache-2.0

/// One question that is always asked: each time for what comes after the last answer.
///
/// It keeps the index through failures. An index that fell is not believed before it was asked again without waiting.
struct ConsulWatch: Sendable {
    /// What an answer is.
    enum Verdict: Hashable, Sendable {
        /// - Parameters:
        ///   - previous: the index of the answer before; nil: there is none that this one can be compared with.
        case believed(previous: UInt64?)
        /// Asked again before it is believed.
        case regressed
        /// It fell, and a second answer says so, too: what is known belongs to another history.
        case reset
    }

    /// What a body costs the server and us to write and read, a second.
    private static let bytesPerSecond = 5_000_000.0
    /// The longest that failures may put off the next try: of what all else depends on, and of what it does not.
    static let shortBackOff = Duration.seconds(2)
    static let longBackOff = Duration.seconds(60)

    private(set) var request: ConsulRequestID?
    /// Of the last answer that was believed.
    private(set) var index: UInt64?
    /// In a row, since the link was last found good again.
    private(set) var failures = 0
    private var isAfterFailure = false
    private var isConfirming = false
    private var sent = Duration.zero
    /// Answers in a row that came at once and told nothing new.
    private var idleAnswers = 0
    private var notBefore = Duration.zero
    private var allowance = Allowance(burst: .milliseconds(2500), share: 0.35)

    /// Whether it was answered, and what followed from that was not forgotten.
    var isBased: Bool { self.index != nil && !self.isConfirming }

    /// When it is to be asked; nil: it has been.
    var due: Duration? { self.request == nil ? self.notBefore : nil }

    mutating func ask(_ subject: ConsulQuery.Subject, in datacenter: String?, _ effects: inout ConsulEffects) {
        guard self.request == nil, self.notBefore <= effects.now, effects.mayAsk else { return }
        // Only an answer says that a fault is over, so none is waited for that comes with a change.
        let index = self.isConfirming || self.isAfterFailure || effects.isTroubled ? nil : self.index
        self.sent = effects.now
        self.request = effects.send(ConsulQuery(subject, datacenter: datacenter, index: index))
    }

    /// - Parameter cost: what the server did for it besides writing it.
    mutating func answered(_ answer: ConsulAnswer, cost: Duration = .zero, at now: Duration) -> Verdict {
        self.request = nil
        self.failures = 0
        self.isAfterFailure = false
        self.allowance.spend(cost + .seconds(Double(answer.bytes) / Self.bytesPerSecond), at: now)
        self.notBefore = self.allowance.earliest(at: now)
        guard let last = self.index else {
            self.index = answer.index
            return .believed(previous: nil)
        }
        if answer.index < last, !self.isConfirming {
            self.isConfirming = true
            return .regressed
        }
        if answer.index <= last, !self.isConfirming, now - self.sent < .seconds(1) {
            self.idleAnswers = min(self.idleAnswers + 1, 4)
            self.notBefore = max(self.notBefore, now + .milliseconds(60) * (1 << self.idleAnswers))
        } else {
            self.idleAnswers = 0
        }
        self.isConfirming = false
        self.index = answer.index
        return answer.index < last ? .reset : .believed(previous: last)
    }

    mutating func failed(_ effects: inout ConsulEffects, longest: Duration = ConsulWatch.shortBackOff) {
        self.request = nil
        self.failures += 1
        self.isAfterFailure = true
        self.notBefore = effects.now + effects.backOff(after: self.failures, to: longest)
    }

    /// It need not wait any longer after a failure.
    mutating func retry(at now: Duration) {
        if self.failures > 0 { self.notBefore = min(self.notBefore, now) }
    }

    /// The last answer is not believed after all: it is asked for again, a little later, without waiting for a change.
    ///
    /// - Parameter times: in a row.
    mutating func doubted(times: Int, _ effects: inout ConsulEffects) {
        self.forget(&effects)
        self.notBefore = effects.now + effects.backOff(after: times, to: .seconds(10))
    }

    /// What was asked is asked again, now, on a new connection; unless too many were given up lately.
    mutating func renew(_ effects: inout ConsulEffects) {
        self.failures = 0
        self.notBefore = min(self.notBefore, effects.now)
        if let request = self.request, effects.cancel(request) { self.request = nil }
    }

    /// What was asked is asked again, now, without waiting for a change. An answer with a lower index is believed.
    mutating func askAgain(_ effects: inout ConsulEffects) {
        self.renew(&effects)
        self.isConfirming = self.request == nil && self.index != nil
    }

    /// As if it had never been answered.
    mutating func forget(_ effects: inout ConsulEffects) {
        self.renew(&effects)
        self.index = nil
        self.isConfirming = false
    }
}
