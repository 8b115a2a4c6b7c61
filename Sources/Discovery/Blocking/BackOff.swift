// SPDX-License-Identifier: Apache-2.0

/// How long to leave a server alone that failed: twice as long with each failure in a row, and never twice the same, so
/// that many clients do not come back together.
struct BackOff: Hashable, Sendable {
    /// The shortest and the longest delay.
    static let range = Duration.milliseconds(250)...Duration.seconds(60)

    private(set) var failures = 0

    mutating func succeeded() {
        self.failures = 0
    }

    /// - Returns: the delay before the next attempt, from the upper half of what this many failures allow.
    mutating func failed(using generator: inout some RandomNumberGenerator) -> Duration {
        let longest = min(Self.range.lowerBound * 2 * (1 << min(self.failures, 16)), Self.range.upperBound)
        self.failures += 1
        return longest * Double.random(in: 0.5...1, using: &generator)
    }
}
