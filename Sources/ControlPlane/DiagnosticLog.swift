// SPDX-License-Identifier: Apache-2.0

import Catalog
import Logging

/// Which diagnostics the log has told of: each is told when it comes, and when it is gone.
struct DiagnosticLog {
    /// What makes two diagnostics the same to whoever reads the log.
    private struct Key: Hashable {
        var code: String
        var subject: String?
        var origin: Origin
        /// Nil of what is held or stands in: it goes on counting, and each step is logged by itself.
        var message: String?

        init(_ diagnostic: Diagnostic) {
            self.code = diagnostic.code
            self.subject = diagnostic.subject
            self.origin = diagnostic.origin
            self.message = ["SB302", "SB303", "SB304", "SB307"].contains(diagnostic.code) ? nil : diagnostic.message
        }
    }

    private var logged: [Key: Diagnostic] = [:]

    func hasTold(_ diagnostic: Diagnostic) -> Bool { self.logged[Key(diagnostic)] != nil }

    /// - Parameter diagnostics: all that there are.
    /// - Returns: what to say of them.
    mutating func update(_ diagnostics: [Diagnostic]) -> (new: [Diagnostic], cured: [Diagnostic]) {
        var before = self.logged
        var new: [Diagnostic] = []
        self.logged = [:]
        for diagnostic in diagnostics {
            let key = Key(diagnostic)
            if before.removeValue(forKey: key) == nil, self.logged[key] == nil { new.append(diagnostic) }
            self.logged[key] = diagnostic
        }
        // One that only changed its words or its line is not cured.
        let stayed = Set(diagnostics.map { [$0.code, $0.subject] })
        let cured = before.values.filter { !stayed.contains([$0.code, $0.subject]) }
        return (new, cured.sorted { $0.description < $1.description })
    }
}

extension Logger {
    /// In the words of `GET /state`: what it calls `message` is the message of the line.
    func log(_ diagnostic: Diagnostic) {
        let level: Level =
            switch diagnostic.severity {
            case .error: .error
            case .warning: .warning
            case .note: .info
            }
        self.log(
            level: level,
            "\(diagnostic.message)",
            metadata: diagnostic.place.merging(["cure": "\(diagnostic.cure)"]) { $1 }
        )
    }

    func log(cured diagnostic: Diagnostic) {
        self.notice("configuration diagnostic cured", metadata: diagnostic.place)
    }
}

extension Diagnostic {
    fileprivate var place: Logger.Metadata {
        var metadata: Logger.Metadata = ["code": "\(self.code)", "file": "\(self.origin.file)"]
        metadata["subject"] = self.subject.map { "\($0)" }
        metadata["line"] = self.origin.line.map { "\($0)" }
        return metadata
    }
}
