// SPDX-License-Identifier: Apache-2.0

/// State of the world: what is gone and stays listed, because the client refused a response that had nothing else new than
/// that it was missing. Nobody says what a client means by that, and to say it again would be refused again.
///
/// When the type changes and the client accepts that, the removal is tried once more.
struct RefusedRemovals: Sendable {
    /// What the client said.
    private(set) var messages: [ResourceName: String] = [:]
    /// The type changed since.
    private var mayRetry = false

    var isEmpty: Bool { self.messages.isEmpty }

    func contains(_ name: ResourceName) -> Bool { self.messages[name] != nil }

    mutating func insert(_ names: [ResourceName], message: String) {
        let message = Suspects.excerpt(message)
        for name in names { self.messages[name] = message }
        self.mayRetry = false
    }

    /// It is there again, or not asked for any more.
    mutating func forget(_ name: ResourceName) {
        if !self.messages.isEmpty { self.messages[name] = nil }
    }

    mutating func typeChanged() {
        self.mayRetry = !self.messages.isEmpty
    }

    /// The client accepted a whole response.
    /// - Returns: what is to be removed after all.
    mutating func accepted() -> [ResourceName] {
        guard self.mayRetry else { return [] }
        self.mayRetry = false
        defer { self.messages = [:] }
        return Array(self.messages.keys)
    }
}
