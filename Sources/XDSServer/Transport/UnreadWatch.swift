// SPDX-License-Identifier: Apache-2.0

/// Whether a client reads the large answers that it has asked for. Looked at `patience` times within the time that it may take
/// to begin; without a clock of its own.
struct UnreadWatch: Sendable {
    /// So much of what waits is to be read in the time, or nobody reads: one byte now and then is no reading.
    private static let part = 8
    /// How often it is looked at before the client is taken for one that does not read.
    static let patience = 4

    /// Of large answers, what waits to be read.
    private(set) var bytes = 0
    /// How often it was looked at since a part of them was read, and how much was read since then.
    private var looks = 0
    private var readSince = 0

    /// So much more waits to be read.
    mutating func count(_ more: Int) {
        self.bytes += more
        if more < 0 { self.readSince -= more }
    }

    /// A part of the time has passed.
    /// - Returns: whether nobody reads.
    mutating func look() -> Bool {
        self.looks += 1
        if self.readSince * Self.part >= self.bytes { (self.looks, self.readSince) = (0, 0) }
        return self.bytes > 0 && self.looks > Self.patience
    }
}
