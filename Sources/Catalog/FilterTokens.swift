// SPDX-License-Identifier: Apache-2.0

/// Why a filter expression cannot be used.
package struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In one line; quotes nothing that was not checked to be printable.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

enum FilterToken: Equatable {
    /// Names with dots or brackets between them, which may be a selector, a keyword or a value.
    case path([String])
    /// In quotes, or a number.
    case literal(String)
    case equal
    case notEqual
    case open
    case close

    /// The text that it stands for where a value is wanted.
    var value: String? {
        switch self {
        case .path(let names): names.joined(separator: ".")
        case .literal(let text): text
        case .equal, .notEqual, .open, .close: nil
        }
    }

    func isWord(_ word: String) -> Bool { self == .path([word]) }
}

/// Cuts the text of a filter expression into tokens.
struct FilterTokenizer {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) throws(FilterError) {
        guard text.utf8.count <= FilterExpression.maximumLength else {
            throw FilterError("it has over \(FilterExpression.maximumLength) bytes")
        }
        self.rest = Array(text.utf8)[...]
    }

    mutating func tokens() throws(FilterError) -> [FilterToken] {
        var tokens: [FilterToken] = []
        while let token = try self.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() throws(FilterError) -> FilterToken? {
        self.rest = self.rest.drop { " \t\r\n".utf8.contains($0) }
        guard let first = self.rest.first else { return nil }
        switch first {
        case UInt8(ascii: "("):
            self.rest.removeFirst()
            return .open
        case UInt8(ascii: ")"):
            self.rest.removeFirst()
            return .close
        case UInt8(ascii: "="), UInt8(ascii: "!"):
            guard self.rest.dropFirst().first == UInt8(ascii: "=") else {
                throw FilterError("it compares by == and != only")
            }
            self.rest.removeFirst(2)
            return first == UInt8(ascii: "=") ? .equal : .notEqual
        case UInt8(ascii: "\""), UInt8(ascii: "`"):
            return .literal(try self.string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .literal(try self.number())
        default:
            guard Self.isLetter(first) else {
                throw FilterError("it has a character that belongs into quotes, or is not to be there")
            }
            return .path(try self.path())
        }
    }

    /// Names with dots and brackets: `Service.Meta.version` or `Service.Meta["version"]`.
    private mutating func path() throws(FilterError) -> [String] {
        var names = [try self.identifier()]
        while let next = self.rest.first {
            if next == UInt8(ascii: ".") {
                self.rest.removeFirst()
                names.append(try self.identifier())
            } else if next == UInt8(ascii: "[") {
                self.rest.removeFirst()
                self.rest = self.rest.drop { $0 == UInt8(ascii: " ") }
                guard self.rest.first == UInt8(ascii: "\"") || self.rest.first == UInt8(ascii: "`") else {
                    throw FilterError("what stands in brackets is to be in quotes")
                }
                names.append(try self.string())
                self.rest = self.rest.drop { $0 == UInt8(ascii: " ") }
                guard self.rest.popFirst() == UInt8(ascii: "]") else { throw FilterError("a bracket is not closed") }
            } else {
                break
            }
        }
        if let next = self.rest.first, !Self.mayFollow(next) {
            throw FilterError("a value that is more than letters, digits, _ and / belongs into quotes")
        }
        return names
    }

    private mutating func identifier() throws(FilterError) -> String {
        guard let first = self.rest.first, Self.isLetter(first) else {
            throw FilterError("a name begins with a letter; a value that does not belongs into quotes")
        }
        let name = self.rest.prefix { Self.isLetter($0) || Self.isDigit($0) || "_/".utf8.contains($0) }
        self.rest = self.rest.dropFirst(name.count)
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func number() throws(FilterError) -> String {
        let text = self.rest.prefix { Self.isDigit($0) || ".-".utf8.contains($0) }
        self.rest = self.rest.dropFirst(text.count)
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isNumber =
            parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(Self.isDigit) }
            && (digits.first != UInt8(ascii: "0") || parts.first?.count == 1)
        guard isNumber, self.rest.first.map(Self.mayFollow) ?? true else {
            throw FilterError("a number is not a plain decimal; other text belongs into quotes")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// In backquotes as it stands; in double quotes with Go's escapes.
    private mutating func string() throws(FilterError) -> String {
        let quote = self.rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = self.rest.popFirst() {
            if byte == quote { return try Self.printable(bytes) }
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") else {
                bytes.append(byte)
                continue
            }
            bytes.append(contentsOf: try self.escape())
        }
        throw FilterError("a quote is not closed")
    }

    private mutating func escape() throws(FilterError) -> [UInt8] {
        switch self.rest.popFirst() {
        case UInt8(ascii: "\\"): return [UInt8(ascii: "\\")]
        case UInt8(ascii: "\""): return [UInt8(ascii: "\"")]
        case UInt8(ascii: "x"): return try self.escape(digits: 2)
        case UInt8(ascii: "u"): return try self.escape(digits: 4)
        case UInt8(ascii: "U"): return try self.escape(digits: 8)
        default: throw FilterError("it has an escape other than \\\\, \\\", \\x, \\u and \\U")
        }
    }

    private mutating func escape(digits: Int) throws(FilterError) -> [UInt8] {
        let text = String(decoding: self.rest.prefix(digits), as: UTF8.self)
        self.rest = self.rest.dropFirst(digits)
        // What is not ASCII is refused with the whole value.
        guard text.utf8.count == digits, let scalar = UInt32(text, radix: 16), let byte = UInt8(exactly: scalar) else {
            throw FilterError("it has an escape of a character that is not ASCII")
        }
        return [byte]
    }

    /// ASCII only: what Unicode holds to be equal is equal here, and would be two names in Envoy.
    private static func printable(_ bytes: [UInt8]) throws(FilterError) -> String {
        guard bytes.allSatisfy({ (UInt8(ascii: " ")...UInt8(ascii: "~")).contains($0) }) else {
            throw FilterError("a value is not printable ASCII")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// A word.
    private static func mayFollow(_ byte: UInt8) -> Bool { " \t\r\n()=!".utf8.contains(byte) }
}
