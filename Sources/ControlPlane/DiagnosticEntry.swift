// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// A diagnostic as `signalbox lint -o json` and `GET /state` print it.
package struct DiagnosticEntry: Codable, Sendable {
    package var severity: String
    package var code: String
    package var subject: String?
    package var message: String
    package var cure: String
    package var file: String
    package var line: Int?

    package init(_ diagnostic: Diagnostic) {
        self.severity = diagnostic.severity.rawValue
        self.code = diagnostic.code
        self.subject = diagnostic.subject
        self.message = diagnostic.message
        self.cure = diagnostic.cure
        self.file = diagnostic.origin.file
        self.line = diagnostic.origin.line
    }
}
