// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A hash of a resource's content: equal content has an equal version on every replica and after every restart, so that a
/// proxy that reconnects and is current is sent nothing. Opaque to the proxy.
package struct ResourceVersion: Hashable, Sendable {
    private var high: UInt64
    private var low: UInt64

    /// Of the type, the name, the serialized message and what else decides how a client is to hold it.
    package init(
        type: TypeURL,
        name: ResourceName,
        message: [UInt8],
        timeToLive: Duration? = nil,
        isOnDemand: Bool = false
    ) {
        var hash = SHA256()
        // Length-prefixed, so that no two different triples make the same input.
        for part in [Array(type.rawValue.utf8), Array(name.rawValue.utf8)] {
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: part)
        }
        hash.update(data: message)
        // Behind a message that cannot go on like this: there is no wire type 7, nor 6.
        if let timeToLive { hash.update(data: [0x07] + Array("\(timeToLive.components)".utf8)) }
        if isOnDemand { hash.update(data: [0x06]) }
        self = hash.finalize().withUnsafeBytes { digest in
            ResourceVersion(
                high: UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// From what a proxy sends back; nil if we cannot have made it.
    package init?(_ text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
        // Other spellings of the number are somebody else's.
        if self.description != text { return nil }
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The version of a set of resources: independent of their order, so that it can follow a change without a look at
    /// what did not change. SotW's `version_info`.
    package struct Sum: Hashable, Sendable {
        private var high: UInt64 = 0
        private var low: UInt64 = 0

        package init() {}

        package init(_ versions: some Sequence<ResourceVersion>) {
            for version in versions { self.add(version) }
        }

        package mutating func add(_ version: ResourceVersion) {
            let (low, carry) = self.low.addingReportingOverflow(version.low)
            self.low = low
            self.high = self.high &+ version.high &+ (carry ? 1 : 0)
        }

        package mutating func subtract(_ version: ResourceVersion) {
            let (low, borrow) = self.low.subtractingReportingOverflow(version.low)
            self.low = low
            self.high = self.high &- version.high &- (borrow ? 1 : 0)
        }
    }
}

extension ResourceVersion: CustomStringConvertible {
    package var description: String { Self.hexadecimal(self.high) + Self.hexadecimal(self.low) }

    fileprivate static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension ResourceVersion.Sum: CustomStringConvertible {
    package var description: String { ResourceVersion.hexadecimal(self.high) + ResourceVersion.hexadecimal(self.low) }
}
