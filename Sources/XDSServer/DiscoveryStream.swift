// SPDX-License-Identifier: Apache-2.0

import AsyncAlgorithms
import EnvoyAPI
import GRPCCore
import Logging
import XDSProtocol

/// The shell around one stream state machine: one stream, one task, one machine, and no lock, because nothing else can see
/// it. Awaiting `send` is the back-pressure: while a proxy does not read, nothing is made for it.
struct DiscoveryStream: Sendable {
    enum Input<Message: DiscoveryMessage>: Sendable {
        case request(Message)
        /// The proxy closed its side.
        case closed
        case control(Control)
    }

    enum Control: Sendable {
        /// The cache has a snapshot for us.
        case snapshot
        case deadline(Int)
        /// Somebody wants to see the state.
        case describe(AsyncStream<[TypeStatus]>.Continuation)
        /// The server shuts down, or the proxy is gone: end the stream well.
        case cancelled
    }

    let method: DiscoveryMethod
    let cache: SnapshotCache
    let registry: StreamRegistry
    let logger: Logger

    /// Returns when the stream has ended well; throws the status to end it with otherwise.
    func serve<Message: DiscoveryMessage>(
        _ requests: RPCAsyncSequence<Message, any Error>,
        peer: String,
        cancellation: ServerContext.RPCCancellationHandle,
        send: (EncodedResponse) async throws -> Void
    ) async throws {
        let (controls, continuation) = AsyncStream.makeStream(of: Control.self)
        let record = self.registry.open(method: self.method, peer: peer, control: continuation)
        var reason = "connection lost"
        defer { self.registry.close(record, reason: reason) }

        try await withThrowingDiscardingTaskGroup { children in
            defer { children.cancelAll() }
            children.addTask {
                try? await cancellation.cancelled
                continuation.yield(.cancelled)
            }
            var session = Session(stream: self, record: record, control: continuation)
            defer { session.end() }
            let inputs = merge(
                chain(requests.map { Input<Message>.request($0) }, [Input<Message>.closed].async),
                controls.map { Input<Message>.control($0) }
            )
            for try await input in inputs {
                let actions: [StreamStateMachine.Action]
                switch input {
                case .request(let message): actions = try session.received(message)
                case .control(.snapshot): actions = session.snapshotDelivered()
                case .control(.deadline(let number)): actions = session.machine.deadlinePassed(number)
                case .control(.describe(let reply)):
                    reply.yield(session.machine.status)
                    continue
                case .control(.cancelled):
                    reason = self.registry.isDraining ? "drained" : "cancelled"
                    return
                case .closed:
                    reason = "closed by the proxy"
                    return
                }
                for action in actions {
                    switch action {
                    case .respond(let response):
                        self.registry.metrics.sent(response)
                        try await send(EncodedResponse(response, variant: self.method.variant))
                    case .report(let rejection):
                        self.registry.report(rejection, from: record)
                    case .wake(let number, let duration):
                        children.addTask {
                            try? await Task.sleep(for: duration)
                            continuation.yield(.deadline(number))
                        }
                    case .close(let violation):
                        reason = "protocol violation"
                        throw RPCError(violation)
                    }
                }
            }
        }
    }

    /// What belongs to a stream once its node is known.
    private struct Session {
        let stream: DiscoveryStream
        let record: StreamRecord
        let control: AsyncStream<Control>.Continuation
        var machine: StreamStateMachine
        var watch: SnapshotWatch?

        init(stream: DiscoveryStream, record: StreamRecord, control: AsyncStream<Control>.Continuation) {
            self.stream = stream
            self.record = record
            self.control = control
            self.machine = StreamStateMachine(variant: stream.method.variant)
        }

        mutating func received(_ message: some DiscoveryMessage) throws -> [StreamStateMachine.Action] {
            var actions: [StreamStateMachine.Action] = []
            if let watch = self.watch {
                guard !message.hasNode || message.node.id == watch.node.id else {
                    throw RPCError(code: .invalidArgument, message: "node.id changed within a stream")
                }
            } else {
                guard message.hasNode, !message.node.id.isEmpty else {
                    throw RPCError(code: .invalidArgument, message: "the first request of a stream must have a node.id")
                }
                let watch = self.stream.cache.watch(
                    node: Node(message.node),
                    streams: self.stream.method.streams
                ) { [control] in control.yield(.snapshot) }
                self.watch = watch
                self.record.identify(watch)
                self.stream.logger.info("stream opened", metadata: self.record.logMetadata)
                actions += self.snapshotDelivered()
            }
            let type = try self.stream.type(of: message)
            actions += message.feed(&self.machine, as: type)
            self.stream.registry.metrics.received(type, self.machine.lastRequestKind)
            return actions
        }

        mutating func snapshotDelivered() -> [StreamStateMachine.Action] {
            guard let (snapshot, changes) = self.watch?.take() else { return [] }
            return self.machine.snapshotChanged(snapshot, changes: changes)
        }

        mutating func end() {
            if let watch = self.watch { self.stream.cache.cancel(watch) }
        }
    }

    /// A stream of one type may leave `type_url` out; it may not name another.
    func type(of message: some DiscoveryMessage) throws -> TypeURL {
        if message.typeURL.isEmpty {
            guard let type = self.method.type else {
                throw RPCError(code: .invalidArgument, message: "type_url is missing")
            }
            return type
        }
        let type = TypeURL(rawValue: message.typeURL)
        guard message.typeURL.hasPrefix("type.googleapis.com/"), self.method.type == nil || self.method.type == type
        else {
            throw RPCError(
                code: .invalidArgument,
                message: "type_url \(message.typeURL.prefix(200)) is not served here"
            )
        }
        return type
    }
}

extension RPCError {
    init(_ violation: StreamStateMachine.Violation) {
        switch violation {
        case .invalidArgument(let message): self.init(code: .invalidArgument, message: message)
        case .resourceExhausted(let message): self.init(code: .resourceExhausted, message: message)
        }
    }
}
