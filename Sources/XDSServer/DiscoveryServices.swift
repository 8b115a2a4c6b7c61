// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
package import GRPCCore
import GRPCProtobuf
package import Logging
import XDSProtocol

/// All discovery services: the aggregated one and one of each type, streaming and unary, SotW and delta.
package struct DiscoveryServices: RegistrableRPCService {
    private let cache: SnapshotCache
    private let registry: StreamRegistry
    private let logger: Logger

    package init(cache: SnapshotCache, registry: StreamRegistry, logger: Logger) {
        self.cache = cache
        self.registry = registry
        self.logger = logger
    }

    /// The server shuts down: what ends from now on was drained.
    func beginDrain() {
        self.registry.beginDrain()
    }

    package func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for method in DiscoveryMethod.streams {
            switch method.variant {
            case .sotw:
                self.registerStream(method, of: Envoy_Service_Discovery_V3_DiscoveryRequest.self, with: &router)
            case .delta:
                self.registerStream(method, of: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.self, with: &router)
            }
        }
        for method in DiscoveryMethod.fetches {
            self.registerFetch(method, with: &router)
        }
    }

    private func registerStream<Message: DiscoveryMessage>(
        _ method: DiscoveryMethod,
        of message: Message.Type,
        with router: inout RPCRouter<some ServerTransport>
    ) {
        let stream = DiscoveryStream(method: method, cache: self.cache, registry: self.registry, logger: self.logger)
        router.registerHandler(
            forMethod: method.descriptor,
            deserializer: ProtobufDeserializer<Message>(),
            serializer: EncodedResponseSerializer()
        ) { request, context in
            StreamingServerResponse { writer in
                try await stream.serve(
                    request.messages,
                    peer: context.remotePeer,
                    cancellation: context.cancellation
                ) { try await writer.write($0) }
                return [:]
            }
        }
    }

    /// A unary fetch is the first response of a stream.
    private func registerFetch(_ method: DiscoveryMethod, with router: inout RPCRouter<some ServerTransport>) {
        let stream = DiscoveryStream(method: method, cache: self.cache, registry: self.registry, logger: self.logger)
        router.registerHandler(
            forMethod: method.descriptor,
            deserializer: ProtobufDeserializer<Envoy_Service_Discovery_V3_DiscoveryRequest>(),
            serializer: EncodedResponseSerializer()
        ) { request, _ in
            var messages = request.messages.makeAsyncIterator()
            guard let message = try await messages.next() else {
                throw RPCError(code: .invalidArgument, message: "a fetch needs a request")
            }
            let response = try stream.fetch(message)
            return StreamingServerResponse { writer in
                try await writer.write(response)
                return [:]
            }
        }
    }
}

extension DiscoveryStream {
    /// Everything that `message` asks for, as one response.
    func fetch(_ message: Envoy_Service_Discovery_V3_DiscoveryRequest) throws -> EncodedResponse {
        guard message.hasNode, !message.node.id.isEmpty else {
            throw RPCError(code: .invalidArgument, message: "a fetch must have a node.id")
        }
        let type = try self.type(of: message)
        let watch = self.cache.watch(node: Node(message.node), streams: self.method.streams) {}
        defer { self.cache.cancel(watch) }
        guard let (snapshot, _) = watch.take() else {
            throw RPCError(code: .unavailable, message: "there is no configuration for this node yet")
        }
        var machine = StreamStateMachine(variant: .sotw)
        var actions = machine.snapshotChanged(snapshot, changes: nil)
        var request = message
        // An unconditional answer: a fetch has no way to say "unchanged".
        request.versionInfo = ""
        request.responseNonce = ""
        actions += request.feed(&machine, as: type)
        for action in actions {
            switch action {
            case .respond(let response):
                self.registry.metrics.sent(response)
                return EncodedResponse(response, variant: .sotw)
            case .close(let violation): throw RPCError(violation)
            case .report, .wake: continue
            }
        }
        // Names that do not exist: an answer without resources.
        let versionInfo = ResourceVersion.Sum().description
        return EncodedResponse(
            Response(type: type, nonce: Nonce("1"), versionInfo: versionInfo, resources: [], removals: []),
            variant: .sotw
        )
    }
}
