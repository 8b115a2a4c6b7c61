// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Tells how a source is with what its follower does not know: what the settings say, how the file of the token is, and which
/// version the agent has.
struct StatusExplanation: Sendable {
    private let agent: APIConfiguration
    private var status: SourceStatus?
    /// What is wrong with the file of the token, while the token that was last read from it stays in use.
    private var fileProblem: String?
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

    /// - Parameter problem: nil: it is good.
    /// - Returns: what the follower told last, to be told again.
    mutating func tokenFile(_ problem: String?) -> SourceEvent? {
        guard problem != self.fileProblem else { return nil }
        self.fileProblem = problem
        return self.status.map { .status($0) }
    }

    /// - Returns: as above.
    mutating func agent(of version: String) -> SourceEvent? {
        guard !version.isEmpty, version != self.version else { return nil }
        self.version = version
        return self.status.map { .status($0) }
    }

    private func explained(_ status: SourceStatus) -> SourceStatus {
        var status = status
        status.version = self.version
        guard let fileProblem = self.fileProblem else { return status.explained(by: self.agent) }
        let words = "\(fileProblem), and the token that was last read from it stays in use; write the token to it again"
        switch status.fault {
        case .rights, .unknownToken, .expiredToken, .tokenFile, nil:
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

/// Looks at the file of a token, as nobody else does where nothing is asked for minutes.
enum TokenFileWatch {
    private static let interval = Duration.seconds(1)

    /// Until the task is cancelled.
    ///
    /// - Parameter tell: gets what is wrong with it, whenever that changes. What one look alone found is not told: the file may
    ///   be empty for a moment while it is written.
    static func run(_ client: APIClient, _ tell: (String?) async -> Void) async {
        var last: String?
        var told: String?
        while !Task.isCancelled {
            let problem = client.tokenFileProblem()
            if problem != told, problem == nil || last != nil {
                told = problem
                await tell(problem)
            }
            last = problem
            try? await Task.sleep(for: Self.interval)
        }
    }
}
