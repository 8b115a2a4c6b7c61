// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What a running server knows of the services, and what it holds against the word of their sources.
struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "See and accept what a running server holds of its sources.",
        subcommands: [CatalogStatusCommand.self, CatalogAcceptCommand.self]
    )
}

struct CatalogAcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Let go of what is held: the sources really took it away.",
        discussion: """
            A server holds removals that look like an accident (docs/survival.md). This takes your word that they are \
            none. Exit codes: 0 done; 1 refused; 64 usage; 69 the server cannot be reached.
            """
    )

    @OptionGroup var admin: AdminOptions

    enum Source: String, CaseIterable, ExpressibleByArgument {
        case consul, nomad, file
    }

    @Option(help: "consul, nomad or file (documents, those in Consul's KV store too). Default: all of them.")
    var source: Source?

    func run() async throws {
        let query = self.source.map { "?source=\($0.rawValue)" } ?? ""
        let answer = try await self.admin.request("POST", "/catalog/accept\(query)")
        guard answer.status == 200 else {
            StandardOutput.note(answer.body.trimmed)
            throw ExitCode.failure
        }
        StandardOutput.write(answer.body)
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isNewline == true { text = text.dropLast() }
        return String(text)
    }
}
