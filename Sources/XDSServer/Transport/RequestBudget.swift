// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Synchronization

/// What a request that waits for room takes of the budget meanwhile.
struct HeldRequest {
    private var bytes = 0

    /// - Returns: whether it may wait.
    mutating func hold(_ bytes: Int, _ budget: RequestBudget) -> Bool {
        guard self.bytes == 0, bytes > RequestBudget.small else { return true }
        guard budget.reserve(bytes) else { return false }
        self.bytes = bytes
        return true
    }

    mutating func release(_ budget: RequestBudget) {
        if self.bytes > 0 { budget.release(self.bytes) }
        self.bytes = 0
    }
}

extension RPCError {
    static let tooManyLargeRequests = RPCError(
        code: .resourceExhausted,
        message: "too many large requests at the same time"
    )
}

/// How many bytes of large requests may be on their way on all streams together: they are held in memory before it is known
/// who sends them.
final class RequestBudget: Sendable {
    /// What is not larger is not counted: the receive window bounds it.
    static let small = 1 << 18

    private let limit: Int
    private let used = Atomic(0)

    init(bytes limit: Int) {
        self.limit = limit
    }

    /// - Parameter held: what was reserved for the same request before.
    func reserve(_ bytes: Int, beside held: Int = 0) -> Bool {
        let used = self.used.add(bytes, ordering: .relaxed).newValue
        // One is always let through, however small the budget.
        guard used > self.limit, used > held + bytes else { return true }
        self.release(bytes)
        return false
    }

    func release(_ bytes: Int) {
        self.used.subtract(bytes, ordering: .relaxed)
    }
}
