// SPDX-License-Identifier: Apache-2.0

/// The words of a NACK.
extension Suspects {
    /// In scalars: a single character may be as long as a request.
    static func excerpt(_ message: String) -> String {
        String(message.unicodeScalars.prefix(1024))
    }

    /// Those of `resources` whose names stand in `message` as whole words.
    static func mentioned(_ resources: [Resource], in message: String) -> [Resource] {
        let words = Words(message)
        return resources.filter { words.contain($0.name.rawValue) }
    }
}

/// A message by the places where names may begin in it: it is looked for thousands of names in one message.
private struct Words {
    /// Of each first byte. Names of which more are meant are tried as those that nobody names.
    private static let maximumStarts = 128

    private let message: [UInt8]
    /// By their first byte.
    private var starts: [UInt8: [Int]] = [:]

    init(_ message: String) {
        self.message = Array(message.utf8)
        for (place, byte) in self.message.enumerated()
        where place == 0 || !Self.isPartOfName(self.message[place - 1]) {
            if let count = self.starts[byte]?.count, count >= Self.maximumStarts { continue }
            self.starts[byte, default: []].append(place)
        }
    }

    func contain(_ name: String) -> Bool {
        guard let first = name.utf8.first, let starts = self.starts[first] else { return false }
        let length = name.utf8.count
        return starts.contains { start in
            let end = start + length
            return end <= self.message.count && self.message[start..<end].elementsEqual(name.utf8)
                && (end == self.message.count || !Self.isPartOfName(self.message[end]))
        }
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "?"), UInt8(ascii: "="), UInt8(ascii: "&"):
            true
        default: false
        }
    }
}
