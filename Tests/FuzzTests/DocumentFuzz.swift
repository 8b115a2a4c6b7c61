// SPDX-License-Identifier: Apache-2.0

import Catalog
import Documents
import Foundation
import TestSupport

/// Damaged documents beside a good one: the reader says in time what is wrong, and the good one counts.
struct DocumentFuzz {
    private var generator: SeededGenerator
    private let examples: [[UInt8]]
    private let vocabulary: [[UInt8]]

    init(examples: [[UInt8]], seed: UInt64) {
        self.examples = examples
        self.generator = SeededGenerator(seed: seed)
        self.vocabulary = BadText.vocabulary
    }

    /// The examples of `docs/configuration.md`, and one with everything that is odd.
    static func examples() throws -> [[UInt8]] {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/configuration.md").standardized
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        let yaml = blocks.filter { $0.hasPrefix("yaml\n") }.map { Array($0.dropFirst("yaml\n".count).utf8) }
        return yaml + [Array(OddDocuments.yaml.utf8)]
    }

    static func failure(examples: [[UInt8]], seed: UInt64) -> String? {
        var fuzz = DocumentFuzz(examples: examples, seed: seed)
        return fuzz.converse()
    }

    private mutating func converse() -> String? {
        var set = DocumentSet(options: DocumentSet.Options(allowRawResources: self.generator.chance(3, of: 4)))
        for round in 1...Int.random(in: 1...4, using: &self.generator) {
            let bytes = self.document()
            if let fault = Self.fault(of: bytes, in: &set, round: UInt16(round)) {
                return "\(fault): \(String(decoding: bytes.prefix(4_000), as: UTF8.self).debugDescription)"
            }
        }
        return nil
    }

    /// - Parameter round: the port of the good document in this round.
    static func fault(of bytes: [UInt8], in set: inout DocumentSet, round: UInt16) -> String? {
        let neighbour = "{kind: service, name: neighbour, instances: [{address: 10.0.0.1, port: \(round)}]}\n"
        let changes = [
            FileChange(path: "bad.yaml", content: .bytes(bytes)),
            FileChange(path: "good.yaml", content: .bytes(Array(neighbour.utf8))),
        ]
        let time = CPUTime.of { _ = set.apply(changes, at: .seconds(Int(round))) }
        if time > .seconds(1) { return "took \(time)" }
        guard set.services.first(where: { $0.name.rawValue == "neighbour" })?.instances.map(\.port) == [round] else {
            return "the good document beside it does not count"
        }
        // libyaml takes more for the end of a line than we do.
        let lineEnds: Set<Character> = ["\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}"]
        let lines = String(decoding: bytes, as: UTF8.self).count(where: lineEnds.contains) + 2
        for diagnostic in set.diagnostics {
            if diagnostic.description.contains(where: \.isNewline) { return "has several lines: \(diagnostic)" }
            if diagnostic.origin.file == "good.yaml" { return "the good document is refused: \(diagnostic)" }
            if let line = diagnostic.origin.line, !(1...lines).contains(line), !set.isHolding(diagnostic) {
                return "there is no line \(line)"
            }
        }
        return nil
    }

    // MARK: Bad documents

    private mutating func document() -> [UInt8] {
        var bytes = self.example()
        switch Int.random(in: 0..<8, using: &self.generator) {
        case 0, 1:
            return Damage.damaged(bytes, with: self.example(), splinters: self.vocabulary, using: &self.generator)
        case 2, 3: return self.rewritten(bytes)
        case 4, 5: return self.reworded(bytes)
        case 6:
            for _ in 0..<Int.random(in: 1...2, using: &self.generator) { bytes += Array("\n---\n".utf8) + self.tree(0) }
            return bytes
        default:
            let bomb = BadText.bombs.randomElement(using: &self.generator) ?? ""
            let place = Int.random(in: 0...bytes.count, using: &self.generator)
            if self.generator.chance(1, of: 2) { bytes.insert(contentsOf: bomb.utf8, at: place) }
            return self.generator.chance(1, of: 2) ? bytes : Array(bomb.utf8)
        }
    }

    private mutating func example() -> [UInt8] {
        self.examples.randomElement(using: &self.generator) ?? []
    }

    /// Lines moved, indented otherwise, left out, or there twice.
    private mutating func rewritten(_ bytes: [UInt8]) -> [UInt8] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        for _ in 0..<Int.random(in: 1...4, using: &self.generator) {
            let start = Int.random(in: 0...lines.count, using: &self.generator)
            let end = min(lines.count, start + Int.random(in: 0...4, using: &self.generator))
            let block = lines[start..<end]
            switch Int.random(in: 0..<5, using: &self.generator) {
            case 0: lines.removeSubrange(start..<end)
            case 1: lines.insert(contentsOf: block, at: Int.random(in: 0...lines.count, using: &self.generator))
            case 2:
                let spaces = Array("   ".utf8.prefix(Int.random(in: 1...3, using: &self.generator)))
                for index in start..<end { lines[index] = spaces + lines[index] }
            case 3:
                for index in start..<end { lines[index] = Array(lines[index].dropFirst(2)) }
            default:
                let copies = repeatElement(block, count: Int.random(in: 1...40, using: &self.generator))
                lines.insert(contentsOf: copies.joined(), at: start)
            }
        }
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// Words in the place of others.
    private mutating func reworded(_ bytes: [UInt8]) -> [UInt8] {
        var words: [[UInt8]] = []
        for byte in bytes {
            let isLetter = byte >= 0x80 || Character(Unicode.Scalar(byte)).isLetter
            if isLetter, let last = words.last?.last, last >= 0x80 || Character(Unicode.Scalar(last)).isLetter {
                words[words.count - 1].append(byte)
            } else {
                words.append([byte])
            }
        }
        for _ in 0..<Int.random(in: 1...6, using: &self.generator) where !words.isEmpty {
            let place = Int.random(in: 0..<words.count, using: &self.generator)
            let other = words.randomElement(using: &self.generator) ?? []
            let isKnown = self.generator.chance(1, of: 2)
            words[place] = isKnown ? self.vocabulary.randomElement(using: &self.generator) ?? [] : other
        }
        return Array(words.joined())
    }

    /// A document in flow style of the words that documents are made of.
    private mutating func tree(_ depth: Int) -> [UInt8] {
        let words = self.vocabulary
        let count = Int.random(in: 0...(depth > 4 ? 0 : 4), using: &self.generator)
        switch Int.random(in: 0..<(depth == 0 ? 1 : 4), using: &self.generator) {
        case 0:
            var entries = (0..<count).map { _ in
                (words.randomElement(using: &self.generator) ?? []) + Array(": ".utf8) + self.tree(depth + 1)
            }
            if depth == 0 {
                let kinds = ["service", "gateway", "route", "service-defaults", "envoy-resource"]
                entries.append(Array("kind: \(kinds.randomElement(using: &self.generator) ?? "")".utf8))
                entries.append(Array("name: x".utf8))
            }
            return Array("{".utf8) + entries.joined(separator: Array(", ".utf8)) + Array("}".utf8)
        case 1:
            let items = (0..<count).map { _ in self.tree(depth + 1) }
            return Array("[".utf8) + items.joined(separator: Array(", ".utf8)) + Array("]".utf8)
        default: return words.randomElement(using: &self.generator) ?? []
        }
    }
}

extension DocumentSet {
    /// Of what vanished, a diagnostic names the place where it was.
    fileprivate func isHolding(_ diagnostic: Diagnostic) -> Bool {
        ["SB113", "SB120"].contains(diagnostic.code)
    }
}
