// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import Synchronization

/// Makes first answers, which are the large ones, one each time the event loop comes round: a herd of proxies that reconnect
/// waits here, one behind the other, while changes for everybody else go on between two of them.
///
/// To be used on its event loop only.
final class AdmissionQueue {
    private let loop: any EventLoop
    private var waiting: Deque<() -> Void> = []

    init(loop: any EventLoop) {
        self.loop = loop
    }

    /// Runs `body` when it is the caller's turn: at once if nobody waits.
    func admit(_ body: @escaping () -> Void) {
        self.waiting.append(body)
        if self.waiting.count == 1 { self.scheduleNext() }
    }

    private func scheduleNext() {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        self.loop.execute { bound.value.runNext() }
    }

    private func runNext() {
        guard let body = self.waiting.first else { return }
        body()
        self.waiting.removeFirst()
        if !self.waiting.isEmpty { self.scheduleNext() }
    }
}

/// The queue of each event loop.
final class AdmissionQueues: Sendable {
    private let queues = Mutex<[ObjectIdentifier: NIOLoopBound<AdmissionQueue>]>([:])

    /// To be called on the loop.
    func queue(of loop: any EventLoop) -> AdmissionQueue {
        self.queues.withLock { queues in
            let bound = queues[ObjectIdentifier(loop)] ?? NIOLoopBound(AdmissionQueue(loop: loop), eventLoop: loop)
            queues[ObjectIdentifier(loop)] = bound
            return bound.value
        }
    }
}
