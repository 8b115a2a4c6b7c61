// SPDX-License-Identifier: Apache-2.0

/// Finds the bytes of an array's elements, for what must be kept as it came.
enum JSONArrayElements {
    /// The ranges of the elements without the white space around them; none if the text is no array.
    ///
    /// - Precondition: the text is JSON. If it is not, the ranges mean nothing, and nothing worse happens.
    static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var depth = 0
        var start: Int?
        var end = 0
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                position += 1
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                if depth == 1 {
                    guard byte == UInt8(ascii: "["), start == nil else { return [] }
                    position += 1
                    continue
                }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
            default: break
            }
            if depth == 0 || (depth == 1 && byte == UInt8(ascii: ",")) {
                if let start { ranges.append(start..<end) }
                start = nil
                if depth == 0 { return ranges }
            } else {
                if start == nil { start = position }
                if byte == UInt8(ascii: "\"") { position = Self.endOfString(in: bytes, from: position) }
                end = position + 1
            }
            position += 1
        }
        return ranges
    }

    /// The position of the quote that ends the string which starts here, or of the last byte.
    private static func endOfString(in bytes: [UInt8], from start: Int) -> Int {
        var position = start + 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""): return position
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return bytes.count - 1
    }
}
