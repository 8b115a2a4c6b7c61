// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What an operator's word let go, and what it did not touch. Its description is the answer.
package struct Acceptance: Hashable, Sendable, CustomStringConvertible {
    /// Whose removals were accepted; nil: everybody's.
    package let source: SourceName?
    package let released: [HeldRemoval]
    package let stillHeld: [HeldRemoval]

    /// - Parameter held: all that was, before.
    package init(_ source: SourceName?, of held: [HeldRemoval]) {
        self.source = source
        self.released = held.filter { source == nil || $0.source == source }
        self.stillHeld = held.filter { source != nil && $0.source != source }
    }

    package var description: String {
        let rest = self.stillHeld.sums
        guard self.released.isEmpty else {
            let others = rest.isEmpty ? "" : "; still held: \(rest.map(\.description).joined(separator: ", "))"
            return "let go of \(self.released.sums.map(\.description).joined(separator: ", "))\(others)"
        }
        guard let source = self.source else { return "nothing is held" }
        let others = rest.map { "\($0) \($0.count == 1 ? "is" : "are")" }.joined(separator: ", ")
        return "nothing is held of \(source.rawValue)" + (others.isEmpty ? "" : "; \(others)")
    }
}

/// How much of one sort is held of a source, as it is told: "8 documents of file".
private struct HeldSum: CustomStringConvertible {
    var count: Int
    var one: String
    var many: String
    var source: SourceName

    var description: String {
        "\(self.count) \(self.count == 1 ? self.one : self.many) of \(self.source.rawValue)"
    }
}

extension [HeldRemoval] {
    fileprivate var sums: [HeldSum] {
        SourceName.allCases.flatMap { source in
            let mine = self.filter { $0.source == source }
            let counts = [
                (mine.reduce(0) { $0 + $1.instances }, "instance", "instances"),
                (mine.names(of: .configEntries), "config entry", "config entries"),
                (mine.names(of: .documents), "document", "documents"),
                (
                    mine.names(of: .hiddenPolicy), "config entry or document that it refuses to show",
                    "config entries and documents that it refuses to show"
                ),
            ]
            return counts.filter { $0.0 > 0 }.map { HeldSum(count: $0, one: $1, many: $2, source: source) }
        }
    }

    private func names(of reason: HeldRemoval.Reason) -> Int {
        self.filter { $0.reason == reason }.reduce(0) { $0 + $1.names.count }
    }
}
