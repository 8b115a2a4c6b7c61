// SPDX-License-Identifier: Apache-2.0

extension TextSyntax {
    /// A path of the form `isPath` as a proxy sees it when it looks for a route: it brings paths into one form before, as
    /// browsers do. Nil: it refuses requests with such a path, which has an escaped slash or zero.
    ///
    /// - Elements `.` and `..` are resolved, also if their dots are escaped.
    /// - What need not be escaped is not: letters, digits, `-`, `.`, `_` and `~`. What must be, is.
    /// - A backslash is a slash.
    ///
    /// See https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2 and `normalize_path` in
    /// https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
    package static func normalized(path: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let escaped = self.byte(rest.prefix(2)) {
                guard ![0, UInt8(ascii: "/"), UInt8(ascii: "\\")].contains(escaped) else { return nil }
                if self.isAlphanumeric(escaped) || "-._~".utf8.contains(escaped) {
                    bytes.append(escaped)
                } else {
                    bytes += [byte] + rest.prefix(2)
                }
                rest = rest.dropFirst(2)
            } else if byte == UInt8(ascii: "\\") {
                bytes.append(UInt8(ascii: "/"))
            } else if byte >= 0x80 || "\"<>^`{|}".utf8.contains(byte) {
                let digits = String(byte, radix: 16, uppercase: true)
                bytes += "%\(digits)".utf8
            } else {
                bytes.append(byte)
            }
        }
        return self.resolved(String(decoding: bytes, as: UTF8.self))
    }

    private static func byte(_ digits: ArraySlice<UInt8>) -> UInt8? {
        let isHexadecimal = digits.allSatisfy { self.isDigit($0) || "abcdefABCDEF".utf8.contains($0) }
        return digits.count == 2 && isHexadecimal ? UInt8(String(decoding: digits, as: UTF8.self), radix: 16) : nil
    }

    /// See https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4
    private static func resolved(_ path: String) -> String {
        var elements: [Substring] = []
        // What comes before the first slash is empty.
        let given = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, element) in given.enumerated() {
            let isLast = index == given.count - 1
            switch element {
            case ".": if isLast { elements.append("") }
            case "..":
                _ = elements.popLast()
                if isLast { elements.append("") }
            // Slashes that follow each other are one.
            case "" where !isLast: continue
            default: elements.append(element)
            }
        }
        return "/" + elements.joined(separator: "/")
    }
}
