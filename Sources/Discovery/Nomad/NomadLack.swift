// SPDX-License-Identifier: Apache-2.0

/// A part that cannot be had, while the rest is taken.
struct NomadLack: Hashable, Sendable {
    /// For people.
    var what: String
    var failure: NomadFailure

    init(what: String, failure: NomadFailure) {
        self.what = what
        self.failure = failure
    }

    /// - Parameter troubles: of services. Those with the failure of the first are named, as others may have words of their own.
    init?(_ troubles: [NomadServiceKey: NomadFailure]) {
        guard let first = troubles.keys.min(), let failure = troubles[first] else { return nil }
        let alike = troubles.filter { $0.value == failure }.keys.sorted().map { "\($0.namespace)/\($0.name)" }
        let others = troubles.count - alike.count
        let more = others > 0 ? " (and \(others) more)" : ""
        self.init(what: "of \(alike.named("service"))\(more), what is known stays", failure: failure)
    }
}

extension [NomadLack] {
    /// For people. Several namespaces may lack the same.
    var words: String {
        var parts: [String] = []
        for lack in self {
            let part = "\(lack.what): \(lack.failure.text)"
            if !parts.contains(part) { parts.append(part) }
        }
        return parts.joined(separator: "; besides, ")
    }
}
