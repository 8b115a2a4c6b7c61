// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore

/// Takes gRPC messages out of the bytes of a stream: a flag, a length of four bytes, the message.
/// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
struct MessageDeframer {
    private let limit: Int
    private let budget: RequestBudget
    private var bytes = ByteBuffer()
    private var reserved = 0

    /// - Parameters:
    ///   - limit: bytes of one message.
    ///   - budget: of all large messages that are on their way.
    init(limit: Int, budget: RequestBudget) {
        self.limit = limit
        self.budget = budget
    }

    mutating func append(_ bytes: ByteBuffer) {
        if self.bytes.readableBytes == 0 {
            self.bytes = bytes
        } else {
            self.makeRoom(for: bytes.readableBytes)
            self.bytes.writeImmutableBuffer(bytes)
        }
    }

    /// For the whole message, if it is not large, so that it is not moved with each frame. Without what was read: a client
    /// whose messages never end where its frames do would have all of them kept.
    private mutating func makeRoom(for more: Int) {
        let announced: UInt32 = self.bytes.getInteger(at: self.bytes.readerIndex + 1) ?? 0
        let held = self.bytes.readableBytes + more
        let needed = max(held, min(Int(announced) + 5, RequestBudget.small))
        // A large one grows by itself, twice as large each time.
        let isSmall = held <= RequestBudget.small
        guard self.bytes.readerIndex > 0 || (isSmall && self.bytes.capacity < needed) else { return }
        var room = ByteBufferAllocator().buffer(capacity: needed)
        room.writeImmutableBuffer(self.bytes)
        self.bytes = room
    }

    private mutating func forgetWhatWasRead() {
        guard self.bytes.readerIndex > 0 else { return }
        self.bytes = ByteBuffer(bytes: self.bytes.readableBytesView)
    }

    /// The next whole message, or nil while it is not there.
    mutating func next() throws -> [UInt8]? {
        guard let flag: UInt8 = self.bytes.getInteger(at: self.bytes.readerIndex),
            let length: UInt32 = self.bytes.getInteger(at: self.bytes.readerIndex + 1)
        else { return nil }
        guard flag == 0 else {
            throw RPCError(code: .unimplemented, message: "compressed messages are not supported")
        }
        guard length <= self.limit else {
            throw RPCError(
                code: .resourceExhausted,
                message: "a request has \(length) bytes, more than \(self.limit)"
            )
        }
        guard self.bytes.readableBytes >= 5 + Int(length) else {
            try self.reserve()
            return nil
        }
        self.bytes.moveReaderIndex(forwardBy: 5)
        let message = self.bytes.readBytes(length: Int(length)) ?? []
        if self.bytes.readableBytes == 0 {
            self.bytes = ByteBuffer()
        } else if length > RequestBudget.small {
            self.forgetWhatWasRead()
        }
        self.release()
        return message
    }

    /// Whether nothing of a message is held.
    var isEmpty: Bool { self.bytes.readableBytes == 0 }

    /// What has come, and not what was announced: that costs nothing, and whoever announces much and sends little would
    /// keep everybody else out.
    private mutating func reserve() throws {
        let held = self.bytes.readableBytes
        guard held > RequestBudget.small else { return }
        guard self.budget.reserve(held - self.reserved, beside: self.reserved) else {
            throw RPCError.tooManyLargeRequests
        }
        self.reserved = held
    }

    /// Must be called when the stream is over.
    mutating func release() {
        if self.reserved > 0 { self.budget.release(self.reserved) }
        self.reserved = 0
    }
}
