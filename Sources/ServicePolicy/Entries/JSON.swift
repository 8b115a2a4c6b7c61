// SPDX-License-Identifier: Apache-2.0

/// A JSON value as somebody sent it.
indirect enum JSON: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// As it was written: Consul's indexes do not fit into a `Double`.
    case number(String)
    case string(String)
    case array([JSON])
    /// Of a key that is there twice the last counts, as in Go.
    case object([String: JSON])

    /// Whether it says no more than if it were not there: Go writes the zero value of many a field.
    var isEmpty: Bool {
        switch self {
        case .null: true
        case .boolean(let value): !value
        case .number(let text): Double(text) == 0
        case .string(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let members): members.values.allSatisfy(\.isEmpty)
        }
    }

    /// For messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a truth value"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

struct JSONError: Error, Equatable {
    let reason: String
}

/// Reads a JSON text (RFC 8259) of bounded size and depth.
struct JSONParser {
    /// Consul's limit of what it writes at once.
    static let maximumBytes = 1 << 20
    static let maximumDepth = 32

    private var rest: ArraySlice<UInt8>
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.rest = bytes[...]
    }

    static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        guard bytes.count <= self.maximumBytes else { throw JSONError(reason: "it has over 1 MiB") }
        var parser = JSONParser(bytes)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.rest.isEmpty else { throw JSONError(reason: "something follows the value") }
        return value
    }

    private mutating func value() throws(JSONError) -> JSON {
        self.skipSpace()
        switch self.rest.first {
        case UInt8(ascii: "{"): return try self.nested { parser throws(JSONError) in try parser.object() }
        case UInt8(ascii: "["): return try self.nested { parser throws(JSONError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .boolean(true))
        case UInt8(ascii: "f"): return try self.word("false", .boolean(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return try self.number()
        }
    }

    private mutating func nested(
        _ read: (inout JSONParser) throws(JSONError) -> JSON
    ) throws(JSONError) -> JSON {
        guard self.depth < Self.maximumDepth else {
            throw JSONError(reason: "it is nested over \(Self.maximumDepth) deep")
        }
        self.depth += 1
        self.rest.removeFirst()
        let value = try read(&self)
        self.depth -= 1
        return value
    }

    private mutating func object() throws(JSONError) -> JSON {
        var members: [String: JSON] = [:]
        if self.take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            self.skipSpace()
            guard self.rest.first == UInt8(ascii: "\"") else { throw JSONError(reason: "a key is no string") }
            let key = try self.string()
            guard self.take(UInt8(ascii: ":")) else { throw JSONError(reason: "a key has no value") }
            members[key] = try self.value()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "}")) else { throw JSONError(reason: "an object is not closed") }
        return .object(members)
    }

    private mutating func array() throws(JSONError) -> JSON {
        var items: [JSON] = []
        if self.take(UInt8(ascii: "]")) { return .array(items) }
        repeat { items.append(try self.value()) } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "]")) else { throw JSONError(reason: "a list is not closed") }
        return .array(items)
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let bytes = Array("\(word)".utf8)
        guard self.rest.starts(with: bytes) else { throw JSONError(reason: "it has a word that JSON does not know") }
        self.rest = self.rest.dropFirst(bytes.count)
        return value
    }

    private mutating func number() throws(JSONError) -> JSON {
        let bytes = self.rest.prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "+-.eE".utf8.contains($0)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw JSONError(reason: "a value is missing or no JSON") }
        self.rest = self.rest.dropFirst(bytes.count)
        return .number(text)
    }

    private mutating func string() throws(JSONError) -> String {
        self.rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = self.rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): try self.escape(into: &bytes)
            case 0..<0x20: throw JSONError(reason: "a string has a control character")
            default: bytes.append(byte)
            }
        }
        throw JSONError(reason: "a string is not closed")
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSONError) {
        switch self.rest.popFirst() {
        case UInt8(ascii: "\""): bytes.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): bytes.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"): bytes += String(Character(try self.scalar())).utf8
        default: throw JSONError(reason: "a string has an escape that JSON does not know")
        }
    }

    /// Half of a pair that lacks the other becomes U+FFFD, as in Go.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let first = try self.codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, self.rest.starts(with: "\\u".utf8) else { return "\u{FFFD}" }
        let before = self.rest
        self.rest = self.rest.dropFirst(2)
        let second = try self.codeUnit()
        guard (0xDC00..<0xE000).contains(second) else {
            self.rest = before
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        let text = String(decoding: self.rest.prefix(4), as: UTF8.self)
        guard text.utf8.count == 4, text.allSatisfy(\.isHexDigit), let value = UInt32(text, radix: 16) else {
            throw JSONError(reason: "a string has an escape that JSON does not know")
        }
        self.rest = self.rest.dropFirst(4)
        return value
    }

    private mutating func skipSpace() {
        self.rest = self.rest.drop { " \t\r\n".utf8.contains($0) }
    }

    /// With the space before it.
    private mutating func take(_ byte: UInt8) -> Bool {
        self.skipSpace()
        guard self.rest.first == byte else { return false }
        self.rest.removeFirst()
        return true
    }
}
