// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version."
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Output.text

    func run() throws {
        switch self.output {
        case .text: StandardOutput.write(Version.text + "\n")
        case .json:
            try StandardOutput.write(
                json: Description(version: Version.signalbox, envoyAPI: Version.envoyAPI)
            )
        }
    }

    private struct Description: Encodable {
        var apiVersion = "signalbox/v1"
        var version: String
        var envoyAPI: String
    }
}
