// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Makes the connections of an `APIPipeline`, and keeps those that can be used again.
final class APIPipelineConnections: Sendable {
    private struct State {
        var idle: [any Channel] = []
        var isShutDown = false
    }

    private let client: APIClient
    private let state = Mutex(State())

    init(_ client: APIClient) {
        self.client = client
    }

    /// - Parameter fresh: none that was used before, and none of those is kept any more.
    func take(fresh: Bool) async throws -> (channel: any Channel, isFresh: Bool) {
        let (kept, left) = self.state.withLock { state -> ((any Channel)?, [any Channel]) in
            if fresh {
                defer { state.idle = [] }
                return (nil, state.idle)
            }
            while let channel = state.idle.popLast() {
                if channel.isActive { return (channel, []) }
            }
            return (nil, [])
        }
        for channel in left { channel.close(promise: nil) }
        if let kept { return (kept, false) }
        return (try await self.connect(), true)
    }

    func keep(_ channel: any Channel) {
        let isKept = self.state.withLock { state in
            guard !state.isShutDown, channel.isActive else { return false }
            state.idle.append(channel)
            return true
        }
        if !isKept { channel.close(promise: nil) }
    }

    func shutdown() {
        let idle = self.state.withLock { state in
            defer { state = State(isShutDown: true) }
            return state.idle
        }
        for channel in idle { channel.close(promise: nil) }
    }

    /// The handshake of TLS is a part of the first batch.
    private func connect() async throws -> any Channel {
        let product = self.client.configuration.product
        let tls = try self.client.tls()
        let connection = try await self.client.connect { channel in
            let pipeline = channel.pipeline.syncOperations
            if let tls {
                try pipeline.addHandler(NIOSSLClientHandler(context: tls.context, serverHostname: tls.name))
            }
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(IdleStateHandler(allTimeout: APIPipelineHandler.idle))
            try pipeline.addHandler(APIPipelineHandler(product))
        }
        return connection.channel
    }
}
