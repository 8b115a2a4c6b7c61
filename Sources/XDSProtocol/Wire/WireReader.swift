// SPDX-License-Identifier: Apache-2.0

/// Walks over the length-delimited fields of a serialized message, which is all that a discovery request has; fields of
/// other kinds are passed over. Total: any bytes give fields or a fault, in time proportional to their number.
/// See https://protobuf.dev/programming-guides/encoding/
struct WireReader {
    /// The bytes are no protobuf message, or a text in it is no text.
    struct Fault: Error, Equatable {}

    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int
    /// Where the field begins that `next` returned last, tag and all.
    private(set) var fieldStart: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
        self.fieldStart = bytes.startIndex
    }

    /// Passes over `known`, if that is what stands where the last field begins: fields that were read before.
    mutating func skip(_ known: [UInt8]) -> Bool {
        let end = self.fieldStart + known.count
        guard end > self.position, end <= self.bytes.endIndex, self.bytes[self.fieldStart..<end].isEqual(to: known)
        else { return false }
        self.position = end
        return true
    }

    /// Passes over fields that were read before, up to where they are known to end.
    mutating func skip(to end: Int) {
        self.position = min(max(self.position, end), self.bytes.endIndex)
    }

    /// The next field, or nil at the end.
    mutating func next() throws(Fault) -> (field: UInt64, content: ArraySlice<UInt8>)? {
        while self.position < self.bytes.endIndex {
            self.fieldStart = self.position
            let tag = try self.varint()
            let field = tag >> 3
            // Field numbers have 29 bits and begin at 1.
            guard field >= 1, field < 1 << 29 else { throw Fault() }
            switch tag & 7 {
            case 0: _ = try self.varint()
            case 1: _ = try self.take(8)
            case 2: return (field, try self.take(try self.varint()))
            case 3: try self.skipGroup(field, depth: 0)
            case 5: _ = try self.take(4)
            default: throw Fault()
            }
        }
        return nil
    }

    /// To the end of a group, which nothing of today has and every parser passes over.
    private mutating func skipGroup(_ group: UInt64, depth: Int) throws(Fault) {
        guard depth < 64 else { throw Fault() }
        while true {
            let tag = try self.varint()
            switch tag & 7 {
            case 0: _ = try self.varint()
            case 1: _ = try self.take(8)
            case 2: _ = try self.take(try self.varint())
            case 3: try self.skipGroup(tag >> 3, depth: depth + 1)
            case 4:
                guard tag >> 3 == group else { throw Fault() }
                return
            case 5: _ = try self.take(4)
            default: throw Fault()
            }
        }
    }

    private mutating func varint() throws(Fault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while self.position < self.bytes.endIndex {
            let byte = self.bytes[self.position]
            self.position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw Fault() }
        }
        throw Fault()
    }

    private mutating func take(_ count: UInt64) throws(Fault) -> ArraySlice<UInt8> {
        guard count <= UInt64(self.bytes.endIndex - self.position) else { throw Fault() }
        let end = self.position + Int(count)
        defer { self.position = end }
        return self.bytes[self.position..<end]
    }

    static func text(_ bytes: ArraySlice<UInt8>) throws(Fault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault() }
        return text
    }
}

extension ArraySlice<UInt8> {
    /// As `==`, eight bytes at a time: names come in hundreds of kilobytes.
    func isEqual(to other: [UInt8]) -> Bool {
        self.withUnsafeBytes { left in other.withUnsafeBytes { right in areSame(left, right) } }
    }
}

/// Whether the bytes are the same, compared 32 and then eight at a time.
@inline(__always)
package func areSame(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    var offset = 0
    while offset + 32 <= left.count {
        let words = left.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
        if words != right.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self) { return false }
        offset += 32
    }
    while offset + 8 <= left.count {
        let word = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if word != right.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
        offset += 8
    }
    while offset < left.count {
        if left[offset] != right[offset] { return false }
        offset += 1
    }
    return true
}
