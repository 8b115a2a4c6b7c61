// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore
import TestSupport

@testable import XDSServer

/// gRPC frames, good and bad, of several streams with one budget, in pieces: what comes out is what was put in, up to
/// the first bad frame, and in the end the budget is what it was.
struct DeframerFuzz {
    /// One stream: what it will send, and what of it came out so far.
    private struct Stream {
        var deframer: MessageDeframer
        var unsent: ByteBuffer
        var messages: [[UInt8]] = []
        /// What the first bad frame is refused with.
        var problem: RPCError.Code?
        var count = 0
        var isOver = false
        var hasTail = false
    }

    private var generator: SeededGenerator
    private let limit: Int
    private let budgetBytes: Int
    private let budget: RequestBudget
    private var failure: String?

    static func failure(seed: UInt64) -> String? {
        var fuzz = DeframerFuzz(seed: seed)
        fuzz.converse()
        return fuzz.failure
    }

    private init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
        self.limit = [0, 1, 300, 70_000, 400_000].randomElement(using: &self.generator) ?? 0
        self.budgetBytes = [0, 1 << 18, 600_000, 5_000_000].randomElement(using: &self.generator) ?? 0
        self.budget = RequestBudget(bytes: self.budgetBytes)
    }

    private mutating func converse() {
        var streams = (0..<Int.random(in: 1...4, using: &self.generator)).map { _ in self.stream() }
        while let index = streams.indices.filter({ !streams[$0].isOver }).randomElement(using: &self.generator) {
            self.feed(&streams[index])
            if self.failure != nil { return }
        }
        // Room for `budgetBytes` beside something is room for nothing else.
        if !self.budget.reserve(self.budgetBytes) { self.failure = "the budget is not what it was" }
        self.budget.release(self.budgetBytes)
        if self.budget.reserve(1), self.budget.reserve(self.budgetBytes), self.budgetBytes > 1 {
            self.failure = "the budget has become larger"
        }
    }

    private mutating func stream() -> Stream {
        var stream = Stream(deframer: MessageDeframer(limit: self.limit, budget: self.budget), unsent: ByteBuffer())
        for _ in 0..<Int.random(in: 0...6, using: &self.generator) where stream.problem == nil {
            let isLarge = self.generator.chance(1, of: 20)
            let most = isLarge ? self.limit : min(self.limit, 200)
            switch Int.random(in: 0..<12, using: &self.generator) {
            case 0:
                stream.unsent.writeInteger(UInt8.random(in: 1 ... .max, using: &self.generator))
                stream.unsent.writeInteger(UInt32.random(in: 0 ... .max, using: &self.generator))
                stream.problem = .unimplemented
            case 1:
                stream.unsent.writeInteger(UInt8(0))
                stream.unsent.writeInteger(UInt32.random(in: UInt32(self.limit + 1) ... .max, using: &self.generator))
                stream.problem = .resourceExhausted
            default:
                let fill = UInt8.random(in: .min ... .max, using: &self.generator)
                let message = Array(repeating: fill, count: Int.random(in: 0...most, using: &self.generator))
                stream.unsent.writeInteger(UInt8(0))
                stream.unsent.writeInteger(UInt32(message.count))
                stream.unsent.writeBytes(message)
                stream.messages.append(message)
            }
        }
        if stream.problem == nil, self.generator.chance(1, of: 3) {
            // It ends in the middle of a message.
            let declared = UInt32.random(in: 0...UInt32(self.limit), using: &self.generator)
            let tail = ByteBuffer(bytes: [0] + withUnsafeBytes(of: declared.bigEndian, Array.init) + [7, 7, 7])
            let most = min(tail.readableBytes - 3 + min(3, Int(declared)), tail.readableBytes)
            let count = Int.random(in: 1..<max(2, most), using: &self.generator)
            stream.unsent.writeImmutableBuffer(tail.getSlice(at: 0, length: count) ?? tail)
            stream.hasTail = true
        }
        return stream
    }

    private mutating func feed(_ stream: inout Stream) {
        guard stream.unsent.readableBytes > 0 else {
            let isWhole = stream.count == stream.messages.count && stream.problem == nil
            if !isWhole { self.failure = "\(stream.count) of \(stream.messages.count) messages came" }
            if stream.deframer.isEmpty == stream.hasTail { self.failure = "a message is held, or is not" }
            self.end(&stream)
            return
        }
        let most = self.generator.chance(1, of: 4) ? stream.unsent.readableBytes : 9
        let count = min(stream.unsent.readableBytes, Int.random(in: 0...max(most, 1 << 14), using: &self.generator))
        if let piece = stream.unsent.readSlice(length: min(count, most)) { stream.deframer.append(piece) }
        do {
            while let message = try stream.deframer.next() {
                guard stream.count < stream.messages.count, stream.messages[stream.count] == message else {
                    self.failure = "message \(stream.count) is another"
                    return
                }
                stream.count += 1
            }
        } catch let error as RPCError {
            let isBudget = error.code == .resourceExhausted && error.message.hasPrefix("too many large")
            if isBudget ? self.budgetBytes > self.limit * 4 : error.code != stream.problem {
                self.failure = "refused with \(error)"
            } else if !isBudget, stream.count != stream.messages.count {
                self.failure = "refused after \(stream.count) of \(stream.messages.count) messages"
            }
            self.end(&stream)
        } catch {
            self.failure = "\(error)"
        }
    }

    private func end(_ stream: inout Stream) {
        stream.deframer.release()
        stream.isOver = true
    }
}
