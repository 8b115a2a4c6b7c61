// SPDX-License-Identifier: Apache-2.0

import Catalog

/// A value in a document, with what a diagnostic needs to point at it.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        case scalar(YAMLScalar)
        case list([YAMLNode])
        /// Keys are unique.
        case mapping([Entry])
        /// A fault of it was reported when it was parsed: there is nothing in it to read, and nothing more to say.
        case refused
    }

    struct Entry: Sendable {
        let key: String
        let line: Int
        let value: YAMLNode
    }

    /// What to call it in a message: the field that it is the value of, with an index in a list: `hostnames[1]`.
    let label: String
    /// Line of the file, from 1.
    let line: Int
    let content: Content
}

/// A scalar as written: what it stands for depends on whether it was quoted.
struct YAMLScalar: Sendable {
    enum Meaning {
        case string
        case integer
        case float
        case boolean
        case null
        /// YAML 1.1 and 1.2 read it differently (`yes`, `010`), so a person and a program may too.
        case ambiguous
    }

    let text: String
    let isQuoted: Bool

    /// By the core schema of YAML 1.2, https://yaml.org/spec/1.2.2/#103-core-schema, which is also JSON's reading.
    var meaning: Meaning {
        if self.isQuoted { return .string }
        switch self.text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "false", "False", "FALSE": return .boolean
        case "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF": return .ambiguous
        case ".nan", ".NaN", ".NAN": return .float
        default: return Self.numericMeaning(self.text) ?? .string
        }
    }

    private static func numericMeaning(_ text: String) -> Meaning? {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        if [".inf", ".Inf", ".INF"].contains(String(rest)) { return .float }
        let whole = rest.prefix(while: Self.isDigit)
        rest = rest.dropFirst(whole.count)
        guard !rest.isEmpty else {
            return whole.isEmpty ? nil : whole.count > 1 && whole.first == UInt8(ascii: "0") ? .ambiguous : .integer
        }
        if whole.elementsEqual([UInt8(ascii: "0")]), let base = rest.first,
            base == UInt8(ascii: "x") || base == UInt8(ascii: "o")
        {
            return Int(String(rest.dropFirst()) ?? "", radix: 16) == nil ? nil : .ambiguous
        }
        var digits = whole.count
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: Self.isDigit)
            digits += fraction.count
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard digits > 0 else { return nil }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard !rest.isEmpty else { return nil }
            rest = rest.drop(while: Self.isDigit)
        }
        return rest.isEmpty ? .float : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension YAMLNode {
    /// What it is, to go after "is" in a message.
    var described: String {
        switch self.content {
        case .mapping: "a mapping"
        case .list: "a list"
        case .refused: "unreadable"
        case .scalar(let scalar):
            switch scalar.meaning {
            case .null: "empty"
            case .string: "the text \(scalar.text.excerpt)"
            case .integer, .float: "the number \(scalar.text.prefix(60))"
            case .boolean: "the truth value \(scalar.text)"
            case .ambiguous: "\(scalar.text.prefix(60)), which YAML 1.1 and 1.2 read differently"
            }
        }
    }

    /// Nil for what is not a mapping, and for a key that is not in it.
    subscript(key: String) -> Entry? {
        guard case .mapping(let entries) = self.content else { return nil }
        return entries.first { $0.key == key }
    }

    /// The text of a scalar that means a string.
    var text: String? {
        guard case .scalar(let scalar) = self.content, scalar.meaning == .string else { return nil }
        return scalar.text
    }
}
