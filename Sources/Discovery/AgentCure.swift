// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

extension SourceStatus {
    /// With what only the settings know: whose token it is about, and which setting the agent does not understand.
    func explained(by agent: APIConfiguration) -> SourceStatus {
        guard let problem = self.problem else { return self }
        var status = self
        if let cure = Self.cure(of: problem, reason: self.reason, agent) { status.problem = "\(problem); \(cure)" }
        return status
    }

    private static func cure(of problem: String, reason: String?, _ agent: APIConfiguration) -> String? {
        let name = agent.product.name
        if problem.contains("Failed to create boolean expression") { return "correct consul.filter" }
        guard reason == "acl" || (reason == "partial" && problem.contains("answers 403")) else { return nil }
        guard let token = agent.tokenName else {
            // One that comes by a login has its own words.
            guard agent.tokenOrigin == nil else { return nil }
            let settings =
                switch agent.product {
                case .consul: "consul.token.file (--consul-token-file) or CONSUL_HTTP_TOKEN"
                case .nomad: "nomad.token.file (--nomad-token-file) or NOMAD_TOKEN"
                }
            return "no token is set: give one by \(settings)"
        }
        if problem.contains("ACL not found") || problem.contains("ACL token not found") {
            return "\(name) does not know the token of \(token): replace it by one that \(name) knows"
        }
        if problem.contains("ACL token expired") { return "the token of \(token) has expired: replace it" }
        return problem.contains("token file") ? nil : "the token is that of \(token)"
    }
}

extension SourceEvent {
    func explained(by agent: APIConfiguration) -> SourceEvent {
        guard case .status(let status) = self else { return self }
        return .status(status.explained(by: agent))
    }
}

extension NomadReport {
    func explained(by agent: APIConfiguration) -> NomadReport {
        guard case .source(let event) = self else { return self }
        return .source(event.explained(by: agent))
    }
}
