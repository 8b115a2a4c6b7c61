// SPDX-License-Identifier: Apache-2.0

extension [String] {
    /// For people: "the service a", "the services a, b and 3 more". In the order that they have.
    func named(_ kind: String) -> String {
        let limit = 10
        let more = self.count > limit ? " and \(self.count - limit) more" : ""
        return "the \(kind)\(self.count == 1 ? "" : "s") \(self.prefix(limit).joined(separator: ", "))\(more)"
    }
}
