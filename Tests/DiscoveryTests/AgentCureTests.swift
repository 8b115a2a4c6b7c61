// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import Testing

@testable import Discovery

/// What operators are told about tokens.
struct AgentCureTests {
    private static func agent(
        _ product: APIConfiguration.Product,
        _ token: TokenSource = .none,
        _ origin: String? = nil
    ) -> APIConfiguration {
        APIConfiguration(
            product: product,
            address: .http(host: "127.0.0.1", port: 8500),
            token: token,
            tokenOrigin: origin
        )
    }

    private static func problem(
        _ text: String,
        _ agent: APIConfiguration,
        as fault: SourceStatus.Fault? = .rights
    ) -> String? {
        SourceStatus(source: .consul, state: .suspect, problem: text, reason: "acl", fault: fault)
            .explained(by: agent).problem
    }

    /// As of an answer with this status and text.
    private static func failures(_ status: Int, _ text: String) -> (consul: ConsulFailure, nomad: NomadFailure) {
        let response = APIResponse(status: status, body: ByteBuffer(string: text))
        let address = APIAddress.http(host: "127.0.0.1", port: 1)
        return (
            ConsulFailure(.unexpected(response, product: .consul, address: address)),
            NomadFailure(.unexpected(response, product: .nomad, address: address))
        )
    }

    @Test(arguments: [
        (403, "ACL not found", SourceStatus.Fault.unknownToken), (403, "ACL token not found", .unknownToken),
        (403, "ACL token expired", .expiredToken), (403, "Permission denied", .rights), (401, "", .rights),
        (500, "Failed to create boolean expression evaluator: 1:4", .filter),
        (400, "Failed to create boolean expression evaluator: 1:4", .filter),
        (500, "answers 403 with ACL not found", nil), (500, "No cluster leader", nil),
    ])
    func `what is at fault is decided where the answer is read`(
        status: Int,
        text: String,
        fault: SourceStatus.Fault?
    ) {
        let failures = Self.failures(status, text)
        #expect(failures.consul.fault == fault && failures.nomad.fault == fault)
        let read = NomadFailure(status: status, text: text)
        #expect(read.fault == fault && read.reason == failures.nomad.reason)
    }

    @Test func `a token that cannot be read is no matter of rights`() {
        let error = APIError(.token, "the token file /t is empty")
        #expect(ConsulFailure(error).reason == .acl && ConsulFailure(error).fault == nil)
        #expect(NomadFailure(error).reason == "acl" && NomadFailure(error).fault == nil)
        // One that no answer says.
        #expect(ConsulFailure(reason: .acl, message: "not all instances").fault == .rights)
    }

    @Test func `without a token it says that none is set, and where to set one`() {
        #expect(
            Self.problem("it sees nothing", Self.agent(.consul))
                == "it sees nothing; no token is set: give one by consul.token.file (--consul-token-file) or CONSUL_HTTP_TOKEN"
        )
        #expect(Self.problem("no", Self.agent(.nomad))?.hasSuffix("(--nomad-token-file) or NOMAD_TOKEN") == true)
    }

    @Test func `a token that is not known is named by where it came from, and never shown`() {
        let words = "Consul at http://127.0.0.1:8500 answers 403 with \"ACL not found\""
        let value = Self.agent(.consul, .value("hunter2"), "CONSUL_HTTP_TOKEN")
        #expect(
            Self.problem(words, value, as: .unknownToken)
                == words + "; Consul does not know the token of CONSUL_HTTP_TOKEN: replace it by one that Consul knows"
        )
        let file = Self.agent(.nomad, .file(path: "/run/token"), "nomad.token.file")
        #expect(
            Self.problem("Nomad answers 403", file, as: .unknownToken)?
                .contains("Nomad does not know the token of /run/token (nomad.token.file)") == true
        )
    }

    @Test func `a token with too few rights is named, too`() {
        let agent = Self.agent(.consul, .value("hunter2"), "consul.token")
        #expect(Self.problem("it sees nothing", agent) == "it sees nothing; the token is that of consul.token")
    }

    @Test func `what has words of its own is left alone`() {
        let login = Self.agent(.consul, .none, "consul.auth.method")
        #expect(Self.problem("no login", login) == "no login")
        #expect(Self.problem("connection refused", Self.agent(.consul), as: nil) == "connection refused")
        #expect(SourceStatus(source: .consul, state: .up).explained(by: Self.agent(.consul)).problem == nil)
    }

    @Test func `a part that the token may not read is told with the token`() {
        let agent = Self.agent(.consul, .value("hunter2"), "consul.token")
        let failure = Self.failures(403, "Permission denied").consul
        let lack = ConsulLack(subject: .keys(prefix: "signalbox/"), failure: failure, standing: .stored)
        let status = [lack].status
        #expect(status?.reason == "partial" && status?.fault == .rights)
        #expect(status?.explained(by: agent).problem?.hasSuffix("; the token is that of consul.token") == true)
    }

    @Test func `a filter that Consul cannot read is named`() {
        #expect(Self.problem("no", Self.agent(.consul), as: .filter) == "no; correct consul.filter")
    }

    @Test(arguments: [
        ("ACL token not found", false), ("ACL token expired", false), ("Permission denied", true),
    ])
    func `Nomad's word decides whether rights are missing`(text: String, needsRights: Bool) {
        let failure = NomadFailure(status: 403, text: text)
        #expect(failure.reason == "acl")
        #expect(failure.text.contains("read-job") == needsRights)
    }

    @Test(arguments: [
        (NomadQuestion.page(.nodes, namespace: "*", token: nil), "node:read"),
        (.page(.allocations, namespace: "*", token: nil), "read-job in the namespaces followed"),
        (.visibility(namespace: "shop"), "read-job in the namespace shop"),
        (.service(NomadServiceKey(namespace: "shop", name: "web")), "read-job in the namespace shop"),
    ])
    func `only the right is named that was missing`(question: NomadQuestion, right: String) {
        let failure = NomadFailure(status: 403, text: "Permission denied", right: question.right)
        #expect(failure.text == "Nomad answers 403 with \"Permission denied\": the token needs \(right)")
    }

    @Test(arguments: APIError.Kind.allCases)
    func `every reason that the status of Nomad may have is counted`(kind: APIError.Kind) {
        #expect(NomadFailure.reasons.contains(NomadFailure(APIError(kind, "")).reason))
        let answers = [(403, ""), (500, "No path to region"), (500, "")]
        #expect(answers.allSatisfy { NomadFailure.reasons.contains(NomadFailure(status: $0.0, text: $0.1).reason) })
    }

    @Test func `a cluster without a leader is waited for`() {
        let failure = NomadFailure(status: 500, text: "No cluster leader")
        #expect(failure.reason == "status" && failure.text.contains("waited for; see its servers"))
    }

    @Test func `a login names the setting of the method`() {
        func cure(_ status: Int, _ text: String) -> String {
            ConsulLoginSession.cure(of: APIError.Meaning(status: status, text: text), method: "jwt")
        }
        for (status, text) in [(403, "rpc error: ACL not found"), (500, "auth method \"jwt\" not found")] {
            #expect(cure(status, text) == "; Consul has no auth method jwt: correct consul.auth.method")
        }
        #expect(cure(403, "Permission denied").contains("binding rules"))
    }
}
