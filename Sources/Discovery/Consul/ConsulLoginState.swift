// SPDX-License-Identifier: Apache-2.0

/// Which token is in use, and whether another one is needed.
struct ConsulLoginState: Sendable {
    /// The identity that the token was had for.
    private var identity: String?
    private(set) var token: String?
    /// Rises with each token.
    private(set) var generation = 0
    private var isRefused = false
    private var isBusy = false
    private var since = Duration.zero
    /// How many were refused in a row soon after they were had: by a datacenter to which a local token means nothing.
    private var short = 0
    /// An identity with which there was no login though the token in use is good, and when it is tried again.
    private var postponed: (identity: String, until: Duration)?
    /// A token that lived so long was a good one.
    private static let goodLife = Duration.seconds(300)
    private static let pause = Duration.seconds(30)

    /// Whether to log in now; then `end` is called when that is over.
    ///
    /// - Parameters:
    ///   - identity: nil: it cannot be read, which leaves the token that was had for the last one.
    ///   - now: monotonic, since any start; and so below.
    mutating func begin(_ identity: String?, at now: Duration) -> Bool {
        guard !self.isBusy else { return false }
        let isPaused = self.postponed.map { $0.identity == identity && now < $0.until } ?? false
        let isOther = identity != nil && identity != self.identity && !isPaused
        let isRefused = self.isRefused && now >= self.since + .seconds(min(60, (1 << min(self.short, 6)) - 1))
        guard self.token == nil || isRefused || isOther else { return false }
        self.isBusy = true
        return true
    }

    mutating func end() { self.isBusy = false }

    /// There was no login. Returns whether that can wait: the token in use is good.
    mutating func failed(_ identity: String, at now: Duration) -> Bool {
        guard self.token != nil, !self.isRefused else { return false }
        self.postponed = (identity, now + Self.pause)
        return true
    }

    /// There is a new token, and it is in use. Returns the one to give back.
    mutating func isLoggedIn(_ token: String, for identity: String, at now: Duration) -> String? {
        // Also one that was refused: perhaps not everywhere.
        let old = self.token
        self.short = self.isRefused && now - self.since < Self.goodLife ? self.short + 1 : 0
        self.since = now
        self.token = token
        self.identity = identity
        self.generation += 1
        self.isRefused = false
        return old
    }

    /// The token of this generation is good no more. What was sent with an older one says nothing of the one in use.
    mutating func refused(_ generation: Int) {
        if generation == self.generation { self.isRefused = true }
    }

    /// Returns the token to give back.
    mutating func leave() -> String? {
        defer { self.token = nil }
        return self.token
    }
}
