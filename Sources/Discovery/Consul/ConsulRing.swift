// SPDX-License-Identifier: Apache-2.0

/// All services in a ring, and which is next.
struct ConsulRing: Sendable {
    private var names: [String] = []
    private var place = 0
    private var additions = 0

    var count: Int { self.names.count }

    /// Those that are gone are dropped and new ones added, if there are new ones or many are gone; what is next stays next.
    ///
    /// - Parameters:
    ///   - names: all services, in any order.
    ///   - additions: how many were added to them, ever.
    mutating func turn(to names: some Collection<String>, additions: Int) {
        guard additions != self.additions || self.names.count > 2 * names.count else { return }
        self.additions = additions
        var missing = Set(names)
        let turned = self.names[self.place...] + self.names[..<self.place]
        self.names = turned.filter { missing.remove($0) != nil } + missing
        self.place = 0
    }

    mutating func next() -> String? {
        guard !self.names.isEmpty else { return nil }
        defer { self.place = (self.place + 1) % self.names.count }
        return self.names[self.place]
    }
}
