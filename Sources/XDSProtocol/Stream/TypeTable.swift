// SPDX-License-Identifier: Apache-2.0

/// A value for each type that has one, found by the type's place instead of its hash: looked at several times a message.
struct TypeTable<Value: Sendable>: Sendable {
    private var known: [Value?] = Array(repeating: nil, count: TypeURL.known.count)
    private var others: [TypeURL: Value] = [:]

    subscript(type: TypeURL) -> Value? {
        get {
            if let index = type.index { self.known[index] } else { self.others[type] }
        }
        _modify {
            if let index = type.index {
                yield &self.known[index]
            } else {
                yield &self.others[type]
            }
        }
    }

    var count: Int { self.known.count { $0 != nil } + self.others.count }

    var types: [TypeURL] {
        TypeURL.known.filter { self[$0] != nil } + self.others.keys
    }

    /// Those that are not `TypeURL.known`.
    var otherTypes: Dictionary<TypeURL, Value>.Keys { self.others.keys }

    var values: [Value] { self.known.compactMap(\.self) + self.others.values }
}
