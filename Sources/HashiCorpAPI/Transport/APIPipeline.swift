// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Asks many small questions of which only the index of each answer matters, without waiting for one before the next
/// (RFC 9112, 9.3.2): that costs a tenth of asking them one by one. Connections are its own, and are kept for a while.
package final class APIPipeline: Sendable {
    private struct State {
        var idle: [any Channel] = []
        var isShutDown = false
        /// When to ask in one go again, after that went wrong.
        var inOneGoFrom: ContinuousClock.Instant?
    }

    private static let pause = Duration.seconds(300)

    private let client: APIClient
    private let state = Mutex(State())

    /// - Parameter client: whose address and token are used.
    package init(_ client: APIClient) {
        self.client = client
    }

    /// The index of each answer, in order. All in one go on one connection; or one after the other, where something on
    /// the way does not take a question before it has answered the one before.
    ///
    /// - Parameter deadline: from now to the last answer.
    /// - Throws: if one of the answers is not 200, has no index, or is large.
    package func indexes(of requests: [APIRequest], deadline: Duration) async throws(APIError) -> [UInt64] {
        guard !requests.isEmpty else { return [] }
        let isInOneGo = self.state.withLock { $0.inOneGoFrom.map { $0 <= .now } ?? true }
        guard isInOneGo, requests.count > 1 else { return try await self.ask(requests, window: 1, deadline) }
        do {
            return try await self.ask(requests, window: requests.count, deadline / 3)
        } catch {
            guard error.kind == .unreachable || error.kind == .malformed || error.kind == .timedOut else { throw error }
            let indexes = try await self.ask(requests, window: 1, deadline)
            self.state.withLock { $0.inOneGoFrom = .now + Self.pause }
            return indexes
        }
    }

    private func ask(_ requests: [APIRequest], window: Int, _ deadline: Duration) async throws(APIError) -> [UInt64] {
        do {
            let heads = try self.heads(of: requests)
            let channel = try await self.connection()
            let promise = channel.eventLoop.makePromise(of: [UInt64].self)
            let batch = APIPipelineBatch(heads: heads, window: window, promise: promise)
            let timer = channel.eventLoop.scheduleTask(in: deadline.timeAmount) {
                promise.fail(HTTPClientError.deadlineExceeded)
                channel.close(promise: nil)
            }
            defer { timer.cancel() }
            let indexes = try await withTaskCancellationHandler {
                channel.writeAndFlush(batch, promise: nil)
                return try await promise.futureResult.get()
            } onCancel: {
                promise.fail(CancellationError())
                channel.close(promise: nil)
            }
            self.keep(channel)
            return indexes
        } catch let refusal as APIPipelineHandler.Refusal {
            self.client.noteStatus(UInt(refusal.response.status))
            throw APIError.unexpected(refusal.response, from: self.client.configuration)
        } catch {
            throw self.client.failure(error, limit: APIPipelineHandler.maximumBytes)
        }
    }

    /// Ends what is under way.
    package func shutdown() {
        let idle = self.state.withLock { state in
            defer { state = State(isShutDown: true) }
            return state.idle
        }
        for channel in idle { channel.close(promise: nil) }
    }

    private func heads(of requests: [APIRequest]) throws -> [HTTPRequestHead] {
        let configuration = self.client.configuration
        var headers = try self.client.headers()
        switch configuration.address {
        case .http(let host, let port): headers.add(name: "Host", value: "\(APIAddress.bracketed(host)):\(port)")
        case .https(let host, let port):
            let name = configuration.tls.serverName ?? host
            headers.add(name: "Host", value: "\(APIAddress.bracketed(name)):\(port)")
        case .unix: headers.add(name: "Host", value: "localhost")
        }
        return requests.map { request in
            HTTPRequestHead(
                version: .http1_1,
                method: .GET,
                uri: configuration.pathPrefix + request.target,
                headers: headers
            )
        }
    }

    private func keep(_ channel: any Channel) {
        let isKept = self.state.withLock { state in
            guard !state.isShutDown, channel.isActive else { return false }
            state.idle.append(channel)
            return true
        }
        if !isKept { channel.close(promise: nil) }
    }

    private func connection() async throws -> any Channel {
        let idle = self.state.withLock { state -> (any Channel)? in
            while let channel = state.idle.popLast() {
                if channel.isActive { return channel }
            }
            return nil
        }
        if let idle { return idle }
        let configuration = self.client.configuration
        let tls = try self.client.tls()
        let bootstrap = ClientBootstrap(group: HTTPClient.defaultEventLoopGroup)
            .connectTimeout(configuration.connectTimeout.timeAmount)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls.context, serverHostname: tls.name))
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(IdleStateHandler(allTimeout: APIPipelineHandler.idle))
                    try pipeline.addHandler(APIPipelineHandler(configuration.product))
                }
            }
        return switch configuration.address {
        case .http(let host, let port), .https(let host, let port):
            try await bootstrap.connect(host: host, port: port).get()
        case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
        }
    }
}
