// SPDX-License-Identifier: Apache-2.0

import Catalog

extension Format {
    /// A mapping with these fields and no others. `build` is called once all of them are read, with nil for what is
    /// absent or faulty, and returns nil where something that it needs is nil.
    static func object<each Part>(
        _ field: repeat Field<each Part>,
        rules: [FieldRule] = [],
        build: @escaping @Sendable (Origin, Faults, repeat (each Part)?) -> Value?
    ) -> Format {
        var names: [String] = []
        var required: [String] = []
        var properties: [(key: String, value: JSONValue)] = []
        for field in repeat each field {
            names.append(field.name)
            properties.append((field.name, field.schema))
            if field.isRequired { required.append(field.name) }
        }
        var schema: JSONValue = ["type": "object", "additionalProperties": false, "properties": .object(properties)]
        schema = required.isEmpty ? schema : schema.adding([("required", .strings(required))])
        schema = rules.isEmpty ? schema : schema.adding([("allOf", .array(rules.map(\.schema)))])

        return Format(schema: schema) { [names] node, faults in
            guard Self.check(node, fields: names, rules: rules, faults) else { return nil }
            let parts = (repeat (each field).read(from: node, faults))
            return build(faults.origin(line: node.line), faults, repeat each parts)
        }
    }

    /// False if it is not a mapping at all.
    private static func check(_ node: YAMLNode, fields: [String], rules: [FieldRule], _ faults: Faults) -> Bool {
        guard case .mapping(let entries) = node.content else {
            faults.wrongType(node, expected: "a mapping", cure: "write fields: \(fields.joined(separator: ", "))")
            return false
        }
        for entry in entries where !fields.contains(entry.key) {
            let guess = Spelling.nearest(to: entry.key, among: fields).map { "did you mean \($0)?" }
            faults.report(
                .unknownField,
                line: entry.line,
                "\(node.label) has no field \(entry.key.excerpt)",
                cure: guess ?? "remove it; the fields are \(fields.joined(separator: ", "))"
            )
        }
        for rule in rules {
            rule.check(node, faults)
        }
        return true
    }
}

extension Faults {
    /// For what must differ within a document: reports each item that repeats an earlier one.
    func reportRepetitions<Value, Key: Hashable>(
        of what: String,
        in items: [Located<Value>]?,
        by key: (Value) -> Key?,
        cure: String
    ) {
        var firstLines: [Key: Int] = [:]
        for item in items ?? [] {
            guard let key = key(item.value) else { continue }
            if let first = firstLines[key] {
                let message = "the same \(what) is on line \(first)"
                self.report(.duplicateWithinDocument, line: item.line, message, cure: cure)
            } else {
                firstLines[key] = item.line
            }
        }
    }
}
