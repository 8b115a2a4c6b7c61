// SPDX-License-Identifier: Apache-2.0

import Catalog

/// The parts of requests and responses, in forms and lengths that Envoy takes.
extension Format where Value == String {
    /// A path as requests have it.
    static var path: Format {
        .text("a path", pattern: "^(/[^/?#\\s]+)*/?$", maximumBytes: TextSyntax.maximumPathBytes) { text in
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

    /// Of paths: those that requests can have when the proxy looks for a route.
    var normalized: Format {
        Format(schema: self.schema) { node, faults in
            guard let path = self.read(node, faults) else { return nil }
            guard let fault = PathFault(path: path) else { return path }
            faults.report(.badFormat, line: node.line, "\(node.label): \(fault.problem)", cure: fault.cure)
            return nil
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
        .text(
            "a header name",
            pattern: "^\(TextSyntax.tokenPattern)$",
            maximumBytes: TextSyntax.maximumHeaderNameBytes
        ) { text in
            text.hasPrefix(":")
                ? "use the fields for host, path and method" : "write letters, digits and dashes, such as x-canary"
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
        .text(
            "a header value",
            pattern: "^\(TextSyntax.noControlCharacters)*$",
            maximumBytes: TextSyntax.maximumHeaderValueBytes,
            cure: { _ in "write it without line breaks and control characters" },
            parse: { TextSyntax.hasControlCharacters($0) ? nil : $0 }
        )
    }

    /// Of Envoy's length.
    static var queryParameterName: Format {
        .text(
            "the name of a query parameter",
            pattern: "^\(TextSyntax.noControlCharacters)+$",
            maximumBytes: 1024,
            cure: { _ in "write at least one character, without line breaks and control characters" },
            parse: { $0.isEmpty || TextSyntax.hasControlCharacters($0) ? nil : $0 }
        )
    }
}
