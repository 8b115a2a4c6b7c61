// SPDX-License-Identifier: Apache-2.0

/// Writes the few protobuf constructs that a discovery response is made of, so that encoded resources can be spliced in
/// without being parsed or copied twice. See https://protobuf.dev/programming-guides/encoding/
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func reserve(_ capacity: Int) {
        self.bytes.reserveCapacity(capacity)
    }

    /// The tag of a length-delimited field and the length that follows it.
    mutating func tag(_ field: UInt8, length: Int) {
        self.bytes.append(field << 3 | 2)
        self.varint(UInt64(length))
    }

    mutating func field(_ field: UInt8, _ text: String) {
        self.tag(field, length: text.utf8.count)
        self.bytes.append(contentsOf: text.utf8)
    }

    mutating func field(_ field: UInt8, _ content: [UInt8]) {
        self.tag(field, length: content.count)
        self.bytes.append(contentsOf: content)
    }

    /// As a `google.protobuf.Duration`, to the nanosecond. Not negative.
    mutating func field(_ field: UInt8, _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var content = WireWriter()
        content.integer(1, UInt64(clamping: seconds))
        content.integer(2, UInt64(clamping: attoseconds / 1_000_000_000))
        self.field(field, content.bytes)
    }

    /// A varint; 0 is not written, as it is the default.
    private mutating func integer(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        self.bytes.append(field << 3)
        self.varint(value)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(_ encoded: some Collection<UInt8>) {
        self.bytes.append(contentsOf: encoded)
    }
}
