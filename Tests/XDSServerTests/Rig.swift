// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import GRPCInProcessTransport
import GRPCProtobuf
import SwiftProtobuf
import Testing

@testable import XDSServer

/// The discovery services behind a real gRPC server and in front of a real gRPC client, without a network.
struct Rig: Sendable {
    let cache: SnapshotCache
    let registry: StreamRegistry
    let log: EventLog
    let server: GRPCServer<InProcessTransport.Server>
    let client: GRPCClient<InProcessTransport.Client>

    /// Serves while `body` runs, then shuts down gracefully and waits for every stream to end.
    static func serving(
        cache: SnapshotCache = SnapshotCache(),
        _ world: (any World)? = nil,
        log: EventLog = EventLog(),
        registry: StreamRegistry? = nil,
        _ body: (Rig) async throws -> Void
    ) async throws {
        if let world { cache.publish(world) }
        let registry = registry ?? StreamRegistry(logger: log.logger)
        let services = DiscoveryServices(cache: cache, registry: registry, logger: log.logger)
        let transport = InProcessTransport()
        let server = GRPCServer(transport: transport.server, services: [services])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await server.serve() }
            try await withGRPCClient(transport: transport.client) { client in
                try await body(Rig(cache: cache, registry: registry, log: log, server: server, client: client))
            }
            server.beginGracefulShutdown()
        }
        #expect(registry.streams.isEmpty)
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
