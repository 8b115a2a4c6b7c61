// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What the client has asked for and does not read: see `UnreadWatch`.
extension ConnectionStreams {
    /// Whether an answer may be made. One always may: who reads gets on, whatever others do.
    var hasRoom: Bool { self.unread.bytes == 0 || !self.budget.isUsedUp }

    /// So much more of large answers waits to be read.
    func count(_ bytes: Int) {
        self.unread.count(bytes)
        self.budget.add(bytes)
        // Not anew with each answer: most are gone at once.
        if bytes > 0, self.stallTimer == nil { self.watchOver() }
    }

    private func watchOver() {
        let time = TimeAmount.nanoseconds(self.budget.time.nanoseconds / Int64(UnreadWatch.patience))
        let bound = NIOLoopBound(self, eventLoop: self.channel.eventLoop)
        self.stallTimer = self.channel.eventLoop.scheduleTask(in: time) { bound.value.look() }
    }

    private func look() {
        self.stallTimer = nil
        let isStalled = self.unread.look()
        guard self.unread.bytes > 0 else { return }
        // Of the whole connection: on a slow line the answers on its streams go out one after the other.
        if isStalled, self.budget.isUsedUp {
            // What ends a stream would wait behind the rest.
            guard self.channel.isWritable else { return self.channel.close(promise: nil) }
            for stream in Array(self.streams.values) where stream.isUnread && self.budget.isUsedUp {
                stream.call?.stalled()
            }
        }
        // Others may have made room.
        self.writeIfPossible()
        if self.unread.bytes > 0, self.stallTimer == nil { self.watchOver() }
    }
}
