// SPDX-License-Identifier: Apache-2.0

/// Who has how much of a budget, and whose turn it is when that is used up. See `ByteBudget`.
struct ByteLedger<Taker: Hashable & Sendable>: Sendable {
    /// Beyond this, they wait.
    let limit: Int
    /// What the one that goes on may fill up to.
    let ceiling: Int
    private(set) var used = 0
    /// Who goes on though it is used up.
    private var first: Taker?
    private var waiting: [(taker: Taker, bytes: Int)] = []

    init(limit: Int, ceiling: Int) {
        self.limit = limit
        self.ceiling = max(limit, ceiling)
    }

    /// Whether it may have them; nil: it must wait until it is told.
    mutating func take(_ bytes: Int, for taker: Taker) -> Bool? {
        let isGranted = self.grant(bytes, to: taker)
        if isGranted == nil { self.waiting.append((taker, bytes)) }
        return isGranted
    }

    /// It takes no more, and gives back what it has. Returns what those are to be told who waited.
    mutating func end(_ taker: Taker, returning bytes: Int) -> [(taker: Taker, isGranted: Bool)] {
        self.used -= bytes
        var told = self.waiting.filter { $0.taker == taker }.map { (taker: $0.taker, isGranted: false) }
        self.waiting.removeAll { $0.taker == taker }
        if self.first == taker { self.first = nil }
        while let next = self.waiting.first, let isGranted = self.grant(next.bytes, to: next.taker) {
            self.waiting.removeFirst()
            told.append((next.taker, isGranted))
        }
        return told
    }

    /// Nil: not now.
    private mutating func grant(_ bytes: Int, to taker: Taker) -> Bool? {
        if self.used + bytes > self.limit {
            if self.first == nil { self.first = taker }
            guard self.first == taker else { return nil }
            guard self.used + bytes <= self.ceiling else { return false }
        }
        self.used += bytes
        return true
    }
}
