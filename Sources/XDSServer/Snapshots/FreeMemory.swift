// SPDX-License-Identifier: Apache-2.0

import CMalloc
import NIOCore
import NIOPosix
import Synchronization

/// The memory that `malloc` keeps though nobody uses it.
final class FreeMemory: Sendable {
    /// There is one `malloc` in a process.
    static let shared = FreeMemory()

    private let start = ContinuousClock.now
    private let pace: Mutex<GivingBack>
    private let trim: @Sendable () -> Void

    /// Parameters are for tests.
    init(interval: Duration = GivingBack.interval, trim: @escaping @Sendable () -> Void = { malloc_trim(0) }) {
        self.trim = trim
        self.pace = Mutex(GivingBack(interval: interval))
    }

    /// Gives whole pages of it back to the system, of all arenas, in some milliseconds, during which nobody else can
    /// allocate. Not long after the last time it is done later, and not on the caller's event loop.
    ///
    /// By itself `malloc` gives back only what is free at the end of an arena, and what is made last stays longest: after a
    /// catalog was read, or a group's resources were made, a third of the process may be holes. It would give back more
    /// under a lower `M_TRIM_THRESHOLD`, but then at every change, which costs three times the CPU of one.
    func giveBack() {
        // The time is taken under the lock, so that it never goes back.
        switch self.pace.withLock({ $0.asked(at: self.start.duration(to: .now)) }) {
        case .now: self.trim()
        case .later(let wait):
            MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: TimeAmount(wait)) {
                NIOThreadPool.singleton.submit { _ in
                    self.pace.withLock { $0.began(at: self.start.duration(to: .now)) }
                    self.trim()
                }
            }
        case .none: break
        }
    }
}
