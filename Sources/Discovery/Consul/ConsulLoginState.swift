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

    /// Whether to log in now; then `end` is called when that is over.
    ///
    /// - Parameter identity: nil: it cannot be read, which leaves the token that was had for the last one.
    mutating func begin(_ identity: String?) -> Bool {
        guard !self.isBusy else { return false }
        let isOther = identity != nil && identity != self.identity
        guard self.token == nil || self.isRefused || isOther else { return false }
        self.isBusy = true
        return true
    }

    mutating func end() { self.isBusy = false }

    /// There is a new token, and it is in use. Returns the one to give back.
    mutating func isLoggedIn(_ token: String, for identity: String) -> String? {
        let old = self.isRefused ? nil : self.token
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
