// SPDX-License-Identifier: Apache-2.0

import CEpoll
import Glibc

/// Waits for many sockets at once: epoll.
final class Poller {
    private let descriptor: CInt
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)

    init() throws(LoadFailure) {
        self.descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard self.descriptor >= 0 else { throw LoadFailure("no epoll: \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(self.descriptor)
        self.events.deallocate()
    }

    /// - Parameter token: what `wait` tells of it. It is forgotten when it is closed.
    func add(_ socket: Socket, token: Int) {
        self.control(EPOLL_CTL_ADD, socket, token)
    }

    /// What the socket waits for may have changed.
    func update(_ socket: Socket, token: Int) {
        self.control(EPOLL_CTL_MOD, socket, token)
    }

    private func control(_ operation: CInt, _ socket: Socket, _ token: Int) {
        let interest = EPOLLIN.rawValue | (socket.isBehind ? EPOLLOUT.rawValue : 0)
        var event = epoll_event(events: interest, data: epoll_data_t(u64: UInt64(token)))
        epoll_ctl(self.descriptor, operation, socket.descriptor, &event)
    }

    /// Calls `body` for each socket that something can be done with, once something can or the time is over.
    func wait(milliseconds: CInt, _ body: (_ token: Int, _ isWritable: Bool) throws -> Void) rethrows {
        let count = epoll_wait(self.descriptor, self.events.baseAddress, CInt(self.events.count), milliseconds)
        for event in self.events.prefix(max(0, Int(count))) {
            try body(Int(event.data.u64), event.events & EPOLLOUT.rawValue != 0)
        }
    }
}
