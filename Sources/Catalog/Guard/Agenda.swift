// SPDX-License-Identifier: Apache-2.0

/// Things to be looked at in the order in which they were put in, which is that of their times.
struct Agenda<Time: Comparable & Sendable, Item: Sendable>: Sendable {
    private var items: [(time: Time, item: Item)] = []
    private var start = 0

    var first: Time? { self.start < self.items.count ? self.items[self.start].time : nil }
    var count: Int { self.items.count - self.start }

    mutating func append(_ item: Item, at time: Time) {
        self.items.append((time, item))
    }

    /// The first one, if its time is at most this.
    mutating func pop(through time: Time) -> (time: Time, item: Item)? {
        guard let first = self.first, first <= time else { return nil }
        let item = self.items[self.start]
        self.start += 1
        if self.start > 64, self.start * 2 > self.items.count {
            self.items.removeFirst(self.start)
            self.start = 0
        }
        return item
    }

    mutating func removeAll() -> [(time: Time, item: Item)] {
        defer { self = Agenda() }
        return Array(self.items[self.start...])
    }

    /// Leaves out what no longer matters.
    mutating func compact(_ isCurrent: (Time, Item) -> Bool) {
        self.items = self.items[self.start...].filter { isCurrent($0.time, $0.item) }
        self.start = 0
    }
}
