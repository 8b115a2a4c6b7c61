// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// What is wrong with the files that the settings name, while what was last read from them stays in use.
struct CredentialFiles: Equatable, Sendable {
    /// Of the token's; nil: it is good, or there is none.
    var token: String?
    /// Of those of certificates and keys.
    var certificates: String?
}

/// Looks at these files, as nobody else does where nothing is asked for minutes.
enum CredentialFilesWatch {
    private static let interval = Duration.seconds(1)

    /// Whether there is anything to watch.
    static func isNeeded(by agent: APIConfiguration) -> Bool {
        if case .file = agent.token { return true }
        return agent.address.isTLS && agent.tls.hasFiles
    }

    /// Until the task is cancelled.
    ///
    /// - Parameter tell: gets what is wrong with them, whenever that changes. What one look alone found is not told: a file
    ///   may be empty for a moment while it is written.
    static func run(_ client: APIClient, _ tell: (CredentialFiles) async -> Void) async {
        var last = CredentialFiles()
        var told = CredentialFiles()
        while !Task.isCancelled {
            let files = CredentialFiles(token: client.tokenFileProblem(), certificates: client.certificateProblem())
            let confirmed = CredentialFiles(
                token: last.token == nil ? nil : files.token,
                certificates: last.certificates == nil ? nil : files.certificates
            )
            if confirmed != told {
                told = confirmed
                await tell(confirmed)
            }
            last = files
            try? await Task.sleep(for: Self.interval)
        }
    }
}
