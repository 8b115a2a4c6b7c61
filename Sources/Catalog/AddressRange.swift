// SPDX-License-Identifier: Apache-2.0

/// Addresses that have their first bits in common: `10.0.0.0/8`, or one address (RFC 4632).
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let prefixLength: Int
    private let highMask: UInt64
    private let lowMask: UInt64

    /// Nil for a length that the address does not have. Bits after the prefix do not count.
    package init?(_ address: IPAddress, prefixLength: Int? = nil) {
        let width = address.isVersion4 ? 32 : 128
        let length = prefixLength ?? width
        guard (0...width).contains(length) else { return nil }
        let mask = UInt128.max << UInt128(width - length)
        self.address = address
        self.prefixLength = length
        self.highMask = address.isVersion4 ? 0 : UInt64(truncatingIfNeeded: mask >> 64)
        self.lowMask = UInt64(truncatingIfNeeded: mask)
    }

    /// Nil for anything but an address, or an address, `/` and a decimal number.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(Substring(first))) else { return nil }
        guard parts.count == 2 else {
            self.init(address)
            return
        }
        guard (1...3).contains(parts[1].count),
            parts[1].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let length = Int(String(Substring(parts[1])))
        else { return nil }
        self.init(address, prefixLength: length)
    }

    package func contains(_ other: IPAddress) -> Bool {
        self.address.isVersion4 == other.isVersion4
            && (self.address.high ^ other.high) & self.highMask == 0
            && (self.address.low ^ other.low) & self.lowMask == 0
    }

    var isOneAddress: Bool { self.prefixLength == (self.address.isVersion4 ? 32 : 128) }

    package var description: String { "\(self.address)/\(self.prefixLength)" }
}
