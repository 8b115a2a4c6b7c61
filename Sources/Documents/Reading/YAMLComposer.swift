// SPDX-License-Identifier: Apache-2.0

import Catalog
import Yams

/// Turns the text of one document into a tree of bounded depth, or says why not. The only file that knows Yams.
///
/// Anchors, aliases and `? ` keys are refused: a few lines of them can stand for more than memory holds, and Yams
/// hashes what they stand for while it composes. So it never gets to see one. Every `*`, `&` and `?` goes in as a
/// stand-in character, and comes back as itself unless an unquoted scalar begins with it, where YAML has no other
/// meaning for it than these. This also catches the unquoted `*.example.com`, which libyaml would report as a broken
/// alias.
struct YAMLComposer {
    static let maximumDepth = 32

    private static let standIns: [Unicode.Scalar: Unicode.Scalar] = ["*": "\u{E000}", "&": "\u{E001}", "?": "\u{E002}"]
    private static let originals = Dictionary(uniqueKeysWithValues: standIns.map { ($0.value, $0.key) })

    private let document: DocumentText

    private init(_ document: DocumentText) {
        self.document = document
    }

    /// Nil if there is no tree to speak of. What is wrong inside the tree is reported too, and `.refused` in it.
    static func compose(_ document: DocumentText, _ faults: Faults) -> YAMLNode? {
        let composer = YAMLComposer(document)
        guard let text = composer.textForYams(faults) else { return nil }
        do {
            let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else { return nil }
            return composer.convert(root, label: "the document", depth: 1, faults)
        } catch let error as YamlError {
            composer.report(error, in: text, faults)
        } catch {
            faults.report(.syntax, line: document.firstLine, "cannot be parsed: \(error)", cure: "correct the YAML")
        }
        return nil
    }

    // MARK: To Yams

    private func textForYams(_ faults: Faults) -> String? {
        guard let text = String(validating: self.document.bytes, as: UTF8.self) else {
            faults.report(.syntax, line: self.firstInvalidLine, "is not UTF-8", cure: "save the file as UTF-8")
            return nil
        }
        guard !Self.containsStandIn(text) else {
            faults.report(
                .syntax,
                line: self.document.firstLine,
                "contains one of the private use characters U+E000, U+E001 and U+E002",
                cure: "remove it"
            )
            return nil
        }
        return Self.replace(text, Self.standIns)
    }

    private static func restore(_ text: String) -> String {
        self.replace(text, self.originals)
    }

    private static func replace(_ text: String, _ replacements: [Unicode.Scalar: Unicode.Scalar]) -> String {
        guard text.unicodeScalars.contains(where: { replacements[$0] != nil }) else { return text }
        var replaced = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            replaced.append(replacements[scalar] ?? scalar)
        }
        return String(replaced)
    }

    private static func containsStandIn(_ text: String) -> Bool {
        text.unicodeScalars.contains { self.originals[$0] != nil }
    }

    private var firstInvalidLine: Int {
        let lines = self.document.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return self.document.firstLine
            + (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? lines.startIndex)
    }

    // MARK: From Yams

    private func convert(_ node: Node, label: String, depth: Int, _ faults: Faults) -> YAMLNode {
        let line = self.line(of: node.mark)
        func refused(_ message: String, cure: String) -> YAMLNode {
            faults.report(.syntax, line: line, "\(label) \(message)", cure: cure)
            return YAMLNode(label: label, line: line, content: .refused)
        }

        guard depth <= Self.maximumDepth else {
            return refused("is nested more than \(Self.maximumDepth) levels deep", cure: "no field is nested that deep")
        }
        let tag = Self.tag(of: node)
        guard ["", "!", Tag.Name.str.rawValue].contains(tag) else {
            return refused("has the tag \(tag.excerpt), and tags are not supported", cure: "remove the tag")
        }
        switch node {
        case .scalar(let scalar):
            let text = Self.restore(scalar.string)
            if scalar.style == .plain, text.unicodeScalars.first != scalar.string.unicodeScalars.first,
                !text.hasPrefix("?") || text.hasPrefix("? ") || text == "?"
            {
                return refused(
                    "is an anchor, an alias or an explicit key (\(text.excerpt)), which are not supported",
                    cure: "put text that begins with *, & or ? in quotes; write out what an alias stands for"
                )
            }
            let isQuoted = scalar.style != .plain || tag != ""
            return YAMLNode(label: label, line: line, content: .scalar(YAMLScalar(text: text, isQuoted: isQuoted)))
        case .sequence(let sequence):
            let items = sequence.enumerated().map { index, item in
                self.convert(item, label: "\(label)[\(index)]", depth: depth + 1, faults)
            }
            return YAMLNode(label: label, line: line, content: .list(items))
        case .mapping(let mapping):
            let entries = mapping.compactMap { self.entry($0, in: label, depth: depth, faults) }
            return YAMLNode(label: label, line: line, content: .mapping(entries))
        case .alias:
            return refused("is an alias, which is not supported", cure: "write out what it stands for")
        }
    }

    /// As written; empty if there is none.
    private static func tag(of node: Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.tag.rawValue
        case .sequence(let sequence): sequence.tag.rawValue
        case .mapping(let mapping): mapping.tag.rawValue
        case .alias(let alias): alias.tag.rawValue
        }
    }

    private func entry(
        _ pair: Node.Mapping.Element,
        in label: String,
        depth: Int,
        _ faults: Faults
    ) -> YAMLNode.Entry? {
        guard case .scalar = pair.key else {
            faults.report(
                .syntax,
                line: self.line(of: pair.key.mark),
                "a key of \(label) is a list or a mapping",
                cure: "a key must be a word"
            )
            return nil
        }
        let key = self.convert(pair.key, label: "a key of \(label)", depth: depth, faults)
        guard case .scalar(let scalar) = key.content else { return nil }
        let value = self.convert(pair.value, label: scalar.text.printable, depth: depth + 1, faults)
        return YAMLNode.Entry(key: scalar.text, line: key.line, value: value)
    }

    private func line(of mark: Mark?) -> Int {
        self.document.firstLine + (mark?.line ?? 1) - 1
    }
}

// MARK: - Errors of Yams

extension YAMLComposer {
    private func report(_ error: YamlError, in text: String, _ faults: Faults) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let tooDeep = problem.hasPrefix("Maximum nesting level") ? "is nested too deep" : nil
            let place = context.map { " \($0.text) that begins on line \(self.line(of: $0.mark))" } ?? ""
            self.reportSyntax(line: mark.line, tooDeep ?? "\(problem)\(place)", in: text, faults)
        case .reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            self.reportSyntax(line: 1 + before.count { $0.isNewline }, problem, in: text, faults)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { Self.restore($0).excerpt }.joined(separator: ", ")
            faults.report(
                .duplicateKey,
                line: self.document.firstLine + Self.lineOfRepetition(of: duplicates.first, at: context.mark, in: text)
                    - 1,
                "a mapping has more than one entry for \(keys); the first is on line \(self.line(of: context.mark))",
                cure: "keep one of them"
            )
        case .memory:
            self.reportSyntax(line: 1, "is too large or nested too deep", in: text, faults)
        case .no, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            self.reportSyntax(line: 1, "cannot be parsed", in: text, faults)
        }
    }

    /// libyaml sees the end of a text on the line after its last.
    private func reportSyntax(line: Int, _ problem: String, in text: String, _ faults: Faults) {
        let lineBreaks = text.utf8.count { $0 == UInt8(ascii: "\n") }
        let lines = text.utf8.last == UInt8(ascii: "\n") ? lineBreaks : lineBreaks + 1
        let hint =
            Self.containsStandIn(text)
            ? "; text that begins with *, & or ? needs quotes, and anchors and aliases are not supported" : ""
        faults.report(
            .syntax,
            line: self.document.firstLine + min(line, max(lines, 1)) - 1,
            problem,
            cure: "correct the YAML at or before this line\(hint)"
        )
    }

    /// Yams tells where the first of two equal keys stands. In block style the other is the next with its indentation.
    private static func lineOfRepetition(of key: String?, at first: Mark, in text: String) -> Int {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            let indentation = line.prefix { $0 == UInt8(ascii: " ") }.count
            var content = line.dropFirst(indentation)
            let quote = content.first.flatMap { [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains($0) ? $0 : nil }
            content = content.dropFirst(quote == nil ? 0 : 1)
            if indentation == first.column - 1, let key, content.starts(with: key.utf8),
                [quote ?? UInt8(ascii: ":"), UInt8(ascii: " ")].contains(content.dropFirst(key.utf8.count).first)
            {
                return index + 1
            }
        }
        return first.line
    }
}
