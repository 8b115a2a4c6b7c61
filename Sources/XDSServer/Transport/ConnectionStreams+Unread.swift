// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What the client has asked for and does not read.
extension ConnectionStreams {
    /// So much of what waits is to be read in the time, or nobody reads: one byte now and then is no reading.
    private static let part = 8
    /// How often it is looked at before streams are ended.
    private static let patience = 4

    /// Whether an answer may be made. One always may: who reads gets on, whatever others do.
    var hasRoom: Bool { self.unread == 0 || !self.budget.isUsedUp }

    /// So much more of large answers waits to be read.
    func count(_ bytes: Int) {
        self.unread += bytes
        self.budget.add(bytes)
        if bytes < 0 { self.readSince -= bytes }
        // Not anew with each answer: most are gone at once.
        if bytes > 0, self.stallTimer == nil { self.watchOver() }
    }

    private func watchOver() {
        let time = TimeAmount.nanoseconds(self.budget.time.nanoseconds / Int64(Self.patience))
        let bound = NIOLoopBound(self, eventLoop: self.channel.eventLoop)
        self.stallTimer = self.channel.eventLoop.scheduleTask(in: time) { bound.value.look() }
    }

    private func look() {
        self.stallTimer = nil
        self.looks += 1
        if self.readSince * Self.part >= self.unread { (self.looks, self.readSince) = (0, 0) }
        guard self.unread > 0 else { return }
        // Of the whole connection: on a slow line the answers on its streams go out one after the other.
        if self.looks > Self.patience, self.budget.isUsedUp {
            // What ends a stream would wait behind the rest.
            guard self.channel.isWritable else { return self.channel.close(promise: nil) }
            for stream in Array(self.streams.values) where stream.isUnread && self.budget.isUsedUp {
                stream.call?.stalled()
            }
        }
        // Others may have made room.
        self.writeIfPossible()
        if self.unread > 0, self.stallTimer == nil { self.watchOver() }
    }
}
