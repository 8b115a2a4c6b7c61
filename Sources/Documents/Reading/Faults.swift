// SPDX-License-Identifier: Apache-2.0

import Catalog

/// The rules that a file or a document can break. Each has a section in `docs/diagnostics.md`.
enum Code: String, CaseIterable {
    case syntax = "SB101"
    case unknownKind = "SB102"
    case unidentified = "SB103"
    case unknownField = "SB104"
    case wrongType = "SB105"
    case missingField = "SB106"
    case outOfRange = "SB107"
    case notAllowed = "SB108"
    case duplicateKey = "SB109"
    case badFormat = "SB110"
    case regularExpressionRefused = "SB111"
    case conflictingFields = "SB112"
    case duplicateDocument = "SB113"
    case unreadableFile = "SB114"
    case rawResourceNotAllowed = "SB115"
    case duplicateWithinDocument = "SB116"
    case removalsHeld = "SB120"
}

/// Collects what is wrong with one document while it is read to its end. A class, so that the reader of a field needs
/// no `inout`, which closures over parameter packs cannot take; it does not outlive the reading of its document.
final class Faults {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    /// What the faults are about, as "kind/name"; also those that were found before it was known.
    var subject: String? {
        didSet {
            for index in self.diagnostics.indices {
                self.diagnostics[index].subject = self.subject
            }
        }
    }

    init(file: String) {
        self.file = file
    }

    func report(_ code: Code, line: Int, _ message: String, cure: String) {
        self.diagnostics.append(
            Diagnostic(
                .error,
                code: code.rawValue,
                subject: self.subject,
                message: message,
                cure: cure,
                origin: self.origin(line: line)
            )
        )
    }

    func origin(line: Int) -> Origin {
        Origin(file: self.file, line: line)
    }
}
