// SPDX-License-Identifier: Apache-2.0

import Catalog

extension ConfigEntry {
    /// What was found though the entry can be read.
    /// - Parameter consequence: of parts that cannot be used.
    func diagnostics(of findings: EntryFindings, consequence: String) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        if !findings.meshOnly.isEmpty {
            let names = findings.meshOnly.prefix(8).joined(separator: ", ")
            let more = findings.meshOnly.count > 8 ? " and \(findings.meshOnly.count - 8) more" : ""
            diagnostics.append(
                Diagnostic(
                    .note,
                    code: "SB331",
                    subject: self.key.description,
                    message: "outside the mesh these have no effect: \(names)\(more)",
                    cure: "nothing is to be done if they are meant for the mesh",
                    origin: self.origin
                )
            )
        }
        for (code, severity, parts) in [
            ("SB332", Diagnostic.Severity.warning, findings.unused), ("SB333", .error, findings.leftOut),
        ] {
            // Whoever writes a thousand faults is told of some.
            for part in parts.prefix(20) {
                diagnostics.append(
                    Diagnostic(
                        severity,
                        code: code,
                        subject: self.key.description,
                        message: "\(part.field): \(part.reason)" + (code == "SB333" ? "; \(consequence)" : ""),
                        cure: part.cure,
                        origin: self.origin
                    )
                )
            }
        }
        return diagnostics
    }

    /// Of an entry that cannot be used.
    func diagnostic(of refusal: EntryRefusal, consequence: String) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB330",
            subject: self.key.description,
            message: (refusal.field.isEmpty ? "" : "\(refusal.field): ") + "\(refusal.reason); \(consequence)",
            cure: refusal.cure,
            origin: self.origin
        )
    }
}
