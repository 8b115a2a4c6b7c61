// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What a value in a document looks like: how it is read, and its JSON Schema. Every field of every kind is declared
/// once as one of these, so that what the server accepts and what `signalbox schema` says cannot drift apart.
struct Format<Value>: Sendable {
    /// A fragment of JSON Schema. It may accept more than `read`, where JSON Schema has no word for a rule; never less.
    let schema: JSONValue
    /// Nil if the node is no such value, which is then among the faults.
    let read: @Sendable (YAMLNode, Faults) -> Value?

    init(schema: JSONValue, read: @escaping @Sendable (YAMLNode, Faults) -> Value?) {
        self.schema = schema
        self.read = read
    }

    /// The same text, as another type.
    func map<Other>(_ transform: @escaping @Sendable (Value) -> Other?) -> Format<Other> {
        Format<Other>(schema: self.schema) { node, faults in
            self.read(node, faults).flatMap(transform)
        }
    }

    /// With the line on which the value begins.
    var located: Format<Located<Value>> {
        Format<Located<Value>>(schema: self.schema) { node, faults in
            self.read(node, faults).map { Located(value: $0, line: node.line) }
        }
    }
}

struct Located<Value> {
    let value: Value
    let line: Int
}

extension Located: Sendable where Value: Sendable {}

extension Faults {
    /// For a value that is of another type than the field.
    func wrongType(_ node: YAMLNode, expected: String, cure: String) {
        if case .refused = node.content { return }
        self.report(
            .wrongType,
            line: node.line,
            "\(node.label) must be \(expected) and is \(node.described)",
            cure: cure
        )
    }
}

// MARK: - Lists and maps

extension Format {
    static func list<Item>(
        of item: Format<Item>,
        atLeast minimum: Int = 0,
        atMost maximum: Int? = nil
    ) -> Format where Value == [Item] {
        var schema: JSONValue = ["type": "array", "items": item.schema]
        schema = minimum == 0 ? schema : schema.adding([("minItems", .number(String(minimum)))])
        schema = maximum.map { schema.adding([("maxItems", .number(String($0)))]) } ?? schema
        return Format(schema: schema) { node, faults in
            guard case .list(let items) = node.content else {
                faults.wrongType(node, expected: "a list", cure: "write it as a list: \(node.label): [...]")
                return nil
            }
            if items.count < minimum {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must have at least \(minimum) entry and has \(items.count)",
                    cure: "add an entry"
                )
            }
            if let maximum, items.count > maximum {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must have at most \(maximum) entries and has \(items.count)",
                    cure: "remove some"
                )
                return nil
            }
            return items.compactMap { item.read($0, faults) }
        }
    }
}

extension Format where Value == [String: String] {
    /// Any keys, with strings for values.
    static var map: Format { .map(of: .text, to: .text) }

    static func map(of key: Format<String>, to value: Format<String>) -> Format {
        Format(
            schema: ["type": "object", "propertyNames": key.schema, "additionalProperties": value.schema]
        ) { node, faults in
            guard case .mapping(let entries) = node.content else {
                faults.wrongType(
                    node,
                    expected: "a mapping",
                    cure: "write it as a mapping: \(node.label): {key: value}"
                )
                return nil
            }
            var map: [String: String] = [:]
            for entry in entries {
                let name = YAMLNode(
                    label: "a key of \(node.label)",
                    line: entry.line,
                    content: .scalar(YAMLScalar(text: entry.key, isQuoted: true))
                )
                guard let key = key.read(name, faults) else { continue }
                map[key] = value.read(entry.value, faults)
            }
            return map
        }
    }
}

// MARK: - Numbers and choices

extension Format where Value == Int {
    static func integer(in range: ClosedRange<Int>) -> Format {
        let schema: JSONValue = [
            "type": "integer", "minimum": .number(String(range.lowerBound)),
            "maximum": .number(String(range.upperBound)),
        ]
        return Format(schema: schema) { node, faults in
            guard case .scalar(let scalar) = node.content, scalar.meaning == .integer else {
                faults.wrongType(node, expected: "an integer", cure: Self.cure(for: node, in: range))
                return nil
            }
            guard let value = Int(scalar.text), range.contains(value) else {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must be in \(range.lowerBound)...\(range.upperBound) and is \(scalar.text.printable)",
                    cure: "write a number in that range"
                )
                return nil
            }
            return value
        }
    }

    /// One of a few numbers.
    static func integer(among allowed: [Int]) -> Format {
        let names = allowed.map(String.init)
        return Format(schema: ["enum": .array(names.map { .number($0) })]) { node, faults in
            guard case .scalar(let scalar) = node.content, scalar.meaning == .integer else {
                faults.wrongType(node, expected: "an integer", cure: "write one of \(names.joined(separator: ", "))")
                return nil
            }
            guard let value = Int(scalar.text), allowed.contains(value) else {
                faults.notAllowed(node, text: scalar.text, allowed: names)
                return nil
            }
            return value
        }
    }

    private static func cure(for node: YAMLNode, in range: ClosedRange<Int>) -> String {
        if let text = node.text, Int(text) != nil { return "remove the quotes" }
        return "write a decimal number in \(range.lowerBound)...\(range.upperBound)"
    }
}

extension Format where Value == UInt16 {
    static var port: Format {
        Format<Int>.integer(in: 1...65535).map { UInt16(exactly: $0) }
    }
}

extension Format where Value == Bool {
    static var boolean: Format {
        Format(schema: ["type": "boolean"]) { node, faults in
            guard case .scalar(let scalar) = node.content, scalar.meaning == .boolean else {
                faults.wrongType(node, expected: "true or false", cure: "write true or false, without quotes")
                return nil
            }
            return scalar.text.lowercased() == "true"
        }
    }
}

extension Format where Value: RawRepresentable<String>, Value: CaseIterable, Value: Sendable {
    static var choice: Format {
        Format<String>.choice(of: Value.allCases.map(\.rawValue)).map { Value(rawValue: $0) }
    }
}

extension Format where Value == String {
    static func choice(of allowed: [String]) -> Format {
        Format(schema: ["enum": .strings(allowed)]) { node, faults in
            guard let text = Self.text.read(node, faults) else { return nil }
            guard allowed.contains(text) else {
                faults.notAllowed(node, text: text, allowed: allowed)
                return nil
            }
            return text
        }
    }
}

extension Faults {
    fileprivate func notAllowed(_ node: YAMLNode, text: String, allowed: [String]) {
        let guess = Spelling.nearest(to: text, among: allowed).map { "did you mean \($0)?" }
        self.report(
            .notAllowed,
            line: node.line,
            "\(node.label) must be one of \(allowed.joined(separator: ", ")) and is \(text.excerpt)",
            cure: guess ?? "write one of them"
        )
    }
}
