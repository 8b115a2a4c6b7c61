// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

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

    /// Nobody has as many rows, 2,000 a page.
    static let maximumPages = 1000
    /// As many, of a server that leaves out of account how long a page should be.
    static let maximumRows = maximumPages * NomadQuestion.pageSize

    private(set) var isWanted = true
    private(set) var notBefore = Duration.zero
    private(set) var request: NomadRequestID?
    private(set) var token: String?
    /// Of all pages so far.
    private var tokens: Set<String> = []
    private var rows = 0
    /// Rows that were named.
    var seen: Set<String> = []
    /// Of services, which are told once all pages are there.
    var lists: [NomadServiceList] = []
    /// Why some of its rows could not be read.
    private var unreadable: String?
    /// The same of the last time that everything was read.
    private(set) var rowsFailure: NomadFailure?
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
        self.lists = []
        self.tokens = []
        self.rows = 0
        self.unreadable = nil
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

    /// Why pages do not come to an end; nil: they may. Call it once a page.
    ///
    /// - Parameters:
    ///   - next: of the page that came.
    ///   - rows: that are in it.
    mutating func endlessness(_ table: NomadTable, next: String?, rows: Int = 0) -> NomadFailure? {
        self.rows += rows
        guard let next else { return nil }
        let what =
            if self.tokens.contains(next) {
                "the pages of \(table.rawValue) have no end: one names as the next a page that was read already"
            } else if self.tokens.count + 1 >= Self.maximumPages {
                "there are more than \(Self.maximumPages) pages of \(table.rawValue)"
            } else if self.rows > Self.maximumRows {
                "there are more than \(Self.maximumRows) rows of \(table.rawValue), and more pages"
            } else {
                String?.none
            }
        return what.map {
            NomadFailure(
                reason: "decoding",
                text: "\($0); see whether a proxy or cache before Nomad leaves next_token or per_page out of account"
            )
        }
    }

    /// A page came. Call it before its rows are used.
    ///
    /// - Parameter unreadable: why some of its rows could not be read; nil: all could.
    mutating func answered(index: UInt64, next: String?, unreadable: String? = nil, at now: Duration) -> Progress {
        self.request = nil
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
        self.unreadable = self.unreadable ?? unreadable
        if let next {
            self.tokens.insert(next)
            return .partial
        }
        // Not before the last page: with a later one that fails again and again, the first would be asked for at once each time.
        self.failure = nil
        self.backOff.succeeded()
        self.rowsFailure = self.unreadable.map { NomadFailure(reason: "decoding", text: "rows cannot be read: \($0)") }
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
