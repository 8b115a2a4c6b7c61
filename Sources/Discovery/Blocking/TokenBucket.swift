// SPDX-License-Identifier: Apache-2.0

/// Allows a burst, and a steady rate after it.
struct TokenBucket: Hashable, Sendable {
    private let capacity: Int
    /// How long one token takes to come back.
    private let interval: Duration
    /// When the bucket will be full again; the distance from now tells how many are missing.
    private var fullAt: Duration

    init(capacity: Int, interval: Duration, now: Duration = .zero) {
        self.capacity = capacity
        self.interval = interval
        self.fullAt = now
    }

    /// Takes a token, if need be one that is still to come.
    ///
    /// - Returns: when it is there; not before `now`.
    mutating func take(now: Duration) -> Duration {
        self.fullAt = max(self.fullAt, now) + self.interval
        return max(now, self.fullAt - self.interval * self.capacity)
    }
}
