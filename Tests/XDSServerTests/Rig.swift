// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import FoundationEssentials
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import ServiceLifecycle
import SwiftProtobuf
import Testing

@testable import XDSServer

/// The listener on a Unix socket, and in front of it a real gRPC client that knows nothing of ours.
struct Rig: Sendable {
    let cache: SnapshotCache
    let registry: StreamRegistry
    let log: EventLog
    let services: ServiceGroup
    let client: GRPCClient<HTTP2ClientTransport.Posix>

    /// Serves while `body` runs, then shuts down gracefully and waits for every stream to end.
    static func serving(
        cache: SnapshotCache = SnapshotCache(),
        _ world: (any World)? = nil,
        log: EventLog = EventLog(),
        registry: StreamRegistry? = nil,
        limits: StreamLimits = StreamLimits(),
        _ body: (Rig) async throws -> Void
    ) async throws {
        if let world { cache.publish(world) }
        let registry = registry ?? StreamRegistry(logger: log.logger)
        let path = "/tmp/signalbox-test-\(UInt64.random(in: .min ... .max)).sock"
        let (listening, isListening) = AsyncStream.makeStream(of: Never.self)
        // All of a test's proxies share the client's one connection.
        var listenerLimits = XDSListener.Limits()
        listenerLimits.streams = 1_000
        let listener = XDSListener(
            address: .unix(path: path),
            server: DiscoveryServer(cache: cache, registry: registry, limits: limits),
            limits: listenerLimits,
            logger: log.logger
        ) { isListening.finish() }
        let services = ServiceGroup(services: [listener], logger: log.logger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await services.run() }
            for await _ in listening {}
            let transport = try HTTP2ClientTransport.Posix(
                target: .unixDomainSocket(path: path, authority: "test"),
                transportSecurity: .plaintext
            )
            try await withGRPCClient(transport: transport) { client in
                try await body(Rig(cache: cache, registry: registry, log: log, services: services, client: client))
            }
            await services.triggerGracefulShutdown()
        }
        #expect(registry.streams.isEmpty)
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Opens a stream, for as long as `body` runs.
    func converse<Request: Message, Response: Message, Result: Sendable>(
        _ method: MethodDescriptor,
        _ body: @escaping @Sendable (inout Conversation<Request, Response>) async throws -> Result
    ) async throws -> Result {
        let (requests, continuation) = AsyncStream.makeStream(of: Request.self)
        return try await self.client.bidirectionalStreaming(
            request: StreamingClientRequest { writer in
                for await request in requests { try await writer.write(request) }
            },
            descriptor: method,
            serializer: ProtobufSerializer<Request>(),
            deserializer: ProtobufDeserializer<Response>(),
            options: .defaults
        ) { response in
            defer { continuation.finish() }
            var conversation = Conversation<Request, Response>(
                requests: continuation,
                responses: response.messages.makeAsyncIterator()
            )
            return try await body(&conversation)
        }
    }

    func fetch(_ request: SotWRequestMessage, from method: MethodDescriptor) async throws -> SotWResponseMessage {
        try await self.client.unary(
            request: ClientRequest(message: request),
            descriptor: method,
            serializer: ProtobufSerializer<SotWRequestMessage>(),
            deserializer: ProtobufDeserializer<SotWResponseMessage>(),
            options: .defaults
        ) { try $0.message }
    }
}
