// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport
import Testing

@testable import Documents

struct RobustnessTests {
    private static let splinters = [
        "\n---\n", "\n...\n", "&a ", "*a", "? ", ": ", "- ", "[", "]", "{", "}", "\"", "'", "#", "|\n", ">\n", "!!str ",
        "!<x> ",
        "%YAML 1.2\n", "\t", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{0}", "\u{E000}", "\u{FEFF}", "\\ud800", "\\x00",
        "<<: ",
        "99999999999999999999", "1e400", "-", ",", "\n  ", "\n",
    ].map { Array($0.utf8) }

    @Test(arguments: UInt64(0)..<20)
    func `no bytes bring the reader down or put it in disorder`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let options = DocumentSet.Options(allowRawResources: true)
        var set = documents(OddDocuments.yaml, options: options)
        for round in 0..<60 {
            var bytes = Array(OddDocuments.yaml.utf8)
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let start = Int.random(in: 0...bytes.count, using: &generator)
                let end = min(bytes.count, start + Int.random(in: 0...6, using: &generator))
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.removeSubrange(start..<end)
                case 1: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: start)
                case 2: bytes.removeSubrange(end...)
                default:
                    let splinter = Self.splinters[Int.random(in: 0..<Self.splinters.count, using: &generator)]
                    bytes.replaceSubrange(start..<end, with: splinter)
                }
            }
            _ = set.apply([FileChange(path: "a.yaml", content: .bytes(bytes))], at: .seconds(round))

            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).count
            let fresh = documents([FileChange(path: "a.yaml", content: .bytes(bytes))], options: options)
            #expect(fresh.diagnostics.allSatisfy { (1...lines + 8).contains($0.origin.line ?? 0) })
            #expect(!set.diagnostics.map(\.description).contains { $0.contains("\n") })
            #expect(fresh.names.isSubset(of: set.names), "whatever is good is in force")
        }
        _ = set.apply([write(OddDocuments.yaml)], at: .seconds(1000))
        set.acceptRemovals()
        #expect(set.names == documents(OddDocuments.yaml, options: options).names)
        #expect(set.diagnostics == documents(OddDocuments.yaml, options: options).diagnostics)
    }

    @Test(arguments: UInt64(0)..<5)
    func `noise is refused and not more`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            #expect(documents([FileChange(path: "a", content: .bytes(bytes))]).names.isEmpty)
        }
    }
}
