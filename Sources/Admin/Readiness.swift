// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Whether every listener that must be open is open.
package final class Readiness: Sendable {
    private let waitingFor: Mutex<Int>

    /// - Parameter listeners: how many listeners must report.
    package init(listeners: Int) {
        self.waitingFor = Mutex(listeners)
    }

    package func listenerOpened() {
        self.waitingFor.withLock { $0 -= 1 }
    }

    package var isReady: Bool {
        self.waitingFor.withLock { $0 <= 0 }
    }
}
