// SPDX-License-Identifier: Apache-2.0

extension [String] {
    /// For people: "the service a", "the services a, b and 3 more". In the order that they have.
    ///
    /// - Parameter count: how many there are in all, if these are the first of them.
    func named(_ kind: String, of count: Int? = nil) -> String {
        let limit = 10
        let rest = (count ?? self.count) - limit
        // The words do not change with each of thousands.
        let more = rest > 100 ? " and more than \(rest > 1000 ? 1000 : 100) more" : rest > 0 ? " and \(rest) more" : ""
        return "the \(kind)\(self.count == 1 ? "" : "s") \(self.prefix(limit).joined(separator: ", "))\(more)"
    }

    /// The first ten of many, at little cost.
    static func first(of names: some Sequence<String>) -> [String] {
        var first: [String] = []
        for name in names {
            if first.count == 10, let last = first.last, name >= last { continue }
            first.insert(name, at: first.firstIndex { name < $0 } ?? first.count)
            if first.count > 10 { first.removeLast() }
        }
        return first
    }
}
