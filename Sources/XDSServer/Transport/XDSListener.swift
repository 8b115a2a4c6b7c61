// SPDX-License-Identifier: Apache-2.0

package import Logging
import NIOCore
import NIOExtras
import NIOHTTP2
import NIOPosix
import ServiceLifecycle

/// Serves the discovery services on one address until graceful shutdown, which ends every stream with status OK.
package struct XDSListener: Service {
    /// Figures that are ours to choose, with their reasons.
    package struct Limits: Sendable {
        /// A proxy that is gone without a word is found within time + timeout, and cut off `drain` later.
        package var keepaliveTime = Duration.seconds(30)
        package var keepaliveTimeout = Duration.seconds(10)
        /// A connection on which there is no stream, and perhaps no HTTP/2, is closed.
        package var idle = Duration.seconds(45)
        /// Per connection: Envoy uses one stream, or one a type and resource, and opens another connection for more.
        package var streams = 100
        /// Open at the same time. What comes beyond is closed at once, before anything is read of it.
        package var connections = 10_000
        /// How long a connection lives, give or take a tenth, so that proxies spread over replicas again. Nil: for ever.
        package var age: Duration?
        /// How long streams may take to end on shutdown, and when their connection is old enough.
        package var drain = Duration.seconds(5)
        /// A herd of proxies that reconnect at once must not overflow it.
        package var backlog: CInt = 4_096

        package init() {}
    }

    package let address: NetworkAddress
    private let server: DiscoveryServer
    private let limits: Limits
    private let logger: Logger
    private let onListening: @Sendable () -> Void

    package init(
        address: NetworkAddress,
        server: DiscoveryServer,
        limits: Limits = Limits(),
        logger: Logger,
        onListening: @escaping @Sendable () -> Void = {}
    ) {
        self.address = address
        self.server = server
        self.limits = limits
        self.logger = logger
        self.onListening = onListening
    }

    package func run() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let quiescing = ServerQuiescingHelper(group: group)
        let channel = try await self.bind(self.bootstrap(group, quiescing)).get()
        self.logger.info(
            "serving xDS",
            metadata: ["address": "\(channel.localAddress.map(\.peerName) ?? "\(self.address)")"]
        )
        self.onListening()
        let closed = channel.eventLoop.makePromise(of: Void.self)
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await channel.closeFuture.get()
            } onGracefulShutdown: {
                quiescing.initiateShutdown(promise: closed)
                self.server.registry.drain()
                // A proxy that hangs does not answer the GOAWAY, and is not waited for.
                channel.eventLoop.scheduleTask(in: TimeAmount(self.limits.drain)) { closed.succeed() }
            }
        } onCancel: {
            channel.close(promise: nil)
        }
        guard self.server.registry.isDraining else {
            closed.succeed()
            return
        }
        try await closed.futureResult.get()
    }

    private func bind(_ bootstrap: ServerBootstrap) -> EventLoopFuture<any Channel> {
        switch self.address {
        case .ipv4(let host, let port), .ipv6(let host, let port), .name(let host, let port):
            bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1).bind(host: host, port: port)
        case .unix(let path):
            bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
        }
    }

    private func bootstrap(_ group: MultiThreadedEventLoopGroup, _ quiescing: ServerQuiescingHelper) -> ServerBootstrap
    {
        let doorkeeper = Doorkeeper(limit: self.limits.connections, logger: self.logger)
        let admissions = AdmissionQueues()
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: self.limits.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard doorkeeper.admit(channel) else { return channel.close(promise: nil) }
                    try self.configure(channel, admissions.queue(of: channel.eventLoop))
                }
            }
    }

    /// HTTP/2 without negotiation, and a handler for each stream.
    func configure(_ channel: any Channel, _ admissions: AdmissionQueue) throws {
        let management = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: TimeAmount(self.limits.idle),
                // It would leave the streams to the client, and a proxy's never end: see `ConnectionStreams`.
                maxAge: nil,
                maxGraceTime: TimeAmount(self.limits.drain),
                keepalive: .init(
                    pingInterval: TimeAmount(self.limits.keepaliveTime),
                    ackTimeout: TimeAmount(self.limits.keepaliveTimeout)
                )
            )
        )
        let account = Account.connection(self.server.limits)
        let age = self.limits.age.map { $0 * .random(in: 0.9...1.1) }
        let streams = ConnectionStreams(
            channel,
            budget: self.server.answers,
            age: age.map { TimeAmount($0) }
        ) { [server] stream in
            DiscoveryCall(on: stream, server: server, admissions: admissions, connection: account)
        }
        let http2 = NIOHTTP2Handler(
            mode: .server,
            frameDelegate: streams,
            connectionConfiguration: self.connectionConfiguration,
            streamConfiguration: self.streamConfiguration
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(SmallReads())
        try pipeline.addHandler(ConnectionCloser(grace: TimeAmount(self.limits.drain)))
        try pipeline.addHandler(http2)
        try pipeline.addHandler(streams)
        try pipeline.addHandler(management)
    }

    private var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: self.limits.streams),
            HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Stream.firstWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 16_384),
            // A state-of-the-world ACK repeats all names: not in pieces of 16 kB.
            HTTP2Setting(parameter: .maxFrameSize, value: 1 << 16),
        ]
        // A gRPC client measures the bandwidth with a PING for what it receives, ten a second at most. Each that is counted
        // costs eight bytes a connection.
        configuration.controlFrameRateLimit.windowLength = .seconds(5)
        return configuration
    }

    /// A client may give up every stream that it has, and once more those that it opened instead. Faster is an attack.
    /// See https://www.cve.org/CVERecord?id=CVE-2023-44487
    private var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.streamResetFrameRateLimit.maximumCount = 2 * self.limits.streams
        configuration.streamResetFrameRateLimit.windowLength = .seconds(30)
        configuration.streamErrorRateLimit.maximumCount = 64
        return configuration
    }
}
