// SPDX-License-Identifier: Apache-2.0

/// Trades a token of somebody else's, such as a Nomad workload identity, for one of Consul's: the body of
/// `POST /v1/acl/login`. See https://developer.hashicorp.com/consul/api-docs/acl#login-to-auth-method
package struct ConsulLogin: Encodable, Hashable, Sendable {
    package var authMethod: String
    package var bearerToken: Secret
    /// For whoever reads the list of tokens.
    package var meta: [String: String]

    package init(authMethod: String, bearerToken: Secret, meta: [String: String] = [:]) {
        self.authMethod = authMethod
        self.bearerToken = bearerToken
        self.meta = meta
    }

    private enum Keys: String, CodingKey {
        case authMethod = "AuthMethod"
        case bearerToken = "BearerToken"
        case meta = "Meta"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(self.authMethod, forKey: .authMethod)
        try container.encode(self.bearerToken.value, forKey: .bearerToken)
        try container.encode(self.meta, forKey: .meta)
    }

    /// To be sent without a token.
    package func request() throws(APIError) -> APIRequest {
        var request = APIRequest(.post, "/v1/acl/login", body: try APIRequest.json(self))
        request.secrets = [self.bearerToken]
        return request
    }
}

/// An ACL token: the answer to a login.
package struct ConsulToken: Decodable, Hashable, Sendable {
    package var secretID: Secret

    private enum Keys: String, CodingKey {
        case secretID = "SecretID"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.secretID = Secret(try container.string(.secretID))
    }
}
