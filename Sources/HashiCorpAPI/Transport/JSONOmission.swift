// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Makes the texts of one key in JSON empty, while it comes in: what checks print is most of the answers that have checks
/// in them, and nobody reads it here.
struct JSONOmission: Sendable {
    private enum Place {
        case outside
        /// In a text, of which so many bytes are as in the key; nil: it is another.
        case text(matched: Int?, isEscaped: Bool)
        /// After the key.
        case key
        /// After the colon.
        case colon
        /// In a text that is left out.
        case omitted(isEscaped: Bool)
    }

    private let key: [UInt8]
    private var place = Place.outside

    /// - Parameter key: as it is written in JSON, without escapes.
    init(_ key: String) {
        self.key = Array(key.utf8)
    }

    mutating func apply(to part: ByteBuffer) -> ByteBuffer {
        var kept: [UInt8] = []
        kept.reserveCapacity(part.readableBytes)
        var place = self.place
        part.withUnsafeReadableBytes { bytes in
            for byte in bytes {
                if self.isKept(byte, &place) { kept.append(byte) }
            }
        }
        self.place = place
        return ByteBuffer(bytes: kept)
    }

    private func isKept(_ byte: UInt8, _ place: inout Place) -> Bool {
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        switch place {
        case .outside:
            if byte == quote { place = .text(matched: 0, isEscaped: false) }
        case .text(_, isEscaped: true):
            place = .text(matched: nil, isEscaped: false)
        case .text(let matched, isEscaped: false):
            if byte == quote {
                place = matched == self.key.count ? .key : .outside
            } else if byte == backslash {
                place = .text(matched: nil, isEscaped: true)
            } else if let matched {
                let isNext = matched < self.key.count && self.key[matched] == byte
                place = .text(matched: isNext ? matched + 1 : nil, isEscaped: false)
            }
        case .key, .colon:
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): break
            case UInt8(ascii: ":"): place = .colon
            case quote:
                if case .colon = place {
                    place = .omitted(isEscaped: false)
                } else {
                    place = .text(matched: 0, isEscaped: false)
                }
            default: place = .outside
            }
        case .omitted(isEscaped: true):
            place = .omitted(isEscaped: false)
            return false
        case .omitted(isEscaped: false):
            if byte == quote {
                place = .outside
                return true
            }
            if byte == backslash { place = .omitted(isEscaped: true) }
            return false
        }
        return true
    }
}
