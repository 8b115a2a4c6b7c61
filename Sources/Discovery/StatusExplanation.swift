// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Tells how a source is with what its follower does not know: what the settings say, how the files that they name are, and
/// which version the agent has.
struct StatusExplanation: Sendable {
    private let agent: APIConfiguration
    private var status: SourceStatus?
    private var files = CredentialFiles()
    private var version: String?

    init(_ agent: APIConfiguration) {
        self.agent = agent
    }

    mutating func told(_ event: SourceEvent) -> SourceEvent {
        guard case .status(let status) = event else { return event }
        self.status = status
        return .status(self.explained(status))
    }

    mutating func told(_ report: NomadReport) -> NomadReport {
        guard case .source(let event) = report else { return report }
        return .source(self.told(event))
    }

    /// - Returns: what the follower told last, to be told again.
    mutating func files(_ files: CredentialFiles) -> SourceEvent? {
        guard files != self.files else { return nil }
        self.files = files
        return self.status.map { .status($0) }
    }

    /// - Returns: as above.
    mutating func agent(of version: String) -> SourceEvent? {
        guard !version.isEmpty, version != self.version else { return nil }
        self.version = version
        return self.status.map { .status($0) }
    }

    private func explained(_ status: SourceStatus) -> SourceStatus {
        var status = self.explainedByToken(status)
        status.version = self.version
        if let problem = self.files.certificates {
            let words = "\(problem), and what was last read stays in use; put it right before certificates expire"
            // Nobody is refused for it as long as the old ones are good.
            if status.state == .up { status.reason = status.reason ?? "tls" }
            status.problem = status.problem.map { "\($0); besides, \(words)" } ?? words
            status.fault = status.fault ?? .certificateFile
        }
        return status
    }

    private func explainedByToken(_ status: SourceStatus) -> SourceStatus {
        guard let problem = self.files.token else { return status.explained(by: self.agent) }
        var status = status
        let words = "\(problem), and the token that was last read from it stays in use; write the token to it again"
        switch status.fault {
        case .rights, .unknownToken, .expiredToken, .tokenFile, .certificateFile, nil:
            // Whatever the old token lacks, the file comes first. And if it lacks nothing, a restart would have none.
            // But it is still heard.
            if status.problem == nil || (status.fault != nil && status.reason != "partial") { status.reason = "acl" }
            status.problem = status.problem.map { "\(words); \($0)" } ?? words
            status.fault = .tokenFile
        case .filter:
            status.problem = status.explained(by: self.agent).problem.map { "\($0); besides, \(words)" }
        }
        return status
    }
}
