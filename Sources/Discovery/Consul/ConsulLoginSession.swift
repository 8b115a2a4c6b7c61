// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HashiCorpAPI
import Logging
import Synchronization

/// Trades a workload's identity for a token of Consul's, and again when that is refused or the identity is a new one.
final class ConsulLoginSession: Sendable {
    private static let maximumBytes = 64 * 1024

    private struct State {
        /// The identity that the token was had for.
        var identity: String?
        var token: String?
        var isRefused = false
        var isBusy = false
    }

    private let login: ConsulConfiguration.Login
    /// Logs in; has no token itself.
    private let anonymous: APIClient
    /// Gets the token.
    private let client: APIClient
    private let logger: Logger
    private let state = Mutex(State())

    init(_ login: ConsulConfiguration.Login, client: APIClient, anonymous: APIClient, logger: Logger) {
        self.login = login
        self.client = client
        self.anonymous = anonymous
        self.logger = logger
    }

    /// The token is good no more.
    func refused() {
        self.state.withLock { $0.isRefused = true }
    }

    /// Sees to it that there is a token for the identity of the moment.
    func refresh() async throws(ConsulFailure) {
        let identity = self.identity()
        let isNeeded = self.state.withLock { state -> Bool in
            guard !state.isBusy else { return false }
            // An identity that cannot be read leaves the token that was had for the last one.
            let isOther = identity != nil && identity != state.identity
            guard state.token == nil || state.isRefused || isOther else { return false }
            state.isBusy = true
            return true
        }
        guard isNeeded else { return }
        defer { self.state.withLock { $0.isBusy = false } }
        guard let identity else {
            throw ConsulFailure(
                reason: .acl,
                message: "the identity \(self.login.jwtFile) cannot be read; see that the file is there"
            )
        }
        let token = try await self.token(for: identity)
        let old = self.state.withLock { state -> String? in
            defer {
                state.token = token
                state.identity = identity
                state.isRefused = false
            }
            return state.isRefused ? nil : state.token
        }
        if let old { await self.logout(old) }
        self.client.setToken(token)
        self.logger.info("logged in", metadata: ["source": "consul", "method": "\(self.login.method)"])
    }

    /// Gives the token back.
    func end() async {
        let token = self.state.withLock { state -> String? in
            defer { state.token = nil }
            return state.token
        }
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
            return try response.value(of: ConsulToken.self).secretID.value
        } catch {
            let failure = ConsulFailure(error)
            // Whatever a server says against a login, the cure is in its access control.
            let reason = error.kind == .status ? .acl : failure.reason
            throw ConsulFailure(
                reason: reason,
                message: "no login by the method \(self.login.method): \(failure.message)"
            )
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
