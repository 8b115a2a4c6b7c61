// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore
import Testing

@testable import XDSServer

/// Messages out of the pieces in which HTTP/2 brings them. `DeframerFuzz` has all the others.
@Suite struct MessageDeframerTests {
    private static func framed(_ messages: [[UInt8]]) -> ByteBuffer {
        var bytes = ByteBuffer()
        for message in messages {
            bytes.writeInteger(UInt8(0))
            bytes.writeInteger(UInt32(message.count))
            bytes.writeBytes(message)
        }
        return bytes
    }

    private static func read(_ bytes: ByteBuffer, piece: Int) throws -> [[UInt8]] {
        var deframer = MessageDeframer(limit: 1 << 20, budget: RequestBudget(bytes: 1 << 20))
        var (rest, messages) = (bytes, [[UInt8]]())
        while let next = rest.readSlice(length: min(piece, rest.readableBytes)), next.readableBytes > 0 {
            deframer.append(next)
            while let message = try deframer.next() { messages.append(message) }
        }
        #expect(deframer.isEmpty)
        return messages
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 11, 64, 1_000, 16_384, 1_000_000])
    func `messages come out as they went in, however they are cut`(piece: Int) throws {
        let sizes = piece < 64 ? [0, 1, 3, 0, 300, 5] : [0, 100_000, 3, 0, 270_000, 5, 16_379]
        let messages = sizes.enumerated().map { number, size in Array(repeating: UInt8(number), count: size) }
        #expect(try Self.read(Self.framed(messages), piece: piece) == messages)
    }

    @Test func `a frame without content changes nothing`() throws {
        var deframer = MessageDeframer(limit: 100, budget: RequestBudget(bytes: 100))
        var bytes = Self.framed([[1, 2, 3]])
        deframer.append(ByteBuffer())
        #expect(try deframer.next() == nil)
        #expect(deframer.isEmpty)
        for length in [5, 1, 2] {
            let piece = bytes.readSlice(length: length)
            deframer.append(try #require(piece))
            deframer.append(ByteBuffer())
            if length < 2 || length == 5 { #expect(try deframer.next() == nil) }
            #expect(!deframer.isEmpty)
        }
        #expect(try deframer.next() == [1, 2, 3])
        #expect(deframer.isEmpty)
    }

    /// A client whose messages never end where its frames do, and one that is idle.
    @Test(arguments: 1...7)
    func `what was read is not kept`(cut: Int) throws {
        var deframer = MessageDeframer(limit: 1 << 20, budget: RequestBudget(bytes: 1 << 20))
        let message = Array(repeating: UInt8(7), count: 10_000)
        var (stream, count) = (Self.framed(Array(repeating: message, count: 100)), 0)
        let size = message.count + 5
        while stream.readableBytes > 0 {
            let piece = stream.readSlice(length: min(count == 0 ? size + cut : size, stream.readableBytes))
            // As from a socket: no part of a larger buffer.
            deframer.append(ByteBuffer(bytes: try #require(piece).readableBytesView))
            while let next = try deframer.next() {
                #expect(next == message)
                count += 1
            }
            #expect(deframer.capacity < 60_000)
        }
        #expect(count == 100)
        #expect(deframer.isEmpty)
        #expect(deframer.capacity == 0)
    }
}
