// SPDX-License-Identifier: Apache-2.0

/// The words of a NACK.
extension Suspects {
    /// In scalars: a single character may be as long as a request.
    static func excerpt(_ message: String) -> String {
        String(message.unicodeScalars.prefix(1024))
    }

    /// Whether `name` stands in `message` as a whole word.
    static func mentions(_ message: String, _ name: String) -> Bool {
        let isPartOfName = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"),
                UInt8(ascii: "?"), UInt8(ascii: "="), UInt8(ascii: "&"):
                true
            default: false
            }
        }
        let message = Array(message.utf8)
        let name = Array(name.utf8)
        guard !name.isEmpty, message.count >= name.count else { return false }
        return (0...(message.count - name.count)).contains { start in
            let end = start + name.count
            return message[start..<end].elementsEqual(name)
                && (start == 0 || !isPartOfName(message[start - 1]))
                && (end == message.count || !isPartOfName(message[end]))
        }
    }
}
