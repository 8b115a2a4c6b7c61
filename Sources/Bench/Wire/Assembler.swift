// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Puts together again what was cut at any byte on its way: frames, and the messages in them. What came whole, as after a
/// small change, is not copied.
struct Assembler {
    /// The bytes of the first item, its prefix among them; nil while that cannot be told.
    private let measure: @Sendable (ByteBuffer) throws -> Int?
    /// The beginning of an item whose rest has not come yet.
    private var pending = ByteBuffer()

    /// Of frames, each with its head.
    static var frames: Assembler {
        Assembler { data in FrameHead(data).map { FrameHead.size + $0.length } }
    }

    /// Of messages, each with gRPC's prefix: a byte for "compressed" and four of length.
    static var messages: Assembler {
        Assembler { data in
            guard let flag = data.getInteger(at: data.readerIndex, as: UInt8.self),
                let length = data.getInteger(at: data.readerIndex + 1, as: UInt32.self)
            else { return nil }
            guard flag == 0 else { throw MalformedMessage(description: "a compressed message") }
            return FramedRequest.prefix + Int(length)
        }
    }

    private init(_ measure: @escaping @Sendable (ByteBuffer) throws -> Int?) {
        self.measure = measure
    }

    /// Calls `body` with each item that is whole now.
    mutating func feed(_ data: ByteBuffer, _ body: (ByteBuffer) throws -> Void) throws {
        var data = data
        if self.pending.readableBytes > 0 {
            self.pending.writeBuffer(&data)
            swap(&data, &self.pending)
            self.pending = ByteBuffer()
        }
        while let length = try self.measure(data) {
            guard let item = data.readSlice(length: length) else {
                self.keep(data, whole: length)
                return
            }
            try body(item)
        }
        self.keep(data, whole: data.readableBytes)
    }

    /// Keeps an incomplete item, with room for all of it when it is first seen.
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
