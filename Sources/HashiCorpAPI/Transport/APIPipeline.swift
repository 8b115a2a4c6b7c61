// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Asks many small questions of which only the index of each answer matters, without waiting for one before the next
/// (RFC 9112, 9.3.2): that costs a tenth of asking them one by one. Connections are its own, and are kept for a while.
///
/// What stands on the way may end a connection after some answers, as proxies do after so many or after each. What was
/// not answered is asked again on another one. Where none of them takes a question before it has answered the one before,
/// they are asked one by one for some minutes.
package final class APIPipeline: Sendable {
    private static let pause = Duration.seconds(300)

    private let client: APIClient
    private let connections: APIPipelineConnections
    private let gate: ConnectionGate
    /// When to ask in one go again, after that went wrong.
    private let inOneGoFrom = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameters:
    ///   - client: whose address and token are used.
    ///   - maximumConnections: at a time; more batches wait for their turn.
    package init(_ client: APIClient, maximumConnections: Int = 4) {
        self.client = client
        self.connections = APIPipelineConnections(client)
        self.gate = ConnectionGate(limit: max(1, maximumConnections), group: HTTPClient.defaultEventLoopGroup)
    }

    /// The index of each answer, in order.
    ///
    /// - Parameter deadline: from now to the last answer.
    /// - Throws: if one of the answers is not 200, has no index, or is large.
    package func indexes(of requests: [APIRequest], deadline: Duration) async throws(APIError) -> [UInt64] {
        guard !requests.isEmpty else { return [] }
        let end = NIODeadline.now() + deadline.timeAmount
        do {
            try await self.gate.enter(deadline: end)
            defer { self.gate.leave() }
            return try await self.ask(try self.heads(of: requests), from: .now(), until: end)
        } catch let refusal as APIPipelineHandler.Refusal {
            self.client.noteStatus(UInt(refusal.response.status))
            throw APIError.unexpected(self.client.masked(refusal.response), from: self.client.configuration)
        } catch {
            throw self.client.failure(error, limit: APIPipelineHandler.maximumBytes)
        }
    }

    private func ask(
        _ heads: [HTTPRequestHead],
        from start: NIODeadline,
        until end: NIODeadline
    ) async throws -> [UInt64] {
        var indexes: [UInt64] = []
        let mayBeInOneGo = self.inOneGoFrom.withLock { $0.map { $0 <= .now } ?? true }
        var isInOneGo = mayBeInOneGo && heads.count > 1
        var isStale = false
        while indexes.count < heads.count {
            let rest = Array(heads[indexes.count...])
            let (connection, isFresh) = try await self.connections.take(fresh: isStale)
            // So much of the time is left for asking one by one.
            let deadline = isInOneGo ? start + .nanoseconds((end - start).nanoseconds / 3) : end
            let outcome = await self.ask(rest, isInOneGo ? rest.count : 1, on: connection, until: deadline)
            indexes += outcome.indexes
            guard let cause = outcome.error else {
                self.connections.keep(connection)
                continue
            }
            try Task.checkCancellation()
            guard self.isOfTheWay(cause) else { throw cause }
            guard NIODeadline.now() < end else { throw HTTPClientError.deadlineExceeded }
            if !isFresh {
                // It may have been closed long ago, and others with it.
                isStale = true
            } else if isInOneGo, outcome.indexes.count < 2 {
                isInOneGo = false
            } else if outcome.indexes.isEmpty {
                throw cause
            }
        }
        if mayBeInOneGo, !isInOneGo, heads.count > 1 {
            self.inOneGoFrom.withLock { $0 = .now + Self.pause }
        }
        return indexes
    }

    /// Whether another connection may do, and not only another server.
    private func isOfTheWay(_ cause: any Error) -> Bool {
        guard !(cause is APIPipelineHandler.Refusal) else { return false }
        return switch APIError(cause, of: self.client.configuration, limit: APIPipelineHandler.maximumBytes).kind {
        case .unreachable, .malformed, .timedOut: true
        default: false
        }
    }

    private func ask(
        _ heads: [HTTPRequestHead],
        _ window: Int,
        on connection: APIPipelineConnection,
        until deadline: NIODeadline
    ) async -> APIPipelineBatch.Outcome {
        let channel = connection.channel
        let promise = channel.eventLoop.makePromise(of: APIPipelineBatch.Outcome.self)
        let batch = APIPipelineBatch(heads: heads, window: window, promise: promise)
        let timer = channel.eventLoop.scheduleTask(deadline: deadline) {
            channel.triggerUserOutboundEvent(APIPipelineHandler.GiveUp(HTTPClientError.deadlineExceeded), promise: nil)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            channel.writeAndFlush(batch).whenFailure { error in
                promise.succeed(.init(indexes: [], error: connection.cause.behind(error)))
            }
            do {
                return try await promise.futureResult.get()
            } catch {
                return .init(indexes: [], error: error)
            }
        } onCancel: {
            channel.triggerUserOutboundEvent(APIPipelineHandler.GiveUp(CancellationError()), promise: nil)
        }
    }

    /// Closes what is kept. What is under way ends with the task that asked for it.
    package func shutdown() {
        self.connections.shutdown()
    }

    private func heads(of requests: [APIRequest]) throws -> [HTTPRequestHead] {
        let configuration = self.client.configuration
        var headers = try self.client.headers()
        headers.add(name: "Host", value: self.client.authority)
        return requests.map { request in
            HTTPRequestHead(
                version: .http1_1,
                method: .GET,
                uri: configuration.pathPrefix + request.target,
                headers: headers
            )
        }
    }
}
