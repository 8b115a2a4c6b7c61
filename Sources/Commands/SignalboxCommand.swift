// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// The command line. Each subcommand has a file of its own.
package struct SignalboxCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "signalbox",
        abstract: "A control plane for Envoy in the world of Nomad and Consul.",
        discussion: """
            Exit codes: 0 success; 1 failure; 64 usage; 65 input that cannot be read; 69 no server; 78 bad settings; 79 lint found \
            errors.
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, BootstrapCommand.self, LintCommand.self, TranslateCommand.self, SchemaCommand.self,
            CatalogCommand.self, VersionCommand.self, BenchCommand.self,
        ]
    )

    package init() {}
}

extension ExitCode {
    /// Input that is missing or cannot be read (sysexits' `EX_DATAERR`).
    static let unreadableInput = ExitCode(65)
    /// The server that a command is for does not answer (sysexits' `EX_UNAVAILABLE`).
    static let serverUnreachable = ExitCode(69)
    /// Settings that do not hold together (sysexits' `EX_CONFIG`).
    static let badSettings = ExitCode(78)
    /// Lint found errors, as istioctl's.
    static let lintFoundErrors = ExitCode(79)
}
