// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
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

    private static func problem(_ text: String, reason: String = "acl", _ agent: APIConfiguration) -> String? {
        SourceStatus(source: .consul, state: .suspect, problem: text, reason: reason).explained(by: agent).problem
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
            Self.problem(words, value)
                == words + "; Consul does not know the token of CONSUL_HTTP_TOKEN: replace it by one that Consul knows"
        )
        let file = Self.agent(.nomad, .file(path: "/run/token"), "nomad.token.file")
        #expect(
            Self.problem("Nomad answers 403 with \"ACL token not found\"", file)?
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
        let file = Self.agent(.consul, .file(path: "/t"), "consul.token.file")
        #expect(Self.problem("the token file /t is empty", file) == "the token file /t is empty")
        #expect(Self.problem("connection refused", reason: "unreachable", Self.agent(.consul)) == "connection refused")
        #expect(SourceStatus(source: .consul, state: .up).explained(by: Self.agent(.consul)).problem == nil)
    }

    @Test func `a part that the token may not read is told with the token`() {
        let agent = Self.agent(.consul, .value("hunter2"), "consul.token")
        let words = "the documents cannot be read: Consul answers 403 with \"Permission denied\""
        #expect(Self.problem(words, reason: "partial", agent) == words + "; the token is that of consul.token")
    }

    @Test func `a filter that Consul cannot read is named`() {
        let words = "Consul answers 500 with \"Failed to create boolean expression evaluator: 1:4\""
        #expect(Self.problem(words, reason: "partial", Self.agent(.consul)) == words + "; correct consul.filter")
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
        #expect(
            ConsulLoginSession.cure(of: "Consul answers 403 with \"ACL not found\"", method: "jwt")
                == "; Consul has no auth method jwt: correct consul.auth.method"
        )
        #expect(ConsulLoginSession.cure(of: "Permission denied", method: "jwt").contains("binding rules"))
    }
}
