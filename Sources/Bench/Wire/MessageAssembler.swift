// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Cuts what arrives in DATA frames into messages, by gRPC's prefix: a byte for "compressed" and four of length.
/// A message that came whole, as after a small change, is not copied.
struct MessageAssembler {
    private static let prefix = 5

    /// The beginning of a message whose rest has not come yet.
    private var pending = ByteBuffer()

    /// Calls `body` with each message that is whole now.
    mutating func feed(_ data: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var data = data
        if self.pending.readableBytes > 0 {
            self.pending.writeBuffer(&data)
            swap(&data, &self.pending)
            self.pending = ByteBuffer()
        }
        while let length = try Self.length(of: data) {
            guard data.readableBytes >= Self.prefix + length else {
                self.keep(data, whole: Self.prefix + length)
                return
            }
            data.moveReaderIndex(forwardBy: Self.prefix)
            if let message = data.readSlice(length: length) { try message.withUnsafeReadableBytes(body) }
        }
        self.keep(data, whole: Self.prefix)
    }

    private static func length(of data: ByteBuffer) throws -> Int? {
        guard let flag = data.getInteger(at: data.readerIndex, as: UInt8.self),
            let length = data.getInteger(at: data.readerIndex + 1, as: UInt32.self)
        else { return nil }
        guard flag == 0 else { throw MalformedMessage(description: "a compressed message") }
        return Int(length)
    }

    /// Keeps an incomplete message, with room for all of it when it is first seen.
    private mutating func keep(_ rest: ByteBuffer, whole: Int) {
        if rest.readableBytes == 0 { return }
        if rest.readerIndex == 0, rest.capacity >= whole {
            self.pending = rest
        } else {
            self.pending = ByteBuffer()
            self.pending.reserveCapacity(whole)
            self.pending.writeImmutableBuffer(rest)
        }
    }
}
