// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Logging
import NIOCore
import ServiceLifecycle

/// Serves the discovery services on one address until graceful shutdown, which ends every stream with status OK.
package struct XDSListener: Service {
    /// Figures that are ours to choose, with their reasons.
    package struct Limits: Sendable {
        /// A proxy that is gone without a word is found within time + timeout.
        package var keepaliveTime = Duration.seconds(30)
        package var keepaliveTimeout = Duration.seconds(10)
        /// A delta reconnect lists everything the proxy holds: far over gRPC's 4 MiB is legitimate (rule 10).
        package var requestBytes = 64 << 20
        /// Per connection: Envoy uses one stream, or one a type and resource.
        package var streams = 1_000
        /// How long streams may take to end on shutdown.
        package var drain = Duration.seconds(5)
        /// A herd of proxies that reconnect at once must not overflow it (the default is 128).
        package var backlog = 4_096

        package init() {}
    }

    package let address: NetworkAddress
    private let services: DiscoveryServices
    private let limits: Limits
    private let logger: Logger
    private let onListening: @Sendable () -> Void

    package init(
        address: NetworkAddress,
        services: DiscoveryServices,
        limits: Limits = Limits(),
        logger: Logger,
        onListening: @escaping @Sendable () -> Void = {}
    ) {
        self.address = address
        self.services = services
        self.limits = limits
        self.logger = logger
        self.onListening = onListening
    }

    package func run() async throws {
        let server = GRPCServer(transport: self.makeTransport(), services: [self.services])
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await server.serve() }
                let bound = try await server.listeningAddress
                self.logger.info("serving xDS", metadata: ["address": "\(bound.map { "\($0)" } ?? "\(self.address)")"])
                self.onListening()
            }
        } onGracefulShutdown: {
            self.services.beginDrain()
            server.beginGracefulShutdown()
        }
    }

    private func makeTransport() -> HTTP2ServerTransport.Posix {
        let address: GRPCNIOTransportHTTP2Posix.SocketAddress
        switch self.address {
        case .ipv4(let host, let port), .name(let host, let port): address = .ipv4(host: host, port: port)
        case .ipv6(let host, let port): address = .ipv6(host: host, port: port)
        case .unix(let path): address = .unixDomainSocket(path: path)
        }
        let limits = self.limits
        return .http2NIOPosix(
            address: address,
            transportSecurity: .plaintext,
            config: .defaults {
                $0.connection.keepalive = .init(
                    time: limits.keepaliveTime,
                    timeout: limits.keepaliveTimeout,
                    // Below any sensible interval of Envoy's own keepalive, or its pings are answered with GOAWAY.
                    clientBehavior: .init(minPingIntervalWithoutCalls: .seconds(1), allowWithoutCalls: true)
                )
                $0.connection.maxGraceTime = limits.drain
                $0.http2.maxConcurrentStreams = limits.streams
                $0.rpc.maxRequestPayloadSize = limits.requestBytes
                $0.channelDebuggingCallbacks.onBindTCPListener = {
                    $0.setOption(.backlog, value: CInt(limits.backlog))
                }
            }
        )
    }
}
