// SPDX-License-Identifier: Apache-2.0

/// When free memory is given back: it stops everybody who allocates, so clients must not be able to have it done often.
struct GivingBack: Sendable {
    static let interval = Duration.seconds(10)

    enum Decision: Equatable, Sendable {
        case now
        /// Call `began(at:)` then.
        case later(Duration)
        /// It will be done soon, for this one too.
        case none
    }

    private let interval: Duration
    private var last: Duration?
    private var isPending = false

    init(interval: Duration = Self.interval) {
        self.interval = interval
    }

    /// Somebody left much behind.
    /// - Parameter now: since any start, never earlier than before.
    mutating func asked(at now: Duration) -> Decision {
        if self.isPending { return .none }
        guard let last, now - last < self.interval else {
            self.last = now
            return .now
        }
        self.isPending = true
        return .later(last + self.interval - now)
    }

    /// What was to be done later is done now.
    mutating func began(at now: Duration) {
        self.isPending = false
        self.last = now
    }
}
