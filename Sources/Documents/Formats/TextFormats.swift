// SPDX-License-Identifier: Apache-2.0

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
        cure: @escaping @Sendable (String) -> String,
        parse: @escaping @Sendable (String) -> String?
    ) -> Format {
        Format(schema: ["type": "string", "pattern": .string(pattern)]) { node, faults in
            guard let text = Self.text.read(node, faults) else { return nil }
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

    static var ipAddress: Format {
        .text("an IP address", pattern: "^(\(IPAddress.version4Pattern)|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$") { _ in
            "write an IPv4 or IPv6 address, such as 10.0.0.1 or \"::1\"; host names are not resolved"
        } parse: {
            IPAddress($0) == nil ? nil : $0
        }
    }

    /// A path as requests have it.
    static var path: Format {
        .text("a path", pattern: "^(/[^/?#\\s]+)*/?$") { text in
            text.hasPrefix("/")
                ? "write a path without \"//\", \"?\", \"#\" and spaces"
                : "begin it with a slash: \("/\(text)".excerpt)"
        } parse: {
            TextSyntax.isPath($0) ? $0 : nil
        }
    }

    /// A path by whose elements to match; without the slash at its end, but for "/" itself.
    static var pathPrefix: Format {
        self.path.map { path in
            path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        }
    }

    static var method: Format {
        .text("an HTTP method in capital letters", pattern: "^[A-Z][A-Z0-9_-]*$") { _ in
            "write a method such as GET"
        } parse: {
            TextSyntax.isMethod($0) ? $0 : nil
        }
    }

    /// In lower case.
    static var headerName: Format {
        .text("a header name", pattern: "^\(TextSyntax.tokenPattern)$") { _ in
            "write letters, digits and dashes, such as x-canary"
        } parse: {
            TextSyntax.isToken($0) ? $0.lowercased() : nil
        }
    }

    /// The name of a header that may be edited: Envoy refuses to edit the host, which has its own field.
    static var editableHeaderName: Format {
        Format(schema: self.headerName.schema) { node, faults in
            let name = Self.headerName.read(node, faults)
            guard name != "host" else {
                faults.report(
                    .badFormat,
                    line: node.line,
                    "\(node.label) must be a header other than host",
                    cure: "use rewrite.hostname to change the host"
                )
                return nil
            }
            return name
        }
    }

    static var headerValue: Format {
        .text("a header value", pattern: "^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$") { _ in
            "write it without line breaks and control characters"
        } parse: { text in
            text.unicodeScalars.contains { $0 != "\t" && ($0 < " " || $0 == "\u{7F}") } ? nil : text
        }
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

extension Format where Value == Duration {
    static func duration(zeroAllowed: Bool = false) -> Format {
        Format(schema: ["type": "string", "pattern": .string("^\(TextSyntax.durationPattern)$")]) { node, faults in
            guard case .scalar(let scalar) = node.content, scalar.meaning == .string else {
                faults.wrongType(node, expected: "a duration", cure: "write a number and a unit, such as 10s or 250ms")
                return nil
            }
            guard let duration = TextSyntax.duration(scalar.text) else {
                faults.report(
                    .badFormat,
                    line: node.line,
                    "\(node.label) must be a duration, which \(scalar.text.excerpt) is not",
                    cure: "write whole numbers with the units h, m, s and ms, such as 10s, 250ms or 1m30s"
                )
                return nil
            }
            guard zeroAllowed || duration > .zero else {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must be more than zero",
                    cure: "write a longer duration, or leave the field out"
                )
                return nil
            }
            return duration
        }
    }
}
