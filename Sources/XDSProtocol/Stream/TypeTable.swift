// SPDX-License-Identifier: Apache-2.0

/// A value for each type that has one, found by the type's place instead of its hash: looked at several times a message.
/// A stream has a few of the types, and the values lie close together.
///
/// A value is large: whoever works with one, or wants one field of it, does so in place, by `update`.
struct TypeTable<Value: Sendable>: Sendable {
    /// Where in `values` the value of a known type is; -1: it has none.
    private var places = SIMD16<Int8>(repeating: -1)
    private(set) var values: [Value] = []
    /// Where in `values` those are that are not `TypeURL.known`.
    private var otherPlaces: [TypeURL: Int] = [:]

    private func place(of type: TypeURL) -> Int? {
        guard let index = type.index else { return self.otherPlaces[type] }
        let place = self.places[index]
        return place < 0 ? nil : Int(place)
    }

    func contains(_ type: TypeURL) -> Bool { self.place(of: type) != nil }

    /// A copy.
    subscript(type: TypeURL) -> Value? { self.place(of: type).map { self.values[$0] } }

    /// Nil if the type has no value.
    @discardableResult @inline(__always)
    mutating func update<Result>(_ type: TypeURL, _ body: (inout Value) -> Result) -> Result? {
        guard let place = self.place(of: type) else { return nil }
        return body(&self.values[place])
    }

    mutating func updateAll(_ body: (inout Value) -> Void) {
        for place in self.values.indices { body(&self.values[place]) }
    }

    /// The type must not have a value.
    mutating func insert(_ value: Value, for type: TypeURL) {
        assert(!self.contains(type))
        if let index = type.index {
            self.places[index] = Int8(self.values.count)
        } else {
            self.otherPlaces[type] = self.values.count
        }
        self.values.append(value)
    }

    var count: Int { self.values.count }

    /// Those that are not `TypeURL.known`.
    var otherTypes: Dictionary<TypeURL, Int>.Keys { self.otherPlaces.keys }
}
