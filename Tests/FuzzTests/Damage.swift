// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// What happens to bytes on their way: by chance, by a broken program, or by somebody who means it.
enum Damage {
    /// - Parameters:
    ///   - other: to be spliced with.
    ///   - splinters: pieces that mean something in this language.
    static func damaged(
        _ bytes: [UInt8],
        with other: [UInt8],
        splinters: [[UInt8]],
        using generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let start = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, start + Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0..<9, using: &generator) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.removeSubrange(end...)
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: start)
            case 3: if start < end { bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
            case 4: if start < end { bytes[start] = UInt8.random(in: .min ... .max, using: &generator) }
            case 5: bytes.insert(contentsOf: bytes[start..<end], at: start)
            case 6:
                let cut = Int.random(in: 0...other.count, using: &generator)
                bytes.replaceSubrange(start..., with: other[cut...])
            default:
                guard let splinter = splinters.randomElement(using: &generator) else { continue }
                bytes.replaceSubrange(start..<end, with: splinter)
            }
        }
        return bytes
    }
}

extension SeededGenerator {
    mutating func chance(_ one: Int, of many: Int) -> Bool {
        Int.random(in: 0..<many, using: &self) < one
    }

    /// Texts that a program may have in mind when it goes wrong.
    mutating func text() -> String {
        let texts = [
            "", "a", "b", "web", "*", "/", "web/x.example.com:80", "1", "2", "\u{0}", "\u{E9}", "e\u{301}", "\u{FEFF}",
            "\u{10FFFF}", "none of us is bad", "a is bad", "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            "type.googleapis.com/x", String(repeating: "n", count: 127), String(repeating: "\u{301}", count: 70),
        ]
        return texts.randomElement(using: &self) ?? ""
    }

    mutating func texts(_ range: ClosedRange<Int>) -> [String] {
        (0..<Int.random(in: range, using: &self)).map { _ in self.text() }
    }
}
