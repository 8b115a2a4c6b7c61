// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// One timer, set again and again. It may ring early, never late.
///
/// Its times are those of a clock that goes on while the machine sleeps, and the event loop's clock does not. So whenever it
/// is set, it is set anew from the time that is left. What it waits for during a sleep may be late by that, until it is set.
struct Alarm {
    private struct Pending {
        var time: Duration
        var deadline: NIODeadline
        var task: Scheduled<Void>
    }

    /// How far apart two readings of both clocks may seem, for that they are not read in one moment.
    private static let tolerance = TimeAmount.milliseconds(1)
    /// Far from where a deadline overflows.
    private static let longest = Duration.seconds(24 * 60 * 60)

    private let eventLoop: any EventLoop
    private let ring: @Sendable () -> Void
    private var pending: Pending?

    init(
        on eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
        ring: @escaping @Sendable () -> Void
    ) {
        self.eventLoop = eventLoop
        self.ring = ring
    }

    /// - Parameter now: on the same clock.
    mutating func set(_ time: Duration?, at now: Duration) {
        guard let time else { return }
        let deadline = NIODeadline.now() + TimeAmount(min(max(time - now, .zero), Self.longest))
        if let pending = self.pending {
            guard time < pending.time || pending.deadline > deadline + Self.tolerance else { return }
            pending.task.cancel()
        }
        let task = self.eventLoop.scheduleTask(deadline: deadline, self.ring)
        self.pending = Pending(time: time, deadline: deadline, task: task)
    }

    mutating func rang() { self.pending = nil }

    mutating func cancel() {
        self.pending?.task.cancel()
        self.pending = nil
    }
}
