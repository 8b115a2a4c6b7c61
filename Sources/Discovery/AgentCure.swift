// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

extension SourceStatus {
    /// With what only the settings know: whose token it is about, and which setting the agent does not understand.
    func explained(by agent: APIConfiguration) -> SourceStatus {
        guard let problem = self.problem, let fault = self.fault, let cure = Self.cure(of: fault, agent) else {
            return self
        }
        var status = self
        status.problem = "\(problem); \(cure)"
        return status
    }

    private static func cure(of fault: Fault, _ agent: APIConfiguration) -> String? {
        if fault == .filter { return "correct consul.filter" }
        let name = agent.product.name
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
        return switch fault {
        case .unknownToken: "\(name) does not know the token of \(token): replace it by one that \(name) knows"
        case .expiredToken: "the token of \(token) has expired: replace it"
        case .rights: "the token is that of \(token)"
        case .filter, .tokenFile, .certificateFile: nil
        }
    }
}

extension SourceStatus.Fault {
    /// - Parameter isOfRights: whether the token is not enough.
    init?(_ meaning: APIError.Meaning?, isOfRights: Bool) {
        switch meaning {
        case .unknownToken: self = .unknownToken
        case .expiredToken: self = .expiredToken
        case .badFilter: self = .filter
        case .noLeader, .noPath, .unknownAuthMethod, nil:
            guard isOfRights else { return nil }
            self = .rights
        }
    }
}
