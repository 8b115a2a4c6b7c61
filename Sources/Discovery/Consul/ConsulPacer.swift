// SPDX-License-Identifier: Apache-2.0

/// How often an agent is asked that answers nothing of use: shared by all who ask it, but not by the link's small request,
/// which has a pace of its own.
///
/// One failure is one question's own matter. When nothing but failures comes, one question is put at a time, and the first
/// that is answered ends that. So an agent that is broken costs it and us a request a second, and one that is well again is
/// found to be so with the next of them.
struct ConsulPacer: Hashable, Sendable {
    private static let first = Duration.milliseconds(250)
    private static let limit = Duration.seconds(1)
    /// Between two times at which all that wait are asked again because one was answered, at the longest.
    private static let longestCalm = Duration.seconds(60)

    /// In a row, of all.
    private var failures = 0
    private var gap = Self.first
    private var next = Duration.zero
    private var calmNotBefore = Duration.zero
    private var calmGap = Duration.zero
    private var isCalmed = false

    var isTroubled: Bool { self.failures >= 2 }

    /// When something may be asked: now, or later.
    func earliest(at now: Duration) -> Duration { self.isTroubled ? max(now, self.next) : now }

    func mayAsk(at now: Duration) -> Bool { self.earliest(at: now) <= now }

    /// - Parameter jitter: the time to the next question, of what it should be.
    mutating func asked(at now: Duration, jitter: Double) {
        guard self.isTroubled else { return }
        self.next = now + self.gap * jitter
        self.gap = min(Self.limit, self.gap * 2)
    }

    mutating func failed(at now: Duration) {
        self.failures += 1
        if self.failures == 2 { self.next = max(self.next, now + self.gap) }
    }

    mutating func answered(at now: Duration) {
        defer { self.failures = 0 }
        guard self.isTroubled else { return }
        self.gap = Self.first
        guard self.calmNotBefore <= now else { return }
        self.isCalmed = true
        // What is answered may be one of few, and the others not be.
        if now - self.calmNotBefore > Self.longestCalm { self.calmGap = .zero }
        self.calmNotBefore = now + self.calmGap
        self.calmGap = min(Self.longestCalm, max(.seconds(2), self.calmGap * 2))
    }

    /// The link is there again.
    mutating func tryNow(at now: Duration) { self.next = now }

    /// Whether whoever waits after a failure of its own may ask again.
    mutating func takeCalm() -> Bool {
        defer { self.isCalmed = false }
        return self.isCalmed
    }
}
