// SPDX-License-Identifier: Apache-2.0

// What frames and messages are read and written with.

extension UnsafeRawBufferPointer {
    /// Four bytes, the highest first.
    func integer(at offset: Int) -> UInt32 {
        UInt32(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func from(_ offset: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[offset...]) }
    func upTo(_ offset: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[..<offset]) }
}

extension [UInt8] {
    /// The highest byte first.
    mutating func append(integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { self.append(contentsOf: $0) }
    }

    /// A length-delimited field of protobuf.
    mutating func append(field number: UInt8, _ content: some Collection<UInt8>) {
        self.append(number << 3 | 2)
        var rest = UInt64(content.count)
        while rest >= 0x80 {
            self.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.append(UInt8(truncatingIfNeeded: rest))
        self.append(contentsOf: content)
    }
}
