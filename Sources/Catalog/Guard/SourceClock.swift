// SPDX-License-Identifier: Apache-2.0

/// The time that a source was heard: it stands still while the source is not heard or not believed as a whole, so that no
/// grace runs out in a time in which nobody could have said that what is missing is back.
///
/// It is for graces alone. A window that stood still would take what goes in hours for what goes at once, as far as some of
/// the source is read meanwhile.
struct SourceClock: Sendable {
    /// How long it stood still so far.
    private var lag = Duration.zero
    private var stoppedAt: Duration?

    var isStopped: Bool { self.stoppedAt != nil }

    func reading(at now: Duration) -> Duration {
        (self.stoppedAt ?? now) - self.lag
    }

    /// When it will show this; nil while it stands still.
    func time(of reading: Duration) -> Duration? {
        self.isStopped ? nil : reading + self.lag
    }

    mutating func stop(at now: Duration) {
        if self.stoppedAt == nil { self.stoppedAt = now }
    }

    mutating func start(at now: Duration) {
        guard let stoppedAt = self.stoppedAt else { return }
        self.lag += max(.zero, now - stoppedAt)
        self.stoppedAt = nil
    }
}
