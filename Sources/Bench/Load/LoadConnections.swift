// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import XDSServer

/// The way from tasks to the event loop on which a load test's connections live.
struct LoadConnections: Sendable {
    private let options: LoadTest.Options
    private let loop: any EventLoop
    private let fleet: NIOLoopBound<Fleet>
    private let admin: NIOLoopBound<AdminConnection>

    /// With the admin connection open, unless nothing is to be changed.
    static func make(_ options: LoadTest.Options, on loop: any EventLoop) async throws -> LoadConnections {
        let headers = try StreamHandler.requestHeaders(options.variant, authority: "\(options.address)")
        let (fleet, admin) = try await loop.submit {
            (
                NIOLoopBound(
                    Fleet(variant: options.variant, requestHeaders: headers, loop: loop),
                    eventLoop: loop
                ),
                NIOLoopBound(AdminConnection(authority: "\(options.adminAddress)"), eventLoop: loop)
            )
        }.get()
        if options.cycles == nil, options.changes > 0 {
            let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(admin.value)
                }
            }
            _ = try await bootstrap.connect(to: options.adminAddress).get()
        }
        return LoadConnections(options: options, loop: loop, fleet: fleet, admin: admin)
    }

    /// Opens streams and returns when all are in sync: nanoseconds until each was.
    func open(_ streams: Range<Int>) async throws -> [Int64] {
        try await self.loop.flatSubmit {
            let fleet = self.fleet.value
            let synced = fleet.awaitSync(streams, timeout: TimeAmount(self.options.timeout))
            for stream in streams { self.connect(stream) }
            return synced
        }.get()
    }

    private func connect(_ stream: Int) {
        let fleet = self.fleet
        ClientBootstrap(group: self.loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamHandler(number: stream, fleet: fleet.value))
                }
            }
            .connect(to: self.options.address)
            .assumeIsolated()
            .whenFailure { error in fleet.value.lost(stream, "cannot connect: \(error)") }
    }

    /// Changes the endpoints of a service: nanoseconds until each stream had them, and until the change was answered.
    func touch(_ service: Int) async throws -> ([Int64], Int64) {
        try await self.loop.flatSubmit {
            let fleet = self.fleet.value
            let name = WorldDocument.serviceName(service)
            guard let endpoints = fleet.names.endpoints(name) else {
                return self.loop.makeFailedFuture(LoadFailure("the server has no endpoints named \(name)"))
            }
            let arrivals = fleet.awaitChange(of: endpoints, timeout: TimeAmount(self.options.timeout))
            let began = NIODeadline.now()
            let answer = self.admin.value.post("/touch?service=\(service)", on: self.loop)
                .map { (NIODeadline.now() - began).nanoseconds }
            answer.assumeIsolated().whenFailure { fleet.fail(LoadFailure("POST /touch?service=\(service): \($0)")) }
            return arrivals.and(answer)
        }.get()
    }

    /// What was received since the last call.
    func takeTraffic() async throws -> Traffic {
        try await self.loop.submit { self.fleet.value.takeTraffic() }.get()
    }

    /// What each stream holds.
    func held() async throws -> Fleet.Held {
        let held = try await self.loop.submit { self.fleet.value.held }.get()
        guard held.count == 1, let everywhere = held.first else { throw LoadFailure("streams disagree: \(held)") }
        return everywhere
    }

    func closeStreams() async throws {
        try await self.loop.flatSubmit { self.fleet.value.close() }.get()
    }

    func closeAll() async throws {
        try await self.closeStreams()
        try await self.loop.submit { self.admin.value.close() }.get()
    }
}

extension ClientBootstrap {
    fileprivate func connect(to address: NetworkAddress) -> EventLoopFuture<any Channel> {
        switch address {
        case .ipv4(let host, let port), .ipv6(let host, let port):
            // By its number: to look up a name costs more than all else that a connection does.
            if let number = try? SocketAddress(ipAddress: host, port: port) {
                self.connect(to: number)
            } else {
                self.connect(host: host, port: port)
            }
        case .name(let host, let port): self.connect(host: host, port: port)
        case .unix(let path): self.connect(unixDomainSocketPath: path)
        }
    }
}
