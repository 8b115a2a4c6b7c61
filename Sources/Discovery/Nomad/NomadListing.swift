// SPDX-License-Identifier: Apache-2.0

/// Reads a table as a whole, page by page, when that is wanted.
struct NomadListing: Sendable {
    enum Progress: Hashable, Sendable {
        /// More pages come.
        case partial
        /// Everything was read, as of this index.
        case complete(asOf: UInt64)
        /// It is older than what was read before: not to be used, it will be read again.
        case doubtful
        /// The same when read again: the indexes that are known are worth nothing, and are to be forgotten.
        case fell
    }

    private(set) var isWanted = true
    private(set) var notBefore = Duration.zero
    private(set) var request: NomadRequestID?
    private(set) var token: String?
    /// Rows that were named.
    var seen: Set<String> = []
    /// Of the first page: later ones may know more.
    private(set) var firstIndex: UInt64?
    /// Of the last time that everything was read.
    private(set) var appliedIndex: UInt64?
    private(set) var failure: NomadFailure?
    /// The highest index that an event told of a row.
    private var heardIndex: UInt64 = 0
    /// What the server had reached when it was asked.
    private var floor: UInt64 = 0
    private var isDoubted = false
    private var backOff = BackOff()

    var isHeard: Bool { self.appliedIndex != nil }
    /// What is known of the table: by reading it, and by events.
    var knownIndex: UInt64 { max(self.appliedIndex ?? 0, self.heardIndex) }

    /// Whether everything shall be read now.
    func isDue(at now: Duration) -> Bool { self.isWanted && self.request == nil && self.notBefore <= now }

    var due: Duration? { self.isWanted && self.request == nil ? self.notBefore : nil }

    /// Something may have changed. What is being read may be from before that, so it is read again after.
    ///
    /// - Parameter hurry: even if it failed just now.
    mutating func want(notBefore time: Duration, hurry: Bool = false) {
        let isFailing = self.backOff.failures > 0 && !hurry
        self.notBefore = isFailing ? max(self.notBefore, time) : self.isWanted ? min(self.notBefore, time) : time
        self.isWanted = true
    }

    mutating func sent(_ request: NomadRequestID) {
        self.request = request
        self.isWanted = false
        self.seen = []
        self.firstIndex = nil
        self.token = nil
        self.floor = self.knownIndex
    }

    mutating func heard(index: UInt64) {
        self.heardIndex = max(index, self.heardIndex)
    }

    /// What is known is not comparable with what comes: everything is read again.
    mutating func forgetIndexes(at now: Duration) {
        if self.isHeard { self.appliedIndex = 0 }
        self.heardIndex = 0
        self.want(notBefore: now)
    }

    mutating func sentNext(_ request: NomadRequestID) {
        self.request = request
    }

    /// A page came. Call it before its rows are used.
    mutating func answered(index: UInt64, next: String?, at now: Duration) -> Progress {
        self.request = nil
        self.failure = nil
        self.backOff.succeeded()
        let first = self.firstIndex ?? index
        if self.firstIndex == nil, index < self.floor {
            guard self.isDoubted else {
                self.isDoubted = true
                self.isWanted = true
                self.notBefore = now + .milliseconds(250)
                return .doubtful
            }
            self.isDoubted = false
            return .fell
        }
        self.isDoubted = false
        self.firstIndex = first
        self.token = next
        guard next == nil else { return .partial }
        self.appliedIndex = max(first, self.appliedIndex ?? 0)
        return .complete(asOf: first)
    }

    mutating func failed(_ failure: NomadFailure, _ effects: inout NomadEffects) {
        self.request = nil
        self.failure = failure
        self.isWanted = true
        let delay = self.backOff.failed(using: &effects.random)
        // A token may come back at any time.
        self.notBefore = effects.now + (failure.isRefusal ? min(delay, .seconds(3)) : delay)
    }
}
