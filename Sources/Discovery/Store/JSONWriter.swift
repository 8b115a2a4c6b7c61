// SPDX-License-Identifier: Apache-2.0

/// Writes JSON (RFC 8259) piece by piece, so that a large text never is in memory as a whole.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Hands out what was written since the last time.
    mutating func take() -> [UInt8] {
        defer { self.bytes.removeAll(keepingCapacity: true) }
        return self.bytes
    }

    mutating func object(_ members: (inout JSONWriter) -> Void) {
        self.nest("{", "}", members)
    }

    mutating func array(_ elements: (inout JSONWriter) -> Void) {
        self.nest("[", "]", elements)
    }

    /// The beginning of an object or array whose end is another call.
    mutating func open(_ bracket: Unicode.Scalar) {
        self.separate()
        self.bytes.append(UInt8(ascii: bracket))
        self.needsComma = false
    }

    mutating func close(_ bracket: Unicode.Scalar) {
        self.bytes.append(UInt8(ascii: bracket))
        self.needsComma = true
    }

    private mutating func nest(_ start: Unicode.Scalar, _ end: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
        self.open(start)
        body(&self)
        self.close(end)
    }

    mutating func key(_ key: String) {
        self.string(key)
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    /// For people who look into it.
    mutating func newLine() {
        self.separate()
        self.bytes.append(UInt8(ascii: "\n"))
        self.needsComma = false
    }

    /// At the end of the text.
    mutating func lineFeed() {
        self.bytes.append(UInt8(ascii: "\n"))
    }

    mutating func string(_ text: String) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { self.append($0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.needsComma = true
    }

    mutating func number(_ number: some BinaryInteger) {
        self.separate()
        self.bytes.append(contentsOf: number.description.utf8)
        self.needsComma = true
    }

    mutating func bool(_ value: Bool) {
        self.separate()
        self.bytes.append(contentsOf: (value ? "true" : "false").utf8)
        self.needsComma = true
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in text.indices where Self.isEscaped(text[index]) {
            self.bytes.append(contentsOf: text[start..<index])
            self.escape(text[index])
            start = index + 1
        }
        self.bytes.append(contentsOf: text[start...])
    }

    private mutating func escape(_ byte: UInt8) {
        if byte >= 0x20 {
            self.bytes += [UInt8(ascii: "\\"), byte]
        } else {
            let digits = Array("0123456789abcdef".utf8)
            self.bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
}
