// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Synchronization

/// What all streams of one connection, or of one node, cost together: each stream by itself may stay below every limit.
final class Account: Sendable {
    /// Of a connection; of a node, which may have several, and an old one beside them that nobody knows yet to be dead,
    /// it is as many times more.
    private static let nodeShare = 2

    private struct State {
        var nameBytes = 0
        var requests: TokenBucket
    }

    private let owner: String
    private let nameBytes: Int
    private let start = ContinuousClock.now
    private let state: Mutex<State>

    static func connection(_ limits: StreamLimits) -> Account {
        Account(owner: "connection", share: 1, limits)
    }

    static func node(_ limits: StreamLimits) -> Account {
        Account(owner: "node", share: Self.nodeShare, limits)
    }

    private init(owner: String, share: Int, _ limits: StreamLimits) {
        self.owner = owner
        self.nameBytes = share * limits.nameBytesPerConnection
        let requests = TokenBucket(
            rate: Double(share) * limits.requestsPerSecond,
            burst: Double(share) * limits.requestBurst
        )
        self.state = Mutex(State(requests: requests))
    }

    /// A stream remembers so many bytes of names more than before. They count until they are taken back.
    /// - Returns: what to end the stream with, if all of them together remember too many. What it gives up is never too many.
    func add(nameBytes difference: Int) -> RPCError? {
        let sum = self.state.withLock { state in
            state.nameBytes += difference
            return state.nameBytes
        }
        guard difference > 0, sum > self.nameBytes else { return nil }
        return RPCError(
            code: .resourceExhausted,
            message: "more than \(self.nameBytes) bytes of names on all streams of one \(self.owner)"
        )
    }

    func remove(nameBytes: Int) {
        self.state.withLock { $0.nameBytes -= nameBytes }
    }

    /// A request that answers nothing.
    func takeRequest() throws(RPCError) {
        // The time is taken under the lock, so that it never goes back.
        guard self.state.withLock({ $0.requests.take(at: self.start.duration(to: .now)) }) else {
            throw RPCError(
                code: .resourceExhausted,
                message: "too many requests on all streams of one \(self.owner)"
            )
        }
    }

    /// Whether it knows no more than a new one would.
    var isAtRest: Bool {
        self.state.withLock { $0.nameBytes == 0 && $0.requests.isFull(at: self.start.duration(to: .now)) }
    }
}
