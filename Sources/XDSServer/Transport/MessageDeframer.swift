// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore

/// Takes gRPC messages out of the bytes of a stream: a flag, a length of four bytes, the message.
/// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
struct MessageDeframer {
    /// A flag and four bytes of length.
    private static let prefix = 5

    private let limit: Int
    private let budget: RequestBudget
    /// What has come of messages that are not begun: a whole one is not copied before it is read.
    private var bytes = ByteBuffer()
    /// How long the next message is, once that is known and it has not come whole.
    private var length: Int?
    /// What has come of that since.
    private var message: [UInt8] = []
    private var reserved = 0

    /// - Parameters:
    ///   - limit: bytes of one message.
    ///   - budget: of all large messages that are on their way.
    init(limit: Int, budget: RequestBudget) {
        self.limit = limit
        self.budget = budget
    }

    mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        if let length, self.message.count < length {
            if self.bytes.readableBytes > 0 {
                // For the whole message, if it is not large, so that it is not moved with each frame. A large one grows by
                // itself, twice as large each time.
                self.message.reserveCapacity(min(length, RequestBudget.small))
                var first = self.bytes
                first.moveReaderIndex(forwardBy: Self.prefix)
                self.take(&first, upTo: length)
                self.bytes = ByteBuffer()
            }
            self.take(&bytes, upTo: length)
        }
        // Not an empty one either: it keeps what it is a part of.
        guard bytes.readableBytes > 0 else { return }
        if self.bytes.readableBytes == 0 {
            self.bytes = bytes
        } else {
            // Without what was read: a client whose messages never end where its frames do would have all of them kept.
            if self.bytes.readerIndex > 0 { self.bytes = ByteBuffer(bytes: self.bytes.readableBytesView) }
            self.bytes.writeImmutableBuffer(bytes)
        }
    }

    private mutating func take(_ bytes: inout ByteBuffer, upTo length: Int) {
        let count = min(length - self.message.count, bytes.readableBytes)
        bytes.readWithUnsafeReadableBytes { piece in
            self.message.append(contentsOf: piece[..<count])
            return count
        }
    }

    /// The next whole message, or nil while it is not there.
    mutating func next() throws -> [UInt8]? {
        guard let length = try self.length ?? self.announcedLength() else { return nil }
        if self.message.count == length, self.length != nil {
            self.begin()
            let message = self.message
            self.message = []
            return message
        }
        guard self.message.isEmpty, self.bytes.readableBytes >= Self.prefix + length else {
            self.length = length
            try self.reserve()
            return nil
        }
        self.bytes.moveReaderIndex(forwardBy: Self.prefix)
        let message = self.bytes.readBytes(length: length) ?? []
        if self.bytes.readableBytes == 0 { self.bytes = ByteBuffer() }
        self.begin()
        return message
    }

    /// Of what comes next, nothing is known.
    private mutating func begin() {
        self.length = nil
        self.release()
    }

    private func announcedLength() throws -> Int? {
        guard let flag: UInt8 = self.bytes.getInteger(at: self.bytes.readerIndex),
            let length: UInt32 = self.bytes.getInteger(at: self.bytes.readerIndex + 1)
        else { return nil }
        guard flag == 0 else {
            // As for an encoding that is announced: see `GRPCHeaders.problem`.
            throw RPCError(code: .unimplemented, message: "compressed messages are not supported")
        }
        guard length <= self.limit else {
            throw RPCError(
                code: .resourceExhausted,
                message: "a request has \(length) bytes, more than \(self.limit)"
            )
        }
        return Int(length)
    }

    /// Bytes of memory, for tests.
    var capacity: Int { self.bytes.capacity + self.message.capacity }

    /// Whether nothing of a message is held.
    var isEmpty: Bool { self.bytes.readableBytes == 0 && self.length == nil }

    /// What has come, and not what was announced: that costs nothing, and whoever announces much and sends little would
    /// keep everybody else out.
    private mutating func reserve() throws {
        let held = self.bytes.readableBytes + self.message.count
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
