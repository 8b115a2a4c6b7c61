// SPDX-License-Identifier: Apache-2.0

/// One question that is always asked: each time for what comes after the last answer.
///
/// What is believed of an answer, `FollowedIndex` says. Those of a datacenter share its link, which has a part in their pace.
struct ConsulWatch: Sendable {
    /// What a body costs the server and us to write and read, a second.
    private static let bytesPerSecond = 5_000_000.0
    /// The longest that failures may put off the next try: of what all else depends on, and of what it does not.
    static let shortBackOff = Duration.seconds(2)
    static let longBackOff = Duration.seconds(60)

    private(set) var request: ConsulRequestID?
    private var followed = FollowedIndex()
    /// In a row, since the link was last found good again.
    private(set) var failures = 0
    private var isAfterFailure = false
    private var sent = Duration.zero
    /// Answers in a row that came at once and told nothing new.
    private var idleAnswers = 0
    private var notBefore = Duration.zero
    private var allowance = Allowance(burst: .milliseconds(2500), share: 0.35)

    /// Of the last answer that was believed.
    var index: UInt64? { self.followed.value }

    /// Whether it was answered, and what followed from that was not forgotten.
    var isBased: Bool { self.followed.question != nil }

    /// When it is to be asked; nil: it has been.
    var due: Duration? { self.request == nil ? self.notBefore : nil }

    /// - Parameter wait: for a change, at the longest.
    mutating func ask(
        _ subject: ConsulQuery.Subject,
        in datacenter: String?,
        wait: Duration = ConsulQuery.longWait,
        _ effects: inout ConsulEffects
    ) {
        guard self.request == nil, self.notBefore <= effects.now, effects.mayAsk else { return }
        // Only an answer says that a fault is over, so none is waited for that comes with a change.
        let index = self.isAfterFailure || effects.isTroubled ? nil : self.followed.question
        self.sent = effects.now
        self.request = effects.send(ConsulQuery(subject, datacenter: datacenter, index: index, wait: wait))
    }

    /// - Parameter cost: what the server did for it besides writing it.
    mutating func answered(_ answer: ConsulAnswer, cost: Duration = .zero, at now: Duration) -> FollowedIndex.Verdict {
        self.request = nil
        self.failures = 0
        self.isAfterFailure = false
        self.allowance.spend(cost + .seconds(Double(answer.bytes) / Self.bytesPerSecond), at: now)
        self.notBefore = self.allowance.earliest(at: now)
        let wasConfirming = self.followed.isToConfirm
        let verdict = self.followed.answered(answer.index)
        guard case .believed(let previous?) = verdict, !wasConfirming else {
            if verdict != .regressed { self.idleAnswers = 0 }
            return verdict
        }
        if answer.index <= previous, now - self.sent < .seconds(1) {
            self.idleAnswers = min(self.idleAnswers + 1, 4)
            self.notBefore = max(self.notBefore, now + .milliseconds(60) * (1 << self.idleAnswers))
        } else {
            self.idleAnswers = 0
        }
        return verdict
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
        if self.request == nil { self.followed.confirm() }
    }

    /// As if it had never been answered.
    mutating func forget(_ effects: inout ConsulEffects) {
        self.renew(&effects)
        self.followed.forget()
    }
}
