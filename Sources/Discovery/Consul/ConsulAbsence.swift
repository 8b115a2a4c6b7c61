// SPDX-License-Identifier: Apache-2.0

/// What an answer lacks of what is in force. It says nothing of why: so each is asked for by its own name, one after the
/// other, and is there, or gone, or the token may not know.
///
/// Thousands may be lost with one right. So a few of them are asked for: if none of these may be read, the others may not,
/// either, and after one that may, a few more. All of these stay.
struct ConsulAbsence: Sendable {
    /// How many are asked for if all are refused.
    static let tries = 8

    private struct Group: Sendable {
        /// The next is the last.
        private(set) var waiting: [ConsulQuery.Subject]
        /// How many more are asked for if all are refused.
        var tries: Int

        init(_ subjects: [ConsulQuery.Subject], tries: Int) {
            self.waiting = subjects.reversed()
            self.tries = tries
        }

        var next: ConsulQuery.Subject? { self.tries > 0 ? self.waiting.last : nil }

        mutating func takeNext() -> ConsulQuery.Subject { self.waiting.removeLast() }
    }

    private var groups: [Group]
    /// Those that were asked for and are not there, or refused and let go.
    private(set) var gone: [ConsulQuery.Subject] = []
    /// Those that were asked for and are refused.
    private var asked: [ConsulQuery.Subject] = []
    /// What the last of them was answered; nil: there was none.
    private(set) var failure: ConsulFailure?
    let isToRetry: Bool

    /// - Parameters:
    ///   - each: all of these are asked for.
    ///   - new: of these, nothing is known.
    ///   - refused: they were before. Those that were asked for longest ago come first.
    ///   - isToRetry: whether some of these are asked for again.
    init(
        each: [ConsulQuery.Subject],
        new: [ConsulQuery.Subject],
        refused: [ConsulQuery.Subject],
        isToRetry: Bool
    ) {
        self.isToRetry = isToRetry
        self.groups = [
            Group(each, tries: .max), Group(Self.spread(new), tries: Self.tries),
            Group(refused, tries: isToRetry ? Self.tries : 0),
        ]
    }

    /// What to ask for; nil: all is known.
    var next: ConsulQuery.Subject? { self.groups.lazy.compactMap(\.next).first }

    /// What is kept, in the order in which to ask for it again.
    var refused: [ConsulQuery.Subject] { self.groups.flatMap { $0.waiting.reversed() } + self.asked }

    /// The next one may be read, and is gone: so others may be.
    mutating func isGone() {
        self.gone += self.take { $0.tries = max($0.tries, Self.tries) }
    }

    /// The token may not read the next one.
    mutating func isRefused(_ failure: ConsulFailure) {
        self.failure = failure
        self.asked += self.take { $0.tries -= 1 }
    }

    /// The next one was refused, and that does not matter.
    mutating func isLetGo() {
        self.gone += self.take { _ in }
    }

    /// Returns the next one, if there is any.
    private mutating func take(_ change: (inout Group) -> Void) -> [ConsulQuery.Subject] {
        guard let place = self.groups.firstIndex(where: { $0.next != nil }) else { return [] }
        defer { change(&self.groups[place]) }
        return [self.groups[place].takeNext()]
    }

    /// The same in an order in which the first few are of all parts: those that are lost together have similar names.
    private static func spread(_ subjects: [ConsulQuery.Subject]) -> [ConsulQuery.Subject] {
        let step = max(1, subjects.count / Self.tries)
        return (0..<step).flatMap { first in stride(from: first, to: subjects.count, by: step).map { subjects[$0] } }
    }
}
