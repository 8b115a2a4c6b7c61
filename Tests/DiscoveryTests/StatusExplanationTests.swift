// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import Synchronization
import Testing

@testable import Discovery

private final class Told: Sendable {
    private let problems = Mutex<[String?]>([])

    var all: [String?] { self.problems.withLock(\.self) }

    func add(_ problem: String?) { self.problems.withLock { $0.append(problem) } }
}

/// What operators are told about files of credentials that break.
struct StatusExplanationTests {
    private static let broken = "the token file /t is empty"
    private static let agent = APIConfiguration(
        product: .consul,
        address: .http(host: "127.0.0.1", port: 8500),
        token: .file(path: "/t"),
        tokenOrigin: "consul.token.file"
    )

    /// Told first, and again because of the file.
    private static func status(_ status: SourceStatus, file: String? = broken) -> SourceStatus? {
        var explanation = StatusExplanation(self.agent)
        _ = explanation.told(.status(status))
        guard let again = explanation.files(CredentialFiles(token: file)),
            case .status(let told) = explanation.told(again)
        else {
            return nil
        }
        return told
    }

    @Test func `a source that is up stays up, and names the file, what is used, and the cure`() {
        let status = Self.status(SourceStatus(source: .consul, state: .up))
        #expect(status?.state == .up && status?.reason == "acl" && status?.fault == .tokenFile)
        #expect(
            status?.problem
                == "the token file /t is empty, and the token that was last read from it stays in use; "
                + "write the token to it again"
        )
    }

    @Test(arguments: [SourceStatus.Fault.unknownToken, .expiredToken, .rights])
    func `a token that is refused is not to be replaced in a file that is gone`(fault: SourceStatus.Fault) {
        let refused = SourceStatus(source: .consul, state: .down, problem: "it says 403", reason: "acl", fault: fault)
        let status = Self.status(refused)
        #expect(status?.state == .down && status?.reason == "acl" && status?.fault == .tokenFile)
        #expect(status?.problem?.hasPrefix(Self.broken) == true && status?.problem?.hasSuffix("; it says 403") == true)
    }

    /// For `CatalogGuard`, whose clock stands still for one that is not heard.
    @Test(arguments: ["partial", "acl"])
    func `a source that is heard but in part is heard still`(reason: String) {
        let partial = SourceStatus(
            source: .consul,
            state: .suspect,
            problem: "no keys",
            reason: reason,
            fault: .rights,
            isPartial: true
        )
        #expect(partial.explained(by: Self.agent).isPartial)
        let status = Self.status(partial)
        #expect(status?.state == .suspect && status?.reason == reason && status?.fault == .tokenFile)
        #expect(status?.isPartial == true)
        #expect(status?.problem?.hasPrefix(Self.broken) == true && status?.problem?.hasSuffix("; no keys") == true)
    }

    @Test func `a source that is down for another reason keeps it`() {
        let status = Self.status(SourceStatus(source: .consul, state: .down, problem: "refused", reason: "unreachable"))
        #expect(status?.reason == "unreachable" && status?.fault == .tokenFile)
        #expect(status?.problem?.contains(Self.broken) == true && status?.problem?.contains("refused") == true)
        let filter = Self.status(
            SourceStatus(source: .consul, state: .down, problem: "no", reason: "status", fault: .filter)
        )
        #expect(filter?.problem?.hasPrefix("no; correct consul.filter; besides, \(Self.broken)") == true)
    }

    @Test func `broken certificates are named beside what else is wrong, and a source that is up stays up`() {
        func status(_ status: SourceStatus, token: String? = nil) -> SourceStatus? {
            var explanation = StatusExplanation(Self.agent)
            _ = explanation.told(.status(status))
            let files = CredentialFiles(token: token, certificates: "there is no certificate in /ca")
            guard let again = explanation.files(files), case .status(let told) = explanation.told(again) else {
                return nil
            }
            return told
        }
        let up = status(SourceStatus(source: .consul, state: .up))
        #expect(up?.state == .up && up?.reason == "tls" && up?.fault == .certificateFile)
        #expect(
            up?.problem == "there is no certificate in /ca, and what was last read stays in use; "
                + "put it right before certificates expire"
        )
        let both = status(SourceStatus(source: .consul, state: .up), token: Self.broken)
        #expect(both?.reason == "acl" && both?.fault == .tokenFile)
        #expect(
            both?.problem?.hasPrefix(Self.broken) == true && both?.problem?.contains("; besides, there is no") == true
        )
        let down = status(SourceStatus(source: .consul, state: .down, problem: "refused", reason: "unreachable"))
        #expect(down?.state == .down && down?.reason == "unreachable")
        #expect(down?.problem?.hasPrefix("refused; besides, there is no certificate") == true)
    }

    @Test func `what does not change is not told again, and what is good again is`() {
        var explanation = StatusExplanation(Self.agent)
        // Nothing was told yet: the first status has it.
        #expect(explanation.files(CredentialFiles(token: Self.broken)) == nil)
        guard case .status(let first) = explanation.told(.status(SourceStatus(source: .consul, state: .up))) else {
            return
        }
        #expect(first.fault == .tokenFile)
        #expect(explanation.files(CredentialFiles(token: Self.broken)) == nil)
        guard case .status(let good)? = explanation.files(CredentialFiles()).map({ explanation.told($0) }) else {
            Issue.record("it is not told")
            return
        }
        #expect(good == SourceStatus(source: .consul, state: .up))
        #expect(explanation.files(CredentialFiles()) == nil)
    }

    @Test func `the version of the agent is told with every status, and when it is another one`() {
        var explanation = StatusExplanation(Self.agent)
        func version(_ event: SourceEvent?) -> String? {
            guard let event, case .status(let status) = explanation.told(event) else { return nil }
            return status.version
        }
        #expect(version(explanation.agent(of: "1.8.7")) == nil)
        #expect(version(.status(SourceStatus(source: .consul, state: .up))) == "1.8.7")
        #expect(version(explanation.agent(of: "1.8.7")) == nil && version(explanation.agent(of: "")) == nil)
        #expect(version(explanation.agent(of: "1.17.2+ent")) == "1.17.2+ent")
        #expect(version(.status(SourceStatus(source: .consul, state: .down))) == "1.17.2+ent")
    }

    @Test func `a file is told of when it stays broken, once, and when it is good again`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("token", to: "token")
        var agent = Self.agent
        agent.token = .file(path: directory("token"))
        let client = APIClient(agent)
        _ = client.tokenFileProblem()
        let told = Told()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await CredentialFilesWatch.run(client) { files in told.add(files.token) } }
            try directory.remove("token")
            try await Self.eventually { told.all.count == 1 }
            #expect(told.all[0]?.contains("no such file") == true)
            try await Task.sleep(for: .seconds(2))
            #expect(told.all.count == 1)
            try directory.write("token", to: "token")
            try await Self.eventually { told.all.last == .some(nil) }
            group.cancelAll()
        }
        await client.shutdown()
    }

    private static func eventually(_ probe: () -> Bool) async throws {
        for _ in 0..<1000 where !probe() { try await Task.sleep(for: .milliseconds(10)) }
        try #require(probe())
    }
}
