// SPDX-License-Identifier: Apache-2.0

package import HashiCorpAPI

/// Decides what to ask next in a conversation of blocking queries, and what to believe of the answers. Nomad's: those of
/// Consul, which are one to a datacenter and share its link, are `ConsulWatch`.
/// See https://developer.hashicorp.com/nomad/api-docs#blocking-queries
///
/// The one who asks calls `next`, does what it says, and reports to `answered` or `failed` what came of a request before
/// it calls `next` again. One request at a time.
///
/// - What is believed of an answer, `FollowedIndex` says; one of a server without a leader is not. The question is put again
///   as `consistent`. So is the very first.
/// - The question after a failure is `consistent`, too: who was away for long may know an index below that of half a state. And
///   it waits shortly: a server that lost its state would keep a high index waiting to the end.
package struct BlockingQuery: Hashable, Sendable {
    package enum Consistency: Hashable, Sendable {
        case `default`
        /// The leader asks its followers first whether it still is one.
        case consistent
    }

    package enum Action: Hashable, Sendable {
        /// - index: nil: answered at once, and then there is no `wait`.
        /// - deadline: from the send to the last byte.
        case send(index: UInt64?, wait: Duration?, consistency: Consistency, deadline: Duration)
        /// Nothing before this time.
        case wait(until: Duration)
    }

    package enum Verdict: Hashable, Sendable {
        /// What is there now. It may be what was there before.
        case accept
        /// Not to be believed: the next question asks for confirmation.
        case confirm
        /// Nothing has happened for the whole wait.
        case unchanged
        case failed(Failure)
    }

    package enum Failure: Hashable, Sendable {
        /// Neither success nor, with an index, 404: what is not there may yet come.
        case status(Int)
        case error(APIError)
    }

    /// The default is the longest that the servers allow.
    package static let nomadWait = Duration.seconds(300)
    /// The wait of the question after a failure.
    static let probeWait = Duration.seconds(2)
    /// What a server may take to answer beyond the time that it was asked to wait.
    static let slack = Duration.seconds(5)
    /// The same for a question that is `consistent`: without a quorum, it tries for 7 s before it says so.
    static let patience = Duration.seconds(10)

    private struct Sent: Hashable {
        var at: Duration
        var wait: Duration?
    }

    /// The longest that a question waits for a change.
    private let wait: Duration
    private var followed = FollowedIndex()
    /// Before the last answer that was believed, to go back to if its content turns out to be of no use.
    private var indexBefore: UInt64?
    private var isAfterFailure = false
    private var backOff = BackOff()
    private var notBefore: Duration
    private var sent: Sent?
    /// When the last two questions were put.
    private var lastSends: [Duration] = []

    // Answers must not drive a loop. Two buckets tell what moves from what does not:
    // - An index that rose is a change. 20 in a row are followed at once; then 10 a second, so that changes every 10 ms
    //   are seen 100 ms late at worst, and as one: an answer shows the state of its time and not one step.
    // - An answer that came early with nothing new (or no index to wait for) is the server's mistake, or a restored
    //   snapshot: 20 in a row, then 1 a second.
    // An answer that took its wait costs nothing.
    private var changes: TokenBucket
    private var idle: TokenBucket

    /// - Parameters:
    ///   - wait: the longest that a question waits for a change.
    ///   - now: times are since any start, the same for all calls.
    package init(wait: Duration, now: Duration) {
        self.wait = wait
        self.notBefore = now
        self.changes = TokenBucket(capacity: 20, interval: .milliseconds(100), now: now)
        self.idle = TokenBucket(capacity: 20, interval: .seconds(1), now: now)
    }

    /// Of the last answer that was believed.
    package var index: UInt64? { self.followed.value }

    /// How many requests in a row have failed.
    package var failures: Int { self.backOff.failures }

    /// What to do now. `send` counts as done.
    package mutating func next(now: Duration) -> Action {
        assert(self.sent == nil, "the last request has not been reported")
        guard now >= self.notBefore else { return .wait(until: self.notBefore) }
        self.lastSends = self.lastSends.suffix(1) + [now]
        guard let index = self.followed.question else {
            self.sent = Sent(at: now, wait: nil)
            return .send(index: nil, wait: nil, consistency: .consistent, deadline: Self.patience)
        }
        let wait = self.isAfterFailure ? min(Self.probeWait, self.wait) : self.wait
        self.sent = Sent(at: now, wait: wait)
        return .send(
            index: index,
            wait: wait,
            consistency: self.isAfterFailure ? .consistent : .default,
            deadline: wait + wait / 16 + (self.isAfterFailure ? Self.patience : Self.slack)
        )
    }

    /// There is an answer, of any status.
    package mutating func answered(
        status: Int,
        index: UInt64?,
        knownLeader: Bool?,
        now: Duration,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        guard 200...299 ~= status || (status == 404 && index != nil) else {
            return self.failed(.status(status), now: now, using: &generator)
        }
        guard let sent = self.sent else {
            assertionFailure("an answer to nothing")
            return .unchanged
        }
        let wasConfirming = sent.wait == nil
        let wasAfterFailure = self.isAfterFailure
        self.sent = nil
        self.isAfterFailure = false
        self.backOff.succeeded()
        let previous = self.followed.value
        let hasNoLeader = knownLeader == false && !wasConfirming
        if hasNoLeader { self.followed.confirm() }
        if hasNoLeader || self.followed.answered(index) == .regressed {
            self.notBefore = self.idle.take(now: now)
            return .confirm
        }
        let hasRisen = self.followed.value.map { $0 > (previous ?? 0) } ?? false
        let isLate = sent.wait.map { now - sent.at >= $0 * 15 / 16 } ?? false
        self.indexBefore = previous
        self.notBefore = hasRisen ? self.changes.take(now: now) : isLate ? now : self.idle.take(now: now)
        // Early, the same index may be of a restored snapshot; after a failure, of a server that lost its state.
        return isLate && !hasRisen && !wasAfterFailure ? .unchanged : .accept
    }

    /// There is no answer.
    package mutating func failed(
        _ error: APIError,
        now: Duration,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        self.failed(.error(error), now: now, using: &generator)
    }

    /// The answer that was accepted last cannot be used, such as HTML in place of JSON: as if it had failed.
    package mutating func unreadable(now: Duration, using generator: inout some RandomNumberGenerator) {
        self.followed.goBack(to: self.indexBefore)
        self.postpone(now: now, using: &generator)
    }

    /// The answer that was accepted last told nothing new, so the change was somebody else's: such are followed less
    /// closely, as an index that everything moves would keep both sides busy.
    package mutating func toldNothingNew(now: Duration) {
        self.notBefore = max(self.notBefore, self.idle.take(now: now))
    }

    /// Something changed that makes another attempt worth while, such as the token: the delay after a failure is over.
    package mutating func hurry(now: Duration) {
        guard self.isAfterFailure else { return }
        self.notBefore = self.soonestAfterFailure(now: now)
    }

    private mutating func failed(
        _ failure: Failure,
        now: Duration,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        self.sent = nil
        self.postpone(now: now, using: &generator)
        return .failed(failure)
    }

    private mutating func postpone(now: Duration, using generator: inout some RandomNumberGenerator) {
        self.isAfterFailure = true
        let delay = self.backOff.failed(using: &generator)
        self.notBefore = max(now + delay, self.soonestAfterFailure(now: now))
    }

    /// Never more than two questions in a second.
    private func soonestAfterFailure(now: Duration) -> Duration {
        guard self.lastSends.count == 2, let first = self.lastSends.first else { return now }
        return max(now, first + .seconds(1))
    }
}
