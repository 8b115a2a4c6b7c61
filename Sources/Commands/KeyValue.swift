// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A `key=value` argument.
struct KeyValue: ExpressibleByArgument, Hashable {
    var key: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        self.key = String(argument[..<equals])
        self.value = String(argument[argument.index(after: equals)...])
    }

    /// The last one of a key counts.
    static func dictionary(_ pairs: [KeyValue]) -> [String: String] {
        Dictionary(pairs.map { ($0.key, $0.value) }) { $1 }
    }
}
