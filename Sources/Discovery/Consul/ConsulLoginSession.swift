// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HashiCorpAPI
import Logging
import Synchronization

/// Trades a workload's identity for a token of Consul's, and again when that is refused or the identity is a new one.
final class ConsulLoginSession: Sendable {
    private static let maximumBytes = 64 * 1024

    private let login: ConsulConfiguration.Login
    /// Logs in; has no token itself.
    private let anonymous: APIClient
    /// Gets the token.
    private let client: APIClient
    private let logger: Logger
    private let start = ContinuousClock.now
    private let state = Mutex(ConsulLoginState())

    init(_ login: ConsulConfiguration.Login, client: APIClient, anonymous: APIClient, logger: Logger) {
        self.login = login
        self.client = client
        self.anonymous = anonymous
        self.logger = logger
    }

    /// Which token requests that are sent now will have, or a later one.
    var generation: Int { self.state.withLock(\.generation) }

    /// The token of this generation is good no more. What was sent with an older one says nothing of it.
    func refused(_ generation: Int) {
        self.state.withLock { $0.refused(generation) }
    }

    /// Sees to it that there is a token for the identity of the moment.
    func refresh() async throws(ConsulFailure) {
        let identity = self.identity()
        let isNeeded = self.state.withLock { $0.begin(identity, at: .now - self.start) }
        guard isNeeded else { return }
        defer { self.state.withLock { $0.end() } }
        guard let identity else {
            throw ConsulFailure(
                reason: .acl,
                message: "the identity file \(self.login.jwtFile) (consul.auth.token.file) cannot be read; "
                    + "see that it is there"
            )
        }
        let token: String
        do throws(ConsulFailure) {
            token = try await self.token(for: identity)
        } catch {
            // Identities are renewed long before the token of the last one ends.
            guard self.state.withLock({ $0.failed(identity, at: .now - self.start) }) else { throw error }
            self.logger.warning(
                "no login with another identity; the last token stays in use",
                metadata: ["source": "consul", "error": "\(error.message)"]
            )
            return
        }
        // In use before the old one is given back: requests go out all the time.
        self.client.setToken(token)
        let old = self.state.withLock { $0.isLoggedIn(token, for: identity, at: .now - self.start) }
        if let old { await self.logout(old) }
        self.logger.info("logged in", metadata: ["source": "consul", "method": "\(self.login.method)"])
    }

    /// Gives the token back.
    func end() async {
        let token = self.state.withLock { $0.leave() }
        if let token { await self.logout(token) }
    }

    private func token(for identity: String) async throws(ConsulFailure) -> String {
        do throws(APIError) {
            let login = ConsulLogin(
                authMethod: self.login.method,
                bearerToken: Secret(identity),
                meta: ["program": "signalbox"]
            )
            let response = try await self.anonymous.send(try login.request())
            guard response.status == 200 else { throw APIError.unexpected(response, from: self.client.configuration) }
            do throws(APIError) {
                return try response.value(of: ConsulToken.self).secretID.value
            } catch {
                // Not quoted: there may be a token in it that nobody knows yet.
                throw APIError(.malformed, "the answer to a login is no token")
            }
        } catch {
            let failure = ConsulFailure(error)
            // Whatever a server says against a login, the cure is in its access control.
            let reason = error.kind == .status ? .acl : failure.reason
            let cure = error.kind == .status ? Self.cure(of: error.meaning, method: self.login.method) : ""
            throw ConsulFailure(
                reason: reason,
                message: "no login by the method \(self.login.method): \(failure.message)\(cure)"
            )
        }
    }

    /// - Parameter meaning: of the answer of a server that refuses a login.
    static func cure(of meaning: APIError.Meaning?, method: String) -> String {
        switch meaning {
        // A login carries no token: what an old Consul does not find is the method, and it says so in the same words.
        case .unknownAuthMethod, .unknownToken: "; Consul has no auth method \(method): correct consul.auth.method"
        case .expiredToken, .noLeader, .noPath, .badFilter, nil:
            "; see the method's configuration and its binding rules (consul.auth.method)"
        }
    }

    private func logout(_ token: String) async {
        self.anonymous.setToken(token)
        defer { self.anonymous.setToken(nil) }
        _ = try? await self.anonymous.send(APIRequest(.post, "/v1/acl/logout", deadline: .seconds(2)))
    }

    private func identity() -> String? {
        guard let bytes = FileManager.default.contents(atPath: self.login.jwtFile), bytes.count <= Self.maximumBytes
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let trimmed = text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
        return trimmed.isEmpty ? nil : String(trimmed)
    }
}
