// SPDX-License-Identifier: Apache-2.0

/// Spaces work that costs others something: so much at once, and then a share of the time.
struct Allowance: Hashable, Sendable {
    /// What may be owed before the next work must wait.
    private let burst: Duration
    /// Of the time, that is paid back: 0.2 is 20 %.
    var share: Double
    private var debt: Duration = .zero
    private var asOf: Duration = .zero

    init(burst: Duration, share: Double) {
        self.burst = burst
        self.share = share
    }

    mutating func spend(_ cost: Duration, at now: Duration) {
        self.debt = self.debt(at: now) + cost
        self.asOf = now
    }

    /// When the next work may begin: now, or later.
    func earliest(at now: Duration) -> Duration {
        let excess = self.debt(at: now) - self.burst
        return excess > .zero ? now + excess / self.share : now
    }

    private func debt(at now: Duration) -> Duration {
        max(.zero, self.debt - (now - self.asOf) * self.share)
    }
}
