// SPDX-License-Identifier: Apache-2.0

/// A JSON text to be: the JSON Schema and its fragments, and a raw resource on its way to Envoy.
indirect enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    /// As it is to be written.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// In the order in which it is to be written.
    case object([(key: String, value: JSONValue)])

    /// On one line, or indented by two spaces a level.
    func text(pretty: Bool = false) -> String {
        var output = ""
        self.write(to: &output, indentation: pretty ? "\n" : nil)
        return output
    }

    private func write(to output: inout String, indentation: String?) {
        switch self {
        case .null: output += "null"
        case .boolean(let value): output += value ? "true" : "false"
        case .number(let text): output += text
        case .string(let value): Self.write(value, to: &output)
        case .array(let items):
            Self.write(items, between: ("[", "]"), to: &output, indentation: indentation) { item, output, indentation in
                item.write(to: &output, indentation: indentation)
            }
        case .object(let members):
            Self.write(members, between: ("{", "}"), to: &output, indentation: indentation) {
                member,
                output,
                indentation in
                Self.write(member.key, to: &output)
                output += indentation == nil ? ":" : ": "
                member.value.write(to: &output, indentation: indentation)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item],
        between brackets: (String, String),
        to output: inout String,
        indentation: String?,
        item write: (Item, inout String, String?) -> Void
    ) {
        let inner = items.isEmpty ? nil : indentation.map { $0 + "  " }
        output += brackets.0
        for (index, item) in items.enumerated() {
            output += index == 0 ? "" : ","
            output += inner ?? ""
            write(item, &output, inner)
        }
        output += inner == nil ? "" : indentation ?? ""
        output += brackets.1
    }

    private static func write(_ string: String, to output: inout String) {
        output += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\0"..<" ", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(String(value)) }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { (key: $0.0, value: $0.1) })
    }

    static func strings(_ values: some Sequence<String>) -> JSONValue { .array(values.map { .string($0) }) }

    /// An object with the members of both.
    func adding(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
        guard case .object(let own) = self else { return self }
        return .object(own + members)
    }
}
