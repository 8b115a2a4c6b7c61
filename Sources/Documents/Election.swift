// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Decides, for each kind and name, which of the documents in the files counts.
struct Election {
    private(set) var winners: [Document.Key: Document] = [:]
    /// One for each document that lost to another.
    private(set) var diagnostics: [Diagnostic] = []

    init(files: [String: FileState], inForce: [Document.Key: Document]) {
        let order = files.sorted { $0.key < $1.key }.map(\.value)
        for state in order {
            for document in state.documents {
                self.add(document, inForce: inForce)
            }
        }
        for (key, document) in Self.lastGood(of: order, inForce: inForce) where self.winners[key] == nil {
            self.winners[key] = document
        }
    }

    /// Documents come in the order of their files and lines.
    private mutating func add(_ document: Document, inForce: [Document.Key: Document]) {
        let key = document.key
        guard let winner = self.winners[key] else {
            self.winners[key] = document
            return
        }
        let incumbent = inForce[key]?.origin.file
        if incumbent == document.origin.file, incumbent != winner.origin.file {
            self.winners[key] = document
            self.report(winner, lostTo: document)
        } else {
            self.report(document, lostTo: winner)
        }
    }

    private mutating func report(_ loser: Document, lostTo winner: Document) {
        self.diagnostics.append(
            Diagnostic(
                .error,
                code: Code.duplicateDocument.rawValue,
                subject: "\(loser.key)",
                message: "\(loser.key) is defined at \(winner.origin) too, and that one is in force",
                cure: "remove one of them, or rename it",
                origin: loser.origin
            )
        )
    }

    private static func lastGood(
        of files: [FileState],
        inForce: [Document.Key: Document]
    ) -> [Document.Key: Document] {
        files.reduce(into: [:]) { all, file in
            all.merge(file.lastGood) { first, second in
                inForce[second.key]?.origin.file == second.origin.file ? second : first
            }
        }
    }
}
