// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHPACK
import NIOPosix
import NIOSSL
import Synchronization

/// For those who make connections of their own to a client's agent.
extension APIClient {
    /// Nil: without TLS.
    ///
    /// - Parameter protocols: to choose from, by their names in ALPN (RFC 7301).
    func tls(for protocols: [String] = []) throws -> (context: NIOSSLContext, name: String?)? {
        guard case .https(let host, _) = self.configuration.address else { return nil }
        let name = self.configuration.tls.serverName ?? host
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        var configuration = try self.certificates.configuration()
        configuration.applicationProtocols = protocols
        return (try NIOSSLContext(configuration: configuration), isAddress ? nil : name)
    }

    /// A connection that is made after its task was cancelled is closed.
    ///
    /// - Parameter configure: is called for each address that is tried; what it returns of the one that is taken comes along.
    func connect<Output: Sendable>(
        _ configure: @escaping @Sendable (any Channel) throws -> Output
    ) async throws -> (channel: any Channel, output: Output) {
        let outputs = Outputs<Output>()
        let bootstrap = ClientBootstrap(group: HTTPClient.defaultEventLoopGroup)
            .connectTimeout(self.configuration.connectTimeout.timeAmount)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { outputs.add(try configure(channel), of: channel) }
            }
        let connecting =
            switch self.configuration.address {
            case .http(let host, let port), .https(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        // Nobody waits for a connection that is not wanted any more.
        let wanted = connecting.eventLoop.makePromise(of: (any Channel).self)
        connecting.cascade(to: wanted)
        wanted.futureResult.whenFailure { _ in connecting.whenSuccess { $0.close(promise: nil) } }
        let channel = try await withTaskCancellationHandler {
            try await wanted.futureResult.get()
        } onCancel: {
            wanted.fail(CancellationError())
        }
        return (channel, try outputs.output(of: channel))
    }

    private final class Outputs<Output: Sendable>: Sendable {
        private let outputs = Mutex<[ObjectIdentifier: Output]>([:])

        func add(_ output: Output, of channel: any Channel) {
            self.outputs.withLock { $0[ObjectIdentifier(channel)] = output }
        }

        func output(of channel: any Channel) throws -> Output {
            guard let output = self.outputs.withLock({ $0[ObjectIdentifier(channel)] }) else {
                throw ChannelError.inappropriateOperationForState
            }
            return output
        }
    }

    /// The `Host` of a request, by RFC 9110, 7.2.
    var authority: String {
        switch self.configuration.address {
        case .http(let host, let port): "\(APIAddress.bracketed(host)):\(port)"
        case .https(let host, let port):
            "\(APIAddress.bracketed(self.configuration.tls.serverName ?? host)):\(port)"
        case .unix: "localhost"
        }
    }

    /// A request by RFC 9113, 8.3. What differs from one to the next is not kept for compression.
    func multiplexHeaders(_ request: APIRequest) throws -> HPACKHeaders {
        var headers: HPACKHeaders = [
            ":method": request.method.rawValue, ":scheme": "https", ":authority": self.authority,
        ]
        headers.add(name: ":path", value: self.configuration.pathPrefix + request.target, indexing: .nonIndexable)
        for (name, value) in try self.headers() { headers.add(name: name.lowercased(), value: value) }
        return headers
    }
}
