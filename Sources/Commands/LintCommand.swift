// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Catalog
import ControlPlane

struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Check documents, without a server.",
        discussion: """
            Prints a line for each finding: file, line, code, what is wrong and how to cure it. Every code is explained \
            in docs/diagnostics.md. Exit codes: 0 no errors; 64 usage; 65 a path cannot be read; 79 errors were found.
            """
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    @OptionGroup var documents: DocumentArguments

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Output.text

    func run() throws {
        let pipeline = try self.documents.load()
        let diagnostics = pipeline.allDiagnostics
        let errors = diagnostics.count { $0.severity == .error }
        switch self.output {
        case .text:
            for diagnostic in diagnostics { StandardOutput.write("\(diagnostic)\n") }
            let documents = pipeline.counts.reduce(0) { $0 + $1.count }
            StandardOutput.note(
                "\(documents) documents are good, \(errors) errors, \(diagnostics.count - errors) warnings"
            )
        case .json:
            try StandardOutput.write(
                json: Report(success: errors == 0, diagnostics: diagnostics.map { DiagnosticEntry($0) })
            )
        }
        if errors > 0 { throw ExitCode.lintFoundErrors }
    }

    private struct Report: Encodable {
        var apiVersion = "signalbox/v1"
        var success: Bool
        var diagnostics: [DiagnosticEntry]
    }
}
