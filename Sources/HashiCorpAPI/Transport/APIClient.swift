// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Speaks HTTP/1.1 with one agent: requests with a hard deadline and a hard limit of bytes, and streams of lines.
///
/// Connections are kept and used again, and each request under way has one to itself. Nothing is retried and no redirect
/// is followed: whoever asks knows whether to ask again, and a redirect would carry the token elsewhere. The files of the
/// token and the certificates may be replaced while it runs.
package final class APIClient: Sendable {
    package let configuration: APIConfiguration
    let client: HTTPClient
    let gate: ConnectionGate
    private let budget: ByteBudget
    private let tokens: TokenStore
    private let passwords: [Secret]
    let certificates: TLSStore
    private let isShutDown = Mutex(false)

    /// Does no I/O.
    package init(_ configuration: APIConfiguration) {
        let group = HTTPClient.defaultEventLoopGroup
        self.configuration = configuration
        self.gate = ConnectionGate(limit: configuration.maximumConnections, group: group)
        self.budget = ByteBudget(
            limit: configuration.maximumBytesUnderWay,
            ceiling: configuration.maximumBytesOfLarge
        )
        self.tokens = TokenStore(configuration.token)
        self.passwords = Self.passwords(of: configuration.basicAuth)
        self.certificates = TLSStore(configuration.tls)
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.httpVersion = .http1Only
        settings.decompression = .disabled
        settings.timeout.connect = TimeAmount(configuration.connectTimeout)
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.maximumConnections
        settings.connectionPool.retryConnectionEstablishment = false
        if let name = configuration.tls.serverName, case .https(let host, _) = configuration.address {
            settings.dnsOverride = [name: host]
        }
        self.client = HTTPClient(eventLoopGroup: group, configuration: settings)
    }

    deinit {
        let wasShutDown = self.isShutDown.withLock { $0 }
        if !wasShutDown { self.client.shutdown { _ in } }
    }

    /// Ends what is under way; every request from now on fails as cancelled.
    package func shutdown() async {
        let isFirst = self.isShutDown.withLock { isShutDown in
            defer { isShutDown = true }
            return !isShutDown
        }
        guard isFirst else { return }
        // It only tells of connections that it had to close.
        try? await self.client.shutdown()
    }

    /// From now on in place of the configured token; nil: the configured one again.
    package func setToken(_ token: String?) {
        self.tokens.give(token.map(Secret.init))
    }

    /// Another one than before if the token is another one.
    package var tokenGeneration: Int { self.tokens.generation }

    /// What is wrong with the token's file, while the token that was last read from it stays in use; nil: nothing. Looks at
    /// the file.
    package func tokenFileProblem() -> String? { self.tokens.problem() }

    /// The same of the files of certificates and keys.
    package func certificateProblem() -> String? { self.certificates.problem() }

    /// The answer, whatever its status.
    package func send(_ request: APIRequest) async throws(APIError) -> APIResponse {
        let deadline = NIODeadline.now() + request.deadline.timeAmount
        let limit = min(max(0, request.maximumBytes), Int(UInt32.max))
        do {
            try await self.gate.enter(deadline: deadline)
            let response: HTTPClient.Response
            do {
                defer { self.gate.leave() }
                let prepared = try self.prepare(request)
                let task = self.client.execute(
                    request: prepared,
                    delegate: BoundedAccumulator(
                        prepared,
                        limit: limit,
                        omitting: request.omittedKey,
                        budget: self.budget
                    ),
                    deadline: deadline
                )
                response = try await withTaskCancellationHandler {
                    try await task.get()
                } onCancel: {
                    task.cancel()
                }
            }
            self.noteStatus(response.status.code)
            let answer = APIResponse(
                self.configuration.product,
                status: Int(response.status.code),
                headers: response.headers,
                body: response.body ?? ByteBuffer()
            )
            return self.masked(answer, and: request.secrets)
        } catch {
            throw self.failure(error, of: request.path, limit: limit)
        }
    }

    /// Its words are for logs, and may quote what was sent.
    ///
    /// - Parameter more: secrets, beside those of the client.
    func masked(_ response: APIResponse, and more: [Secret] = []) -> APIResponse {
        var response = response
        response.mask = self.mask(and: more)
        return response
    }

    private func mask(and more: [Secret] = []) -> SecretMask {
        SecretMask(self.passwords + self.tokens.recent + more)
    }

    /// As they are, and as they are sent.
    private static func passwords(of auth: BasicAuth?) -> [Secret] {
        guard let auth else { return [] }
        let password = auth.password.value
        let header = HTTPClient.Authorization.basic(username: auth.user, password: password).headerValue
        // Without what it is filled up with, which others leave out.
        let encoded = header.dropFirst("Basic ".count).prefix { $0 != "=" }
        return [password, "\(auth.user):\(password)", String(encoded)].map(Secret.init)
    }

    /// What every request carries.
    func headers() throws -> HTTPHeaders {
        let configuration = self.configuration
        var headers = HTTPHeaders()
        if let token = try self.tokens.token() {
            let name =
                switch configuration.product {
                case .consul: "X-Consul-Token"
                case .nomad: "X-Nomad-Token"
                }
            headers.add(name: name, value: token.value)
        }
        if let auth = configuration.basicAuth {
            let credentials = HTTPClient.Authorization.basic(username: auth.user, password: auth.password.value)
            headers.add(name: "Authorization", value: credentials.headerValue)
        }
        headers.add(name: "User-Agent", value: "signalbox")
        return headers
    }

    func prepare(_ request: APIRequest) throws -> HTTPClient.Request {
        let configuration = self.configuration
        var headers = try self.headers()
        let base: String
        var tls: TLSConfiguration?
        switch configuration.address {
        case .http(let host, let port):
            base = "http://\(APIAddress.bracketed(host)):\(port)"
        case .https(let host, let port):
            base = "https://\(APIAddress.bracketed(configuration.tls.serverName ?? host)):\(port)"
            tls = try self.certificates.configuration()
        case .unix(let path):
            base = "http+unix://\(APIRequest.escaped(path))"
            headers.add(name: "Host", value: "localhost")
        }
        if request.body != nil { headers.add(name: "Content-Type", value: "application/json") }
        return try HTTPClient.Request(
            url: base + configuration.pathPrefix + request.target,
            method: HTTPMethod(rawValue: request.method.rawValue),
            headers: headers,
            body: request.body.map { .byteBuffer($0) },
            tlsConfiguration: tls
        )
    }

    func noteStatus(_ status: UInt) {
        // Nomad and Consul answer 403 to a token that is gone; 401 is what proxies say.
        if status == 403 || status == 401 { self.tokens.refused() }
    }

    func failure(_ cause: any Error, of path: String? = nil, limit: Int) -> APIError {
        var error = APIError(cause, of: self.configuration, limit: limit)
        if error.kind == .tooLarge, let path { error.message += " in answer to \(APIError.printable(path))" }
        if error.kind == .tls { self.certificates.refused() }
        error.message = self.mask().blanked(error.message.utf8, isCutOff: false)
        return error
    }
}

extension Duration {
    /// At most a day, so that sums of it do not overflow.
    var timeAmount: TimeAmount { TimeAmount(min(max(self, .zero), .seconds(24 * 60 * 60))) }
}
