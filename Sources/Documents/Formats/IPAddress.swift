// SPDX-License-Identifier: Apache-2.0

import Catalog

/// An address literal, to tell addresses from host names and to compare addresses however they are written.
struct IPAddress: Hashable, CustomStringConvertible {
    static let version4Pattern = "(\(octet)\\.){3}\(octet)"
    private static let octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

    /// In network order, 4 or 16 of them.
    let bytes: [UInt8]

    /// Nil for anything but an address: host names, zones (`%eth0`), prefixes, ports.
    init?(_ text: String) {
        let characters = text.utf8[...]
        let parsed = characters.contains(UInt8(ascii: ":")) ? Self.version6(characters) : Self.version4(characters)
        guard let parsed else { return nil }
        self.bytes = parsed
    }

    /// As in RFC 5952: equal addresses have one text.
    var description: String {
        guard self.bytes.count == 16 else { return self.bytes.map { "\($0)" }.joined(separator: ".") }
        if self.bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
            return "::ffff:" + self.bytes[12...].map { "\($0)" }.joined(separator: ".")
        }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(self.bytes[$0]) << 8 | UInt16(self.bytes[$0 + 1]) }
        func text(_ groups: some Sequence<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        let gap = Self.longestRunOfZeros(in: groups)
        return gap.count < 2 ? text(groups) : "\(text(groups[..<gap.lowerBound]))::\(text(groups[gap.upperBound...]))"
    }

    /// The first of several that are as long.
    private static func longestRunOfZeros(in groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 {
                start = index + 1
            } else if index + 1 - start > longest.count {
                longest = start..<index + 1
            }
        }
        return longest
    }

    /// Four decimal numbers. Without leading zeros, which some read as octal.
    private static func version4(_ text: Substring.UTF8View) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy(TextSyntax.isDigit),
                part.count == 1 || part.first != UInt8(ascii: "0"),
                let byte = UInt8(String(part) ?? "")
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// RFC 4291, section 2.2: groups, at most one `::`, and an IPv4 address for the last two groups.
    private static func version6(_ text: Substring.UTF8View) -> [UInt8]? {
        guard let gap = Self.gap(in: text) else {
            return Self.groups(text).flatMap { $0.count == 16 ? $0 : nil }
        }
        let rest = text[text.index(gap, offsetBy: 2)...]
        guard Self.gap(in: rest) == nil,
            let head = Self.groups(text[..<gap], mayEndInVersion4: false), let tail = Self.groups(rest),
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func gap(in text: Substring.UTF8View) -> Substring.UTF8View.Index? {
        zip(text.indices, zip(text, text.dropFirst()))
            .first { $0.1.0 == UInt8(ascii: ":") && $0.1.1 == UInt8(ascii: ":") }?.0
    }

    private static func groups(_ text: Substring.UTF8View, mayEndInVersion4: Bool = true) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if mayEndInVersion4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let last = Self.version4(part) else { return nil }
                return bytes + last
            }
            guard (1...4).contains(part.count), part.first != UInt8(ascii: "+"), part.first != UInt8(ascii: "-"),
                let group = UInt16(String(part) ?? "", radix: 16)
            else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
        }
        return bytes
    }
}
