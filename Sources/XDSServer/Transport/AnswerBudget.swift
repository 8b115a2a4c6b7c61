// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// How many bytes of large answers may wait for their clients to read them, on all streams together. HTTP/2 keeps what a
/// client's windows do not let out, and a client may open streams, ask for everything and never read.
///
/// It is asked before an answer is made, so that each event loop may go beyond by one.
final class AnswerBudget: Sendable {
    private let limit: Int
    private let used = Atomic(0)
    /// How long a client may read nothing of an answer while it is used up.
    let time: TimeAmount

    init(bytes limit: Int, time: TimeAmount) {
        self.limit = limit
        self.time = time
    }

    /// Of answers that wait.
    var bytes: Int { self.used.load(ordering: .relaxed) }

    var isUsedUp: Bool { self.bytes >= self.limit }

    func add(_ bytes: Int) {
        self.used.add(bytes, ordering: .relaxed)
    }
}
