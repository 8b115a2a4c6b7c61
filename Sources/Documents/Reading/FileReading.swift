// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What one file says: its good documents in their order, and what is wrong with the others.
struct FileReading {
    static let maximumSize = 4 << 20

    private(set) var documents: [Document] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// Whether something that may have been in the file could not be read, so that what it said before still counts.
    var isBroken: Bool { self.diagnostics.contains { $0.severity == .error } }

    init(_ bytes: [UInt8], file: String, allowRawResources: Bool) {
        guard bytes.count <= Self.maximumSize else {
            let reason = "it has \(bytes.count) bytes, over the limit of \(Self.maximumSize)"
            self.diagnostics = [Self.unreadable(reason, file: file, cure: "split it into several files")]
            return
        }
        for text in DocumentText.split(bytes) {
            let faults = Faults(file: file)
            if let document = Self.read(text, allowRawResources: allowRawResources, faults) {
                self.documents.append(document)
            }
            self.diagnostics += faults.diagnostics
        }
    }

    init(unreadable reason: String, file: String) {
        self.diagnostics = [Self.unreadable(reason, file: file, cure: "make it readable, or remove it")]
    }

    private static func unreadable(_ reason: String, file: String, cure: String) -> Diagnostic {
        Diagnostic(
            .error,
            code: Code.unreadableFile.rawValue,
            message: "cannot read the file: \(reason)",
            cure: cure,
            origin: Origin(file: file)
        )
    }

    private static func read(_ text: DocumentText, allowRawResources: Bool, _ faults: Faults) -> Document? {
        guard let root = YAMLComposer.compose(text, faults) else { return nil }
        guard case .mapping = root.content else {
            faults.wrongType(root, expected: "a mapping", cure: "begin it with kind: and name:")
            return nil
        }
        guard let kind = Self.kind(of: root, faults) else { return nil }
        if let name = root["name"] {
            faults.subject = name.value.text.map { "\(kind.rawValue)/\($0.printable)" }
        } else {
            faults.report(.unidentified, line: root.line, "a document must have a name", cure: "add the field name")
        }
        guard kind != .rawResource || allowRawResources else {
            faults.report(
                .rawResourceNotAllowed,
                line: root.line,
                "raw Envoy resources are not allowed",
                cure: "remove the document, or start Signalbox with --allow-envoy-resources"
            )
            return nil
        }
        let body = kind.format.read(root, faults)
        return faults.diagnostics.isEmpty ? body.map { Document(body: $0) } : nil
    }

    private static func kind(of root: YAMLNode, _ faults: Faults) -> DocumentKind? {
        let kinds = DocumentKind.documented.map(\.rawValue)
        guard let entry = root["kind"] else {
            faults.report(
                .unidentified,
                line: root.line,
                "a document must have a kind",
                cure: "add the field kind: one of \(kinds.joined(separator: ", "))"
            )
            return nil
        }
        guard let word = Format.text.read(entry.value, faults) else { return nil }
        guard let kind = DocumentKind(rawValue: word) else {
            let guess = Spelling.nearest(to: word, among: kinds).map { "did you mean \($0)?" }
            faults.report(
                .unknownKind,
                line: entry.value.line,
                "there is no kind \(word.excerpt)",
                cure: guess ?? "the kinds are \(kinds.joined(separator: ", "))"
            )
            return nil
        }
        return kind
    }
}
