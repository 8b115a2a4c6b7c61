// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// What streams leave behind when they end: of a client that asked for very much it is given back to the system, a while
/// after, when all its streams are gone, and so not often.
final class ReleasedMemory: Sendable {
    static let delay = TimeAmount.seconds(2)
    /// As it stays with the process otherwise, less is not worth the time.
    private static let least = 8 << 20

    private struct State {
        var bytes = 0
        var isScheduled = false
    }

    private let state = Mutex(State())

    /// - Returns: whether to call `giveBack` after the delay.
    func add(_ bytes: Int) -> Bool {
        guard bytes > 0 else { return false }
        return self.state.withLock { state in
            state.bytes += bytes
            guard state.bytes >= Self.least, !state.isScheduled else { return false }
            state.isScheduled = true
            return true
        }
    }

    func giveBack() {
        self.state.withLock { $0 = State() }
        FreeMemory.shared.giveBack()
    }
}
