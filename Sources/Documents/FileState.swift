// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What is remembered of one file.
struct FileState: Sendable {
    /// The good documents that it holds now, in their order.
    private(set) var documents: [Document] = []
    /// Those that it held when they were last good. Empty unless it is broken.
    private(set) var lastGood: [Document.Key: Document] = [:]
    private(set) var diagnostics: [Diagnostic] = []

    mutating func apply(_ reading: FileReading) {
        if reading.isBroken {
            for document in self.documents.reversed() {
                self.lastGood[document.key] = document
            }
        } else {
            self.lastGood = [:]
        }
        self.documents = reading.documents
        self.diagnostics = reading.diagnostics
    }
}
