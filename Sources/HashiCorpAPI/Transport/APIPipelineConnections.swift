// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// A connection on which small questions are asked.
struct APIPipelineConnection: Sendable {
    var channel: any Channel
    /// Why it ended, if it did.
    var cause: Cause

    /// What went wrong first: whoever writes after that is told only that the channel is closed.
    final class Cause: Sendable {
        private let error = Mutex<(any Error)?>(nil)

        func note(_ error: any Error) { self.error.withLock { $0 = $0 ?? error } }

        func behind(_ error: any Error) -> any Error { self.error.withLock { $0 } ?? error }
    }
}

/// Makes the connections of an `APIPipeline`, and keeps those that can be used again.
final class APIPipelineConnections: Sendable {
    private struct State {
        var idle: [APIPipelineConnection] = []
        var isShutDown = false
    }

    private let client: APIClient
    private let state = Mutex(State())

    init(_ client: APIClient) {
        self.client = client
    }

    /// - Parameter fresh: none that was used before, and none of those is kept any more.
    func take(fresh: Bool) async throws -> (connection: APIPipelineConnection, isFresh: Bool) {
        let (kept, left) = self.state.withLock { state -> (APIPipelineConnection?, [APIPipelineConnection]) in
            if fresh {
                defer { state.idle = [] }
                return (nil, state.idle)
            }
            while let connection = state.idle.popLast() {
                if connection.channel.isActive { return (connection, []) }
            }
            return (nil, [])
        }
        for connection in left { connection.channel.close(promise: nil) }
        if let kept { return (kept, false) }
        return (try await self.connect(), true)
    }

    func keep(_ connection: APIPipelineConnection) {
        let isKept = self.state.withLock { state in
            guard !state.isShutDown, connection.channel.isActive else { return false }
            state.idle.append(connection)
            return true
        }
        if !isKept { connection.channel.close(promise: nil) }
    }

    func shutdown() {
        let idle = self.state.withLock { state in
            defer { state = State(isShutDown: true) }
            return state.idle
        }
        for connection in idle { connection.channel.close(promise: nil) }
    }

    /// The handshake of TLS is a part of the first batch.
    private func connect() async throws -> APIPipelineConnection {
        let product = self.client.configuration.product
        let tls = try self.client.tls()
        let (channel, cause) = try await self.client.connect { channel in
            let cause = APIPipelineConnection.Cause()
            let pipeline = channel.pipeline.syncOperations
            if let tls {
                try pipeline.addHandler(NIOSSLClientHandler(context: tls.context, serverHostname: tls.name))
            }
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(IdleStateHandler(allTimeout: APIPipelineHandler.idle))
            try pipeline.addHandler(APIPipelineHandler(product, cause))
            return cause
        }
        return APIPipelineConnection(channel: channel, cause: cause)
    }
}
