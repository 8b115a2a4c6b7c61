// SPDX-License-Identifier: Apache-2.0

/// One field of a mapping, declared once: from it come the reading, the schema and the text that editors show.
struct Field<Value>: Sendable {
    enum Presence: Sendable {
        case required
        case optional
        case `default`(JSONValue)
    }

    let name: String
    let format: Format<Value>
    let presence: Presence
    /// One or two sentences for whoever writes the document.
    let meaning: String

    init(_ name: String, _ format: Format<Value>, _ presence: Presence, _ meaning: String) {
        self.name = name
        self.format = format
        self.presence = presence
        self.meaning = meaning
    }

    /// Optional, without a default that could be written in the document.
    init(_ name: String, _ format: Format<Value>, _ meaning: String) {
        self.init(name, format, .optional, meaning)
    }

    var isRequired: Bool {
        if case .required = self.presence { true } else { false }
    }

    var schema: JSONValue {
        let described = self.format.schema.adding([("description", .string(self.meaning))])
        guard case .default(let value) = self.presence else { return described }
        return described.adding([("default", value)])
    }

    func read(from mapping: YAMLNode, _ faults: Faults) -> Value? {
        if let entry = mapping[self.name] { return self.format.read(entry.value, faults) }
        if self.isRequired {
            faults.report(
                .missingField,
                line: mapping.line,
                "\(mapping.label) must have the field \(self.name)",
                cure: "add it: \(self.meaning)"
            )
        }
        return nil
    }
}

/// How the fields of a mapping depend on each other.
enum FieldRule: Sendable {
    case exactlyOne(of: [String])
    case atLeastOne(of: [String])
    /// Where `field` is, the others are not.
    case excludes(field: String, others: [String])
    /// Where `field` has this value, `forbidden` are not; else `required` are.
    case variant(field: String, value: String, forbidden: [String], required: [String])

    var schema: JSONValue {
        func required(_ names: [String]) -> JSONValue { ["required": .strings(names)] }
        func forbidden(_ names: [String]) -> JSONValue {
            ["properties": .object(names.map { (key: $0, value: false) })]
        }
        return switch self {
        case .exactlyOne(let names): ["oneOf": .array(names.map { required([$0]) })]
        case .atLeastOne(let names): ["anyOf": .array(names.map { required([$0]) })]
        case .excludes(let field, let others): ["if": required([field]), "then": forbidden(others)]
        case .variant(let field, let value, let without, let with):
            [
                "if": ["required": [.string(field)], "properties": [field: ["const": .string(value)]]],
                "then": forbidden(without),
                "else": required(with),
            ]
        }
    }

    func check(_ mapping: YAMLNode, _ faults: Faults) {
        switch self {
        case .exactlyOne(let names):
            let present = names.compactMap { mapping[$0] }.sorted { $0.line < $1.line }
            if present.count != 1 {
                let text = names.joined(separator: " and ")
                faults.report(
                    .conflictingFields,
                    line: present.last?.line ?? mapping.line,
                    "\(mapping.label) must have exactly one of \(text), and has \(present.isEmpty ? "none" : "both")",
                    cure: present.isEmpty ? "add one of them" : "remove one of them"
                )
            }
        case .atLeastOne(let names):
            if !names.contains(where: { mapping[$0] != nil }) {
                faults.report(
                    .missingField,
                    line: mapping.line,
                    "\(mapping.label) must have at least one of \(names.joined(separator: ", "))",
                    cure: "add one of them"
                )
            }
        case .excludes(let field, let others):
            guard mapping[field] != nil else { return }
            for entry in others.compactMap({ mapping[$0] }) {
                Self.report(entry, unfitFor: field, faults)
            }
        case .variant(let field, let value, let forbidden, let required):
            if mapping[field]?.value.text == value {
                for entry in forbidden.compactMap({ mapping[$0] }) {
                    Self.report(entry, unfitFor: "\(field): \(value)", faults)
                }
            } else {
                for name in required where mapping[name] == nil {
                    faults.report(
                        .missingField,
                        line: mapping.line,
                        "\(mapping.label) must have the field \(name)",
                        cure: "add it, or write \(field): \(value)"
                    )
                }
            }
        }
    }

    private static func report(_ entry: YAMLNode.Entry, unfitFor other: String, _ faults: Faults) {
        faults.report(
            .conflictingFields,
            line: entry.line,
            "\(entry.key) has no meaning together with \(other)",
            cure: "remove one of the two"
        )
    }
}
