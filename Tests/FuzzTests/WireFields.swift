// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// The fields of a serialized message, cut apart without the reader that is on trial, to be put together otherwise.
struct WireFields {
    struct Field {
        var number: UInt64
        /// Tag and all.
        var bytes: [UInt8]
        /// Without tag and length; nil if it has no length.
        var content: [UInt8]?
    }

    private(set) var fields: [Field] = []
    /// Whether there is the beginning or end of a group, which nothing on our way reads. Fields end there.
    private(set) var hasGroups = false

    /// The number of the field whose content is not all there.
    private(set) var cut: UInt64?

    /// As far as it is a message.
    init(_ bytes: [UInt8]) {
        var position = 0
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), through: 63, by: 7) {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while position < bytes.count {
            let start = position
            guard let tag = varint() else { return }
            self.cut = tag >> 3
            var content: [UInt8]?
            switch tag & 7 {
            case 0: if varint() == nil { return }
            case 1: position += 8
            case 2:
                guard let count = varint(), count <= UInt64(bytes.count - position) else { return }
                content = Array(bytes[position..<position + Int(count)])
                position += Int(count)
            case 5: position += 4
            default:
                self.hasGroups = tag & 7 < 5
                return
            }
            guard position <= bytes.count else { return }
            self.fields.append(Field(number: tag >> 3, bytes: Array(bytes[start..<position]), content: content))
            self.cut = nil
        }
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        self.varint(number << 3 | 2) + self.varint(UInt64(content.count)) + content
    }

    /// The same message or a similar one: fields twice, in another order, nested, cut, or with what nobody knows
    /// between them.
    func rearranged(using generator: inout SeededGenerator) -> [UInt8] {
        var pieces = self.fields.map(\.bytes)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...pieces.count, using: &generator)
            let field = self.fields.randomElement(using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: pieces.insert(field?.bytes ?? [], at: place)
            case 1: pieces.shuffle(using: &generator)
            case 2: if place < pieces.count { pieces.remove(at: place) }
            case 3:
                let number = UInt64.random(in: 1...12, using: &generator)
                pieces.insert(Self.field(number, field?.content ?? []), at: place)
            case 4:
                var nest = field?.content ?? []
                for _ in 0..<Int.random(in: 1...150, using: &generator) {
                    nest = Self.field(UInt64.random(in: 1...6, using: &generator), nest)
                }
                pieces.insert(nest, at: place)
            case 5: pieces.insert(Self.splinters.randomElement(using: &generator) ?? [], at: place)
            default:
                guard let field, let content = field.content else { continue }
                let half = Array(content.prefix(Int.random(in: 0...content.count, using: &generator)))
                pieces.insert(Self.field(field.number, half), at: place)
            }
        }
        return pieces.flatMap(\.self)
    }

    /// Unknown fields of every kind, and numbers and lengths at and beyond their limits.
    static let splinters: [[UInt8]] = [
        [0xF8, 0x07, 0x01], [0xF9, 0x07] + Array(repeating: 1, count: 8), [0xFD, 0x07, 1, 2, 3, 4],
        [0xFA, 0x07, 0x00], [0xFB, 0x07, 0xFC, 0x07], [0x0B], [0x0C], [0x07], [0x06], [0x00], [0x02, 0x00],
        [0x80, 0x00], [0x8A, 0x80, 0x00, 0x00], [0x9A, 0x00, 0x01, 0x61],
        [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFA, 0xFF, 0xFF, 0xFF, 0x0F, 0x00], [0xFA, 0xFF, 0xFF, 0xFF, 0x1F, 0x00],
        Array(repeating: 0xFF, count: 9) + [0x01], Array(repeating: 0xFF, count: 9) + [0x7F],
        Array(repeating: 0xFF, count: 10) + [0x01], Array(repeating: 0x80, count: 9) + [0x01],
        Array(repeating: 0x80, count: 9) + [0x00],
        [0x1A] + Array(repeating: 0xFF, count: 9) + [0x01], [0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07],
        [0x1A] + Array(repeating: 0xFF, count: 8) + [0x7F], [0x1A, 0x81, 0x00, 0x61],
        [0x1A, 0x01, 0xFF], [0x2A, 0x02, 0xC3, 0x28], [0x22, 0x01, 0x80], [0x32, 0x00], [0x3A, 0x00], [0x30, 0x01],
        [0x1A, 0x03, 0xED, 0xA0, 0x80], [0x1A, 0x00], [0x0A, 0x00], [0x12, 0x00],
    ]
}
