// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension Format where Value == String {
    /// Any text. What YAML reads as a number or a truth value is refused and not turned into text: nobody can tell
    /// whether `1.10` was to be "1.10" or "1.1".
    static var text: Format {
        Format(schema: ["type": "string"]) { node, faults in
            if let text = node.text { return text }
            let cure =
                switch node.content {
                case .scalar(let scalar) where scalar.meaning == .null: "write a value, or remove the field"
                case .scalar(let scalar): "put it in quotes: \(scalar.text.excerpt)"
                case .list, .mapping, .refused: "write one value"
                }
            faults.wrongType(node, expected: "a string", cure: cure)
            return nil
        }
    }

    static var nonEmptyText: Format {
        Format(schema: ["type": "string", "minLength": 1]) { node, faults in
            let text = Self.text.read(node, faults)
            guard text != "" else {
                faults.report(.outOfRange, line: node.line, "\(node.label) must not be empty", cure: "write a value")
                return nil
            }
            return text
        }
    }

    /// Text of a form that `parse` knows, and brings into the form in which it is compared.
    static func text(
        _ expected: String,
        pattern: String,
        maximumBytes: Int? = nil,
        cure: @escaping @Sendable (String) -> String,
        parse: @escaping @Sendable (String) -> String?
    ) -> Format {
        let schema: JSONValue = ["type": "string", "pattern": .string(pattern)]
        let bounds: [(key: String, value: JSONValue)] = maximumBytes.map { [("maxLength", .number(String($0)))] } ?? []
        return Format(schema: schema.adding(bounds)) { node, faults in
            guard let text = Self.text.read(node, faults) else { return nil }
            if let maximumBytes, text.utf8.count > maximumBytes {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must have at most \(maximumBytes) bytes and has \(text.utf8.count)",
                    cure: "shorten it"
                )
                return nil
            }
            guard let parsed = parse(text) else {
                let message = "\(node.label) must be \(expected), which \(text.excerpt) is not"
                faults.report(.badFormat, line: node.line, message, cure: cure(text))
                return nil
            }
            return parsed
        }
    }

    /// Of a document, and of what others refer to in a document.
    static var name: Format {
        .text("a name", pattern: "^\(TextSyntax.namePattern)$") { _ in
            "write 1 to 253 letters, digits, dots, dashes and underscores, a letter or a digit first"
        } parse: {
            TextSyntax.isName($0[...]) ? $0 : nil
        }
    }

    /// In lower case.
    static var hostname: Format {
        .text("a host name", pattern: "^\(TextSyntax.hostnamePattern)$") { _ in
            "write a host name without port or wildcard, such as web.example.com"
        } parse: {
            TextSyntax.isHostname($0[...]) ? $0.lowercased() : nil
        }
    }

    /// A host name or one with `*` for its first label; in lower case.
    static var hostnamePattern: Format {
        .text("a host name or \"*.\" and a host name", pattern: "^(\\*\\.)?\(TextSyntax.hostnamePattern)$") { text in
            text == "*"
                ? "leave hostnames out to match every host"
                : "write a host name without port, such as web.example.com or \"*.example.com\""
        } parse: {
            TextSyntax.isHostname($0.hasPrefix("*.") ? $0.dropFirst(2) : $0[...]) ? $0.lowercased() : nil
        }
    }

    /// In its canonical form: Envoy refuses a second listener on one address, however it is written.
    static var ipAddress: Format {
        .text("an IP address", pattern: "^(\(IPAddress.version4Pattern)|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$") { _ in
            "write an IPv4 or IPv6 address, such as 10.0.0.1 or \"::1\"; host names are not resolved"
        } parse: {
            IPAddress($0)?.description
        }
    }

    /// A word that becomes part of a name in Envoy. ASCII only: what Unicode holds to be equal is equal here and has
    /// one cluster, and would be two names in Envoy.
    static func label(emptyAllowed: Bool = false) -> Format {
        .text(
            "printable ASCII\(emptyAllowed ? "" : " and not empty")",
            pattern: "^[ -~]\(emptyAllowed ? "*" : "+")$",
            maximumBytes: 255,
            cure: { _ in "write letters, digits and punctuation" },
            parse: { text in
                let isPrintable = text.utf8.allSatisfy { (UInt8(ascii: " ")...UInt8(ascii: "~")).contains($0) }
                return isPrintable && (emptyAllowed || !text.isEmpty) ? text : nil
            }
        )
    }

    /// What a proxy says of itself, with an optional `*` at the end.
    static var proxyPattern: Format {
        .text("text with a * at most at its end", pattern: "^([^*]+\\*?|\\*)$") { _ in
            "write the whole value, or its beginning and a *"
        } parse: {
            $0.isEmpty || $0.dropLast().contains("*") ? nil : $0
        }
    }

    /// An expression that Envoy takes.
    static var regularExpression: Format {
        Format(schema: self.nonEmptyText.schema) { node, faults in
            guard let expression = Self.nonEmptyText.read(node, faults) else { return nil }
            if let refusal = RegularExpression.refusal(of: expression) {
                faults.report(
                    .regularExpressionRefused,
                    line: node.line,
                    "Envoy would refuse \(node.label) \(expression.excerpt): \(refusal.printable)",
                    cure: "write it in RE2 syntax (no look-around, no back-references), and short"
                )
                return nil
            }
            return expression
        }
    }
}

extension Format where Value == YAMLNode {
    /// Text of a form that depends on another field.
    static var dependentText: Format {
        Format(schema: Format<String>.text.schema) { node, _ in node }
    }
}
