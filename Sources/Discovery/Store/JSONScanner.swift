// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) from front to back, by somebody who knows what should be there. What it reads decides how deep
/// it goes, and not the text.
struct JSONScanner {
    /// The offset of what could not be read.
    struct Fault: Error, Hashable {
        var offset: Int
    }

    private let bytes: [UInt8]
    private var index: Int

    init(_ bytes: [UInt8], from start: Int = 0) {
        self.bytes = bytes
        self.index = start
    }

    var fault: Fault { Fault(offset: self.index) }

    mutating func object(
        _ member: (_ key: String, _ scanner: inout JSONScanner) throws(Fault) -> Void
    ) throws(Fault) {
        try self.expect("{")
        if self.skip("}") { return }
        repeat {
            let key = try self.string()
            try self.expect(":")
            try member(key, &self)
        } while self.skip(",")
        try self.expect("}")
    }

    mutating func array(_ element: (_ scanner: inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
        try self.expect("[")
        if self.skip("]") { return }
        repeat {
            try element(&self)
        } while self.skip(",")
        try self.expect("]")
    }

    mutating func strings() throws(Fault) -> [String] {
        var strings: [String] = []
        try self.array { scanner throws(Fault) in
            strings.append(try scanner.string())
        }
        return strings
    }

    mutating func map() throws(Fault) -> [String: String] {
        var map: [String: String] = [:]
        try self.object { key, scanner throws(Fault) in
            map[key] = try scanner.string()
        }
        return map
    }

    /// Whole numbers only.
    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(Fault) -> Number {
        self.skipSpace()
        let start = self.index
        while self.index < self.bytes.count, "-0123456789".utf8.contains(self.bytes[self.index]) { self.index += 1 }
        guard let number = Number(String(decoding: self.bytes[start..<self.index], as: UTF8.self)) else {
            throw Fault(offset: start)
        }
        return number
    }

    mutating func bool() throws(Fault) -> Bool {
        self.skipSpace()
        for (word, value) in [("true", true), ("false", false)]
        where self.bytes[self.index...].starts(with: word.utf8) {
            self.index += word.utf8.count
            return value
        }
        throw self.fault
    }

    mutating func end() throws(Fault) {
        self.skipSpace()
        if self.index < self.bytes.count { throw self.fault }
    }

    mutating func string() throws(Fault) -> String {
        try self.expect("\"")
        let start = self.index
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case UInt8(ascii: "\""):
                defer { self.index += 1 }
                return String(decoding: self.bytes[start..<self.index], as: UTF8.self)
            case UInt8(ascii: "\\"):
                return try self.escapedString(from: start)
            case 0..<0x20: throw self.fault
            default: self.index += 1
            }
        }
        throw self.fault
    }

    private mutating func escapedString(from start: Int) throws(Fault) -> String {
        var text = Array(self.bytes[start..<self.index])
        while self.index < self.bytes.count {
            let byte = self.bytes[self.index]
            self.index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try self.escape().utf8
            case 0..<0x20: throw self.fault
            default: text.append(byte)
            }
        }
        throw self.fault
    }

    private mutating func escape() throws(Fault) -> String {
        guard self.index < self.bytes.count else { throw self.fault }
        let byte = self.bytes[self.index]
        self.index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return String(Unicode.Scalar(byte))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let first = try self.codeUnit()
            guard UTF16.isLeadSurrogate(first) else {
                return String(decoding: [first], as: UTF16.self)
            }
            guard self.bytes[self.index...].starts(with: "\\u".utf8) else { throw self.fault }
            self.index += 2
            return String(decoding: [first, try self.codeUnit()], as: UTF16.self)
        default: throw self.fault
        }
    }

    private mutating func codeUnit() throws(Fault) -> UInt16 {
        let digits = self.bytes[self.index...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw self.fault }
        self.index += 4
        return unit
    }

    private mutating func skipSpace() {
        while self.index < self.bytes.count, " \n\r\t".utf8.contains(self.bytes[self.index]) { self.index += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        self.skipSpace()
        guard self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: character) else { return false }
        self.index += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard self.skip(character) else { throw self.fault }
    }
}
