// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Synchronization
import XDSProtocol

/// A stream's machine with what it needs of the world: the node's place in the cache, and the limits.
///
/// Used by the stream's event loop, and looked at by whoever wants to see its state: that is what the lock is for.
final class StreamSession: Sendable {
    private struct State {
        var machine: StreamStateMachine
        var watch: SnapshotWatch?
        /// The names in the last state-of-the-world request of each type, as they came: an ACK repeats them.
        var names: [TypeURL: [UInt8]] = [:]
        /// How often these changed.
        var namesChanges = 0
        /// Of the node, once it is known.
        var node: Account?
        var count = NameCount()
    }

    /// Of one type: 50,000 names of 80 bytes.
    private static let namesBytesKept = 4 << 20

    private let method: DiscoveryMethod
    private let server: DiscoveryServer
    private let record: StreamRecord
    private let connection: Account
    private let state: Mutex<State>

    var variant: StreamStateMachine.Variant { self.method.variant }

    init(method: DiscoveryMethod, server: DiscoveryServer, record: StreamRecord, connection: Account) {
        self.method = method
        self.server = server
        self.record = record
        self.connection = connection
        let limits = server.limits
        self.state = Mutex(
            State(
                machine: StreamStateMachine(
                    variant: method.variant,
                    limits: limits.subscriptions,
                    nonceKey: .random(in: 0...UInt64.max)
                )
            )
        )
    }

    var status: [TypeStatus] { self.state.withLock { $0.machine.status } }

    func read(_ bytes: [UInt8]) throws(RPCError) -> RequestMessage {
        let (known, changes) = self.state.withLock { ($0.names, $0.namesChanges) }
        let limits = self.server.limits
        let repetition = try RequestShape.check(bytes, variant: self.variant, limits: limits, known: known)
        do {
            return try RequestMessage(
                bytes,
                variant: self.variant,
                known: known,
                repetition: repetition,
                knownAsOf: changes
            )
        } catch {
            throw .malformedRequest
        }
    }

    /// Whether it begins a type, so that the answer may be large.
    func isFirst(_ message: RequestMessage) -> Bool {
        guard let type = message.knownType ?? self.method.type else { return true }
        return self.state.withLock { !$0.machine.hasSubscription(to: type) }
    }

    /// - Parameters:
    ///   - takesNewest: answer it with what is published now, also if the stream has not been told of that yet.
    ///   - onDelivery: called from anywhere when the cache has a snapshot for the stream.
    func received(
        _ message: RequestMessage,
        takesNewest: Bool,
        onDelivery: @escaping @Sendable () -> Void
    ) throws -> [StreamStateMachine.Action] {
        var message = message
        return try self.state.withLock { state in
            // Requests that were waiting with it were taken meanwhile.
            if message.knownAsOf != state.namesChanges { message.forgetKnown() }
            var actions = try self.identify(&state, message.node, onDelivery)
            if takesNewest { actions += self.takeSnapshot(&state) }
            let type = try self.method.type(of: message)
            let repeated = message.repeatsNames(of: type) ? message.namesBytes.count : 0
            state.count.received(bytes: message.byteCount - (message.node?.count ?? 0) - repeated)
            do {
                switch self.method.variant {
                case .delta:
                    let list = try self.server.nameLists.list(of: message)
                    let isFirst = !state.machine.hasSubscription(to: type)
                    actions += state.machine.received(try message.delta(as: type, list: list, isFirst: isFirst))
                case .sotw:
                    let list = message.repeatsNames(of: type) ? nil : try self.server.nameLists.list(of: message)
                    let request = try message.sotw(as: type, list: list)
                    actions += state.machine.received(request)
                    if request.resourceNames != nil {
                        // Kept for as long as the stream lives, so not without end.
                        let isKept = message.namesBytes.count <= Self.namesBytesKept
                        state.names[type] = isKept ? list?.bytes ?? Array(message.namesBytes) : nil
                        state.namesChanges += 1
                    }
                }
            } catch {
                throw RPCError.malformedRequest
            }
            let kind = state.machine.lastRequestKind
            self.server.registry.metrics.received(type, kind)
            if kind == .subscribe || kind == .stale {
                try self.connection.takeRequest()
                try state.node?.takeRequest()
            }
            state.count.acknowledged(names: state.machine.lastAcknowledged)
            if state.count.isDue { try self.countNames(&state) }
            return actions
        }
    }

    private func countNames(_ state: inout State) throws(RPCError) {
        let (names, claims) = state.machine.nameMemory
        let difference = state.count.counted(
            subscribed: names,
            claimed: claims,
            repeated: state.names.values.reduce(0) { $0 + $1.count }
        )
        // Both are told before one of them refuses: both are told when the stream ends.
        let refusals = [self.connection, state.node].compactMap { $0?.add(nameBytes: difference) }
        if let refusal = refusals.first { throw refusal }
        let limit = self.server.limits.nameBytes
        guard names.bytes > limit else { return }
        throw RPCError(code: .resourceExhausted, message: "more than \(limit) bytes of names on one stream")
    }

    /// The first request of a stream says whose it is.
    private func identify(
        _ state: inout State,
        _ bytes: [UInt8]?,
        _ onDelivery: @escaping @Sendable () -> Void
    ) throws -> [StreamStateMachine.Action] {
        guard let bytes else {
            if state.watch == nil { throw RPCError.nodeMissing }
            return []
        }
        let node = try Node(bytes, limits: self.server.limits)
        if let watch = state.watch {
            guard node.id == watch.node.id else {
                throw RPCError(code: .invalidArgument, message: "node.id changed within a stream")
            }
            return []
        }
        let watch = self.server.cache.watch(
            node: node,
            streams: self.method.streams,
            types: self.method.typesOfInterest,
            onDelivery: onDelivery
        )
        state.watch = watch
        state.node = try self.server.registry.identify(self.record, watch, self.server.limits)
        return self.takeSnapshot(&state)
    }

    func snapshotDelivered() -> [StreamStateMachine.Action] {
        self.state.withLock { self.takeSnapshot(&$0) }
    }

    private func takeSnapshot(_ state: inout State) -> [StreamStateMachine.Action] {
        guard let (snapshot, changes) = state.watch?.take() else { return [] }
        return state.machine.snapshotChanged(snapshot, changes: changes)
    }

    func deadlinePassed(_ number: Int) -> [StreamStateMachine.Action] {
        self.state.withLock { $0.machine.deadlinePassed(number) }
    }

    func encoded(_ response: Response) -> [UInt8] {
        switch self.method.variant {
        case .sotw: response.encodedSotW()
        case .delta: response.encodedDelta()
        }
    }

    /// - Returns: about how many bytes nobody needs to remember any more.
    func end() -> Int {
        let (watch, node, charge) = self.state.withLock { state in
            defer { state.count = NameCount() }
            return (state.watch.take(), state.node.take(), state.count.charge)
        }
        if let watch { self.server.cache.cancel(watch) }
        self.connection.remove(nameBytes: charge)
        node?.remove(nameBytes: charge)
        return charge
    }
}

extension RPCError {
    init(_ violation: StreamStateMachine.Violation) {
        switch violation {
        case .invalidArgument(let message): self.init(code: .invalidArgument, message: message)
        case .resourceExhausted(let message): self.init(code: .resourceExhausted, message: message)
        }
    }

    static let malformedRequest = RPCError(code: .invalidArgument, message: "the message is not a discovery request")
    static let nodeMissing = RPCError(
        code: .invalidArgument,
        message: "the first request of a stream must have a node.id"
    )
}
