// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// One timer, set again and again. It may ring early, never late.
struct NomadAlarm {
    private let start: NIODeadline
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    private let ring: @Sendable () -> Void
    private var next: (time: Duration, task: Scheduled<Void>)?

    /// - Parameter start: the zero of its times.
    init(start: NIODeadline, ring: @escaping @Sendable () -> Void) {
        self.start = start
        self.ring = ring
    }

    mutating func set(_ time: Duration?) {
        guard let time else { return }
        if let next = self.next {
            guard time < next.time else { return }
            next.task.cancel()
        }
        let ring = self.ring
        self.next = (time, self.eventLoop.scheduleTask(deadline: self.start + TimeAmount(time)) { ring() })
    }

    mutating func rang() {
        self.next = nil
    }

    mutating func cancel() {
        self.next?.task.cancel()
        self.next = nil
    }
}
