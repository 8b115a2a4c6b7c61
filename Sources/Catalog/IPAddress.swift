// SPDX-License-Identifier: Apache-2.0

/// An address literal, to tell addresses from host names and to compare addresses however they are written.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The 128 bits in network order; of an IPv4 address, all but the last 32 are 0.
    package let high: UInt64
    package let low: UInt64
    package let isVersion4: Bool

    package init(version4 bits: UInt32) {
        self.high = 0
        self.low = UInt64(bits)
        self.isVersion4 = true
    }

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        self.isVersion4 = false
    }

    /// Nil for anything but an address: host names, zones (`%eth0`), prefixes, ports.
    package init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8(Self.parse)
        guard let parsed else { return nil }
        self = parsed
    }

    /// In network order, 4 or 16 of them.
    package var bytes: [UInt8] {
        let bytes = [self.high, self.low].flatMap { half in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> UInt64($0)) }
        }
        return self.isVersion4 ? Array(bytes[12...]) : bytes
    }

    /// As in RFC 5952: equal addresses have one text.
    package var description: String {
        if self.isVersion4 { return Self.dotted(self.low) }
        if self.high == 0, self.low >> 32 == 0xFFFF { return "::ffff:" + Self.dotted(self.low & 0xFFFF_FFFF) }
        let groups = [self.high, self.low].flatMap { half in
            stride(from: 48, through: 0, by: -16).map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
        }
        func text(_ groups: some Sequence<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        let gap = Self.longestRunOfZeros(in: groups)
        return gap.count < 2 ? text(groups) : "\(text(groups[..<gap.lowerBound]))::\(text(groups[gap.upperBound...]))"
    }

    /// The IPv4 addresses that a packet to this one may end at, if it is an IPv6 address that others are written in.
    package var embeddedVersion4: [IPAddress] {
        guard !self.isVersion4 else { return [] }
        func bits(_ half: UInt64, from shift: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: half >> shift) }
        let last = bits(self.low, from: 0)
        let found: [UInt32]
        switch (self.high, self.low >> 32) {
        // Mapped (RFC 4291, 2.5.5.2) and translated by a host (RFC 2765, 2.1).
        case (0, 0xFFFF), (0, 0xFFFF_0000): found = [last]
        // Compatible (RFC 4291, 2.5.5.1).
        case (0, 0): found = last > 0xFFFF ? [last] : []
        // Translated by a network (RFC 6052, 2.1).
        case (0x0064_FF9B_0000_0000, 0): found = [last]
        // The same by a prefix of the network's own, of which 48 to 96 bits are (RFC 8215; RFC 6052, 2.2). Bits 64 to 71 are 0.
        case (let high, _) where high >> 16 == 0x0064_FF9B_0001:
            let below48 = UInt32(truncatingIfNeeded: high & 0xFFFF) << 16 | bits(self.low, from: 40) & 0xFFFF
            let below56 = UInt32(truncatingIfNeeded: high & 0xFF) << 24 | bits(self.low, from: 32) & 0xFF_FFFF
            // What begins with 0 is what the others leave empty.
            found = [last, below48, below56, bits(self.low, from: 24)].filter { $0 >> 24 != 0 }
        // 6to4 (RFC 3056).
        case (let high, _) where high >> 48 == 0x2002: found = [bits(high, from: 16)]
        // Teredo (RFC 4380, 4): its server, and its client with all bits turned.
        case (let high, _) where high >> 32 == 0x2001_0000: found = [bits(high, from: 0), ~last]
        // ISATAP (RFC 5214, 6.1).
        case (_, 0x0000_5EFE), (_, 0x0200_5EFE): found = [last]
        default: found = []
        }
        return found.map(IPAddress.init(version4:))
    }

    private static func dotted(_ bits: UInt64) -> String {
        "\(bits >> 24 & 0xFF).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
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
}

extension IPAddress {
    private typealias Bytes = UnsafeBufferPointer<UInt8>

    private static func parse(_ text: Bytes) -> IPAddress? {
        // The longest: eight groups of which the last two are an IPv4 address.
        guard text.count <= 45 else { return nil }
        if let bits = Self.version4(text) { return IPAddress(version4: bits) }
        return Self.version6(text[...])
    }

    /// Four decimal numbers. Without leading zeros, which some read as octal.
    private static func version4(_ text: Bytes) -> UInt32? {
        var bits: UInt32 = 0
        var number: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | number
                (number, digits, dots) = (0, 0, dots + 1)
            } else {
                let digit = UInt32(byte) &- UInt32(UInt8(ascii: "0"))
                guard digit <= 9, digits == 0 || number > 0 else { return nil }
                number = number * 10 + digit
                digits += 1
                guard number <= 255 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? bits << 8 | number : nil
    }

    /// RFC 4291, section 2.2: groups, at most one `::`, and an IPv4 address for the last two groups.
    private static func version6(_ text: Slice<Bytes>) -> IPAddress? {
        var head = Groups()
        var tail: Groups?
        var rest = text
        if rest.starts(with: "::".utf8) {
            tail = Groups()
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            let part = rest[rest.startIndex..<end]
            let isVersion4 = end == rest.endIndex && part.contains(UInt8(ascii: "."))
            let added =
                isVersion4
                ? Self.version4(Bytes(rebasing: part)).map { [UInt16($0 >> 16), UInt16($0 & 0xFFFF)] }
                : Self.group(part).map { [$0] }
            guard let added else { return nil }
            for group in added {
                let fits = tail == nil ? head.append(group) : tail?.append(group) ?? false
                guard fits, head.count + (tail?.count ?? 0) <= 8 else { return nil }
            }
            guard end < rest.endIndex else { break }
            rest = rest[(end + 1)...]
            if rest.first == UInt8(ascii: ":") {
                guard tail == nil else { return nil }
                tail = Groups()
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let tail else { return head.count == 8 ? head.address(and: Groups()) : nil }
        return head.count + tail.count < 8 ? head.address(and: tail) : nil
    }

    private static func group(_ text: some Collection<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var group: UInt16 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            group = group << 4 | UInt16(digit)
        }
        return group
    }

    /// Up to eight groups before or after the gap.
    private struct Groups {
        private var bits: UInt128 = 0
        private(set) var count = 0

        mutating func append(_ group: UInt16) -> Bool {
            guard self.count < 8 else { return false }
            self.bits = self.bits << 16 | UInt128(group)
            self.count += 1
            return true
        }

        func address(and tail: Groups) -> IPAddress {
            let head = self.count == 0 ? 0 : self.bits << UInt128(16 * (8 - self.count))
            let all = head | tail.bits
            return IPAddress(high: UInt64(truncatingIfNeeded: all >> 64), low: UInt64(truncatingIfNeeded: all))
        }
    }
}
