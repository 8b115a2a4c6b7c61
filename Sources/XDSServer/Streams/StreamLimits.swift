// SPDX-License-Identifier: Apache-2.0

import NIOCore
package import XDSProtocol

/// What one stream, one connection and one node may cost at most. A stream that goes beyond is ended with `RESOURCE_EXHAUSTED`; nobody
/// else notices.
package struct StreamLimits: Sendable {
    /// Of types and names.
    package var subscriptions = StreamStateMachine.Limits()
    /// Of the names on one stream: 50,000 of 160 bytes. Looked at now and then, so that it may be a quarter more.
    package var nameBytes = 8 << 20
    /// Of the names on all streams of a connection, with what it takes to remember them; of a node twice as much. A stream
    /// a type with 10,000 names of 100 bytes each takes half of it.
    package var nameBytesPerConnection = 32 << 20
    /// Of one request. A delta reconnect lists everything the proxy holds: far over gRPC's 4 MiB is legitimate (rule 10).
    package var requestBytes = 64 << 20
    /// Of large requests that are on their way at the same time, on all streams.
    package var requestBudgetBytes = 128 << 20
    /// Of large answers that wait to be read, on all streams: beyond it a connection has one at a time.
    package var answerBudgetBytes = 64 << 20
    /// How long a client may read nothing of the large answers on its connection while that is used up; at most a quarter
    /// longer. A proxy that is busy, or behind a slow line, reads something.
    package var answerTime = Duration.seconds(60)
    /// How long a request may take to come, and a client to send the first one.
    package var requestTime = Duration.seconds(60)
    /// Requests a second that answer nothing, on all streams of a connection, and twice as many of a node: what answers a
    /// response of ours is bounded by what we send.
    package var requestsPerSecond = 50.0
    /// How many of those may come at once: a proxy that starts, or one that meets many unknown hosts.
    package var requestBurst = 5_000.0
    /// A node's description. An Envoy lists all its extensions in it, which are some 100 kB.
    package var nodeBytes = 1 << 20
    package var nodeIDBytes = 1_024
    /// Open streams of one node ID.
    package var streamsPerNode = 1_000
    /// How long after a push the next one follows at the earliest, so that a storm of changes costs a proxy a few: the
    /// first is pushed at once, and what changes meanwhile goes out together.
    package var pushInterval = Duration.zero
    /// So many pushes after a rest do not wait for it, beside the first.
    static let pushBurst = 4

    package init() {}

    /// That one request says the proxy holds. With a wildcard these are more than the names that it subscribes to.
    var versions: Int { 4 * self.subscriptions.subscriptions }

    /// Nil if there is none.
    var pushTimeAmount: TimeAmount? { self.pushInterval > .zero ? TimeAmount(self.pushInterval) : nil }
}

/// So many at once, and then so many a second.
struct TokenBucket: Sendable {
    private let rate: Double
    private let burst: Double
    private var tokens: Double
    private var last: Duration?

    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = burst
        self.tokens = burst
    }

    /// - Parameter now: since any start, never earlier than before.
    /// - Returns: whether there was one to take.
    mutating func take(at now: Duration) -> Bool {
        self.fill(at: now)
        guard self.tokens >= 1 else { return false }
        self.tokens -= 1
        return true
    }

    mutating func isFull(at now: Duration) -> Bool {
        self.fill(at: now)
        return self.tokens >= self.burst
    }

    private mutating func fill(at now: Duration) {
        if let last { self.tokens = min(self.burst, self.tokens + (now - last) / .seconds(1) * self.rate) }
        self.last = now
    }
}
