// SPDX-License-Identifier: Apache-2.0

import Routing

/// A raw resource whose current version cannot be passed on.
struct UnusableResource {
    let raw: RawResource
    let failure: RawResourceFailure
    /// Whether nothing else is wrong with it.
    let isNameTaken: Bool
    /// What could be passed on of it, best first, if only another resource had not its name. Empty if something is passed on.
    var waiting: [TranslatedResource] = []
}

extension [UnusableResource] {
    /// What waits for a name that is free again. What is good now comes before what was good.
    mutating func takeFirst(_ reference: ResourceReference) -> TranslatedResource? {
        let index =
            self.firstIndex { $0.isNameTaken && $0.waiting.first?.reference == reference }
            ?? self.firstIndex { $0.waiting.contains { $0.reference == reference } }
        guard let index else { return nil }
        // All of it: no document has two resources.
        defer { self[index].waiting = [] }
        return self[index].waiting.first { $0.reference == reference }
    }
}
