// SPDX-License-Identifier: Apache-2.0

/// The nodes that have streams, and those that had some until now: who comes back at once does not begin anew.
struct NodeAccounts {
    private struct Entry {
        var streams = 0
        let account: Account
    }

    /// More accounts without streams than that are looked through, and at the worst all forgotten.
    private static let idleKept = 4_096

    private var entries: [String: Entry] = [:]
    private var idle = 0

    /// - Returns: the node's account, and how many streams it has with this one.
    mutating func open(_ node: String, _ limits: StreamLimits) -> (account: Account, streams: Int) {
        var entry = self.entries[node] ?? Entry(account: .node(limits))
        if entry.streams == 0, self.entries[node] != nil { self.idle -= 1 }
        entry.streams += 1
        self.entries[node] = entry
        return (entry.account, entry.streams)
    }

    /// For what has no stream.
    mutating func account(of node: String, _ limits: StreamLimits) -> Account {
        defer { self.close(node) }
        return self.open(node, limits).account
    }

    mutating func close(_ node: String) {
        guard let streams = self.entries[node]?.streams else { return }
        self.entries[node]?.streams = streams - 1
        guard streams == 1 else { return }
        self.idle += 1
        if self.idle > Self.idleKept { self.sweep() }
    }

    private mutating func sweep() {
        self.entries = self.entries.filter { $0.value.streams > 0 || !$0.value.account.isAtRest }
        self.idle = self.entries.values.count { $0.streams == 0 }
        guard self.idle > Self.idleKept / 2 else { return }
        self.entries = self.entries.filter { $0.value.streams > 0 }
        self.idle = 0
    }
}
