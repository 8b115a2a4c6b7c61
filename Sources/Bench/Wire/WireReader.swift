// SPDX-License-Identifier: Apache-2.0

/// What a peer sent is not the message that it should be.
struct MalformedMessage: Error, CustomStringConvertible {
    let description: String
}

/// Walks over the length-delimited fields of one protobuf message, copying nothing: the load generator shares its cores
/// with the server that it measures. The server's own, of `XDSProtocol`, is on slices and must be total. See https://protobuf.dev/programming-guides/encoding/
///
/// What it yields points into the bytes that it was made from and must not outlive them.
struct WireReader {
    struct Field {
        var number: UInt64
        var content: UnsafeRawBufferPointer
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next field that is length-delimited, as texts, bytes and messages are; nil at the end. Others are skipped.
    mutating func next() throws(MalformedMessage) -> Field? {
        while self.offset < self.bytes.count {
            let tag = try self.varint()
            switch tag & 7 {
            case 0: _ = try self.varint()
            case 1: _ = try self.take(8)
            case 2: return Field(number: tag >> 3, content: try self.take(try self.varint()))
            case 5: _ = try self.take(4)
            default: throw MalformedMessage(description: "wire type \(tag & 7) at byte \(self.offset)")
            }
        }
        return nil
    }

    /// The content of the first field with a number, or nothing.
    static func first(_ number: UInt64, in bytes: UnsafeRawBufferPointer) throws(MalformedMessage)
        -> UnsafeRawBufferPointer
    {
        var reader = WireReader(bytes)
        while let field = try reader.next() {
            if field.number == number { return field.content }
        }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private mutating func take(_ count: UInt64) throws(MalformedMessage) -> UnsafeRawBufferPointer {
        guard count <= UInt64(self.bytes.count - self.offset) else {
            throw MalformedMessage(
                description: "\(count) bytes announced at byte \(self.offset) of \(self.bytes.count)"
            )
        }
        let end = self.offset + Int(count)
        defer { self.offset = end }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<end])
    }

    private mutating func varint() throws(MalformedMessage) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while self.offset < self.bytes.count, shift < 64 {
            let byte = self.bytes[self.offset]
            self.offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw MalformedMessage(description: "a number without an end at byte \(self.offset)")
    }
}
