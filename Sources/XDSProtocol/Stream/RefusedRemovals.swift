// SPDX-License-Identifier: Apache-2.0

/// State of the world: what is gone and stays listed, because the client refused a response that had nothing else new than
/// that it was missing. Nobody says what a client means by that, and to say it again would be refused again.
///
/// When the type changes and the client accepts that, the removal is tried once more.
///
/// What it refers to nobody can read here. So everything that it may refer to stays as well, for as long as a listener that
/// goes is drained, and not until the type changes, which it may never do again.
struct RefusedRemovals: Sendable {
    private struct Refusal: Sendable {
        /// What the client said; nil: the removal is being tried once more.
        var message: String?
        let batch: Int
        var holdsBack = true
    }

    private var refusals: [ResourceName: Refusal] = [:]
    /// The type changed since.
    private var mayRetry = false
    private var batches = 0
    /// Those that were refused for the first time, until somebody counts their time.
    private var newBatch: Int?

    var isEmpty: Bool { self.refusals.isEmpty }

    /// Those that were refused, also if that is being tried once more.
    var names: some Collection<ResourceName> { self.refusals.keys }

    /// Whether what may be referred to is to stay.
    var holdBack: Bool { self.refusals.values.contains { $0.holdsBack && $0.message != nil } }

    func contains(_ name: ResourceName) -> Bool { self.message(name) != nil }

    /// What the client said; nil if it is not listed any more.
    func message(_ name: ResourceName) -> String? { self.refusals[name]?.message }

    mutating func insert(_ names: [ResourceName], message: String) {
        let message = Suspects.excerpt(message)
        self.mayRetry = false
        let first = names.filter { self.refusals[$0] == nil }
        if !first.isEmpty {
            self.batches += 1
            self.newBatch = self.batches
        }
        for name in names { self.refusals[name, default: Refusal(batch: self.batches)].message = message }
    }

    /// Whose time begins; nil: nobody's. A refusal that is repeated has no more time than at first.
    mutating func takeNewBatch() -> Int? { self.newBatch.take() }

    /// They held back what they may refer to for long enough.
    mutating func outwait(_ batch: Int) {
        for (name, refusal) in self.refusals where refusal.batch == batch { self.refusals[name]?.holdsBack = false }
    }

    /// It is there again, or gone after all, or not asked for any more.
    mutating func forget(_ name: ResourceName) {
        if !self.refusals.isEmpty { self.refusals[name] = nil }
    }

    mutating func typeChanged() {
        self.mayRetry = !self.refusals.isEmpty
    }

    /// The client accepted a whole response.
    /// - Returns: what is to be removed after all.
    mutating func accepted() -> [ResourceName] {
        guard self.mayRetry else { return [] }
        self.mayRetry = false
        let retried = self.refusals.filter { $0.value.message != nil }.map(\.key)
        for name in retried { self.refusals[name]?.message = nil }
        return retried
    }
}
