// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A JSON value whose objects keep their order, for documents that people read.
enum JSONTree: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral
{
    case object([(String, JSONTree)])
    case array([JSONTree])
    case string(String)
    case number(Int)
    case bool(Bool)

    init(dictionaryLiteral elements: (String, JSONTree)...) { self = .object(elements) }
    init(arrayLiteral elements: JSONTree...) { self = .array(elements) }
    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }

    mutating func append(_ key: String, _ value: JSONTree) {
        guard case .object(var pairs) = self else { return }
        pairs.append((key, value))
        self = .object(pairs)
    }

    var text: String {
        switch self {
        case .object(let pairs):
            "{" + pairs.map { "\(Self.quoted($0)):\($1.text)" }.joined(separator: ",") + "}"
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .string(let string): Self.quoted(string)
        case .number(let number): String(number)
        case .bool(let bool): bool ? "true" : "false"
        }
    }

    private static func quoted(_ string: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(string) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
