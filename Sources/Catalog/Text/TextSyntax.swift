// SPDX-License-Identifier: Apache-2.0

/// The forms of text in what operators write: each as a test and, where JSON Schema needs it, as a regular expression.
package enum TextSyntax {
    package static let namePattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,252}"
    /// RFC 1123, and the underscore that names of containers have.
    package static let hostnamePattern = "(?=.{1,253}$)\(label)(\\.\(label))*"
    /// RFC 9110, section 5.6.2.
    package static let tokenPattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    /// The Gateway API's subset of Go's durations: https://gateway-api.sigs.k8s.io/geps/gep-2257/
    package static let durationPattern = "([0-9]{1,5}(h|m|s|ms)){1,4}"

    /// Far below what a proxy's timers can count.
    package static let maximumDuration = Duration.seconds(24 * 3600)
    /// Envoy takes longer ones, and nobody writes them.
    package static let maximumPathBytes = 1024
    package static let maximumHeaderNameBytes = 256
    /// Half of the 16,384 bytes that Envoy allows to add: it is told a percent sign as two.
    package static let maximumHeaderValueBytes = 8192
    /// One character. A tab is none of them.
    package static let noControlCharacters = "[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]"

    private static let label = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"

    package static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, self.isAlphanumeric(first), text.utf8.count <= 253 else { return false }
        return text.utf8.allSatisfy { self.isAlphanumeric($0) || ".-_".utf8.contains($0) }
    }

    package static func isHostname(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            let dash = UInt8(ascii: "-")
            return (1...63).contains(label.count) && label.first != dash && label.last != dash
                && label.allSatisfy { self.isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == dash }
        }
    }

    package static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && !text.unicodeScalars.contains("//".unicodeScalars)
            && !text.unicodeScalars.contains {
                $0 == "?" || $0 == "#" || $0 < " " || $0 == "\u{7F}" || $0.properties.isWhitespace
            }
    }

    package static func isMethod(_ text: String) -> Bool {
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return text.utf8.first.map(letters.contains) == true
            && text.utf8.allSatisfy { letters.contains($0) || self.isDigit($0) || "-_".utf8.contains($0) }
    }

    package static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { self.isAlphanumeric($0) || "!#$%&'*+.^_`|~-".utf8.contains($0) }
    }

    package static func hasControlCharacters(_ text: String) -> Bool {
        text.utf8.contains { $0 != UInt8(ascii: "\t") && ($0 < UInt8(ascii: " ") || $0 == 0x7F) }
    }

    package static func duration(_ text: String) -> Duration? {
        var rest = text.utf8[...]
        var total = Duration.zero
        var parts = 0
        while !rest.isEmpty {
            let digits = rest.prefix(while: self.isDigit)
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !self.isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard (1...5).contains(digits.count), let amount = Int(String(digits) ?? "") else { return nil }
            switch String(unit) {
            case "h": total += .seconds(amount * 3600)
            case "m": total += .seconds(amount * 60)
            case "s": total += .seconds(amount)
            case "ms": total += .milliseconds(amount)
            default: return nil
            }
            parts += 1
        }
        return (1...4).contains(parts) ? total : nil
    }

    package static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
