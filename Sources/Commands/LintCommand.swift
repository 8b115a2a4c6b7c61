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

    @Flag(help: "Services that no document describes are in a catalog, and not missing.")
    var externalServices = false

    @Flag(help: "Gateways that no document describes are in other files, and not missing.")
    var externalGateways = false

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Output.text

    func run() throws {
        let changes = try self.documents.read()
        let assumed = AssumedDocuments(
            missingFrom: changes,
            self.documents.options,
            services: self.externalServices,
            gateways: self.externalGateways
        )
        let pipeline = self.documents.pipeline(of: changes + [assumed.change].compactMap(\.self))
        let diagnostics = pipeline.allDiagnostics.filter(assumed.concerns)
        let errors = diagnostics.count { $0.severity == .error }
        let warnings = diagnostics.count { $0.severity == .warning }
        switch self.output {
        case .text:
            for diagnostic in diagnostics { StandardOutput.write("\(diagnostic)\n") }
            let documents = pipeline.counts.reduce(0) { $0 + $1.count } - assumed.count
            StandardOutput.note("\(documents) documents are good, \(errors) errors, \(warnings) warnings")
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
