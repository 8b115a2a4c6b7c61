// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import XDSProtocol

/// What a request lists, counted before anything is made of it: one of the largest size has room for millions of names, and
/// to make texts of these takes the event loop, and everybody else on it, many seconds.
struct RequestShape {
    private let limits: StreamLimits
    private let variant: StreamStateMachine.Variant
    private var names = 0
    private var nameBytes = 0
    private var versions = 0
    private var others = 0
    private var repetition: RequestMessage.Repetition?

    /// - Parameter known: names that were counted before, as they came: an ACK repeats them.
    /// - Returns: where they stand again, if they do and were looked for.
    /// - Throws: as soon as a limit is passed. Broken bytes end the count, and are left to the reader to refuse.
    @discardableResult
    static func check(
        _ bytes: [UInt8],
        variant: StreamStateMachine.Variant,
        limits: StreamLimits,
        known: [TypeURL: [UInt8]] = [:]
    ) throws(RPCError) -> RequestMessage.Repetition? {
        // A field has two bytes at least: nearly no request need be counted.
        guard bytes.count > min(2 * Self.others, limits.subscriptions.subscriptions) else { return nil }
        var shape = RequestShape(variant: variant, limits: limits)
        try shape.count(bytes.span, known)
        return shape.repetition
    }

    /// Of fields of which a client sends one or two.
    private static let others = 1_000

    private init(variant: StreamStateMachine.Variant, limits: StreamLimits) {
        self.variant = variant
        self.limits = limits
    }

    private mutating func count(_ bytes: Span<UInt8>, _ known: [TypeURL: [UInt8]]) throws(RPCError) {
        var position = 0
        while true {
            let start = position
            guard let tag = Self.varint(bytes, &position) else { return }
            if tag == 3 << 3 | 2, self.names == 0,
                let (type, names) = known.first(where: { $0.value.stand(at: start, in: bytes) })
            {
                // No name is counted for them, but they are passed over only once.
                self.names = 1
                position = start + names.count
                self.repetition = RequestMessage.Repetition(type: type, range: start..<position)
                continue
            }
            guard let length = Self.length(of: tag, bytes, &position), length <= bytes.count - position else { return }
            position += length
            switch (self.variant, tag >> 3) {
            // `resource_names` and `resource_names_subscribe`.
            case (_, 3): try self.count(name: length)
            // `resource_names_unsubscribe`.
            case (.delta, 4): try self.count(name: length)
            // `initial_resource_versions`.
            case (.delta, 5): try Self.add(1, to: &self.versions, self.limits.versions, "versions in one request")
            default: try Self.add(1, to: &self.others, Self.others, "other fields in one request")
            }
        }
    }

    private mutating func count(name length: Int) throws(RPCError) {
        try Self.add(1, to: &self.names, self.limits.subscriptions.subscriptions, "names in one request")
        try Self.add(length, to: &self.nameBytes, self.limits.nameBytes, "bytes of names in one request")
    }

    private static func add(_ more: Int, to sum: inout Int, _ limit: Int, _ what: String) throws(RPCError) {
        sum += more
        guard sum > limit else { return }
        throw RPCError(code: .resourceExhausted, message: "more than \(limit) \(what)")
    }

    private static func length(of tag: UInt64, _ bytes: Span<UInt8>, _ position: inout Int) -> Int? {
        switch tag & 7 {
        case 0: self.varint(bytes, &position).map { _ in 0 }
        case 1: 8
        case 2: self.varint(bytes, &position).flatMap { Int(exactly: $0) }
        // What is in a group counts as if it were outside; nobody sends any.
        case 3, 4: 0
        case 5: 4
        default: nil
        }
    }

    private static func varint(_ bytes: Span<UInt8>, _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift <= 63 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate func stand(at start: Int, in bytes: Span<UInt8>) -> Bool {
        guard !self.isEmpty, self.count <= bytes.count - start else { return false }
        return bytes.extracting(start..<start + self.count).withUnsafeBytes { piece in
            self.withUnsafeBytes { areSame($0, piece) }
        }
    }
}
