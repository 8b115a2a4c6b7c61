// SPDX-License-Identifier: Apache-2.0

/// One discovery stream, without I/O: requests and snapshots go in, actions come out.
///
/// It serves both variants of the protocol and both kinds of stream (aggregated, and of one type). Per type it holds a
/// `TypeState`; across types it keeps the push order. At most one response of a type is un-ACKed, and while one is, newer
/// snapshots replace older ones: a slow client gets the newest state and never a backlog. What it asks for meanwhile is
/// answered when it answers, or a little later.
///
/// Wrong calls: a request for another variant is *our bug* (it cannot be expressed by the services); a request that breaks
/// the protocol is an action (`close`); a stale nonce is legitimately ignored.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol
package struct StreamStateMachine: Sendable {
    package let variant: Variant
    private let limits: Limits
    var states = TypeTable<TypeState>()
    private var names = 0
    var snapshot: Snapshot?
    var nonces: Nonces
    /// Clusters that were sent and whose endpoints the client has not acknowledged since (rule 2).
    var awaitedEndpoints: Set<ResourceName> = []
    var deadlines = Deadlines()
    var endpointsDeadlineGiven: Int?
    private var heartbeat = Heartbeat()
    var waitsForOrder = false
    /// What the last request was, for metrics.
    package private(set) var lastRequestKind = RequestKind.subscribe
    /// How many names the response had that the last request ACKed.
    package private(set) var lastAcknowledged = 0

    /// - Parameter nonceKey: to be chosen at random where the client is not trusted.
    package init(variant: Variant, limits: Limits = Limits(), nonceKey: UInt64 = 0) {
        self.variant = variant
        self.limits = limits
        self.nonces = Nonces(key: nonceKey)
    }

    /// Whether it was asked for the type before.
    package func hasSubscription(to type: TypeURL) -> Bool { self.states.contains(type) }

    /// Of all names that the stream subscribes to; and of what the client says that it holds, if that is not what it should.
    package var nameMemory: (subscribed: NameMemory, claimed: NameMemory) {
        var subscribed = NameMemory()
        var claimed = NameMemory()
        for state in self.states.values {
            for name in state.subscription.names { subscribed.add(name) }
            for (name, held) in state.held.exceptions where held != nil && !state.subscription.names.contains(name) {
                claimed.add(name)
            }
        }
        return (subscribed, claimed)
    }

    // MARK: Inputs

    package mutating func received(_ request: SotWRequest) -> [Action] {
        if let tooLong = self.refusal(of: request.resourceNames ?? []) { return tooLong }
        return self.received(request.type, nonce: request.responseNonce, error: request.errorDetail) {
            state,
            isFirst,
            snapshot in
            state.received(request, isFirst: isFirst, snapshot: snapshot)
        }
    }

    package mutating func received(_ request: DeltaRequest) -> [Action] {
        if let tooLong = self.refusal(of: request.subscribe) ?? self.refusal(of: request.initialResourceVersions.keys) {
            return tooLong
        }
        return self.received(request.type, nonce: request.responseNonce, error: request.errorDetail) {
            state,
            isFirst,
            snapshot in
            state.received(request, isFirst: isFirst, snapshot: snapshot)
        }
    }

    private func refusal(of names: some Sequence<ResourceName>) -> [Action]? {
        guard names.contains(where: { $0.rawValue.utf8.count > self.limits.nameBytes }) else { return nil }
        return [.close(.resourceExhausted("a name of more than \(self.limits.nameBytes) bytes"))]
    }

    private mutating func received(
        _ type: TypeURL,
        nonce: Nonce,
        error: String?,
        subscription: (inout TypeState, _ isFirst: Bool, Snapshot?) -> Void
    ) -> [Action] {
        let isFirst = !self.states.contains(type)
        guard !isFirst || self.states.count < self.limits.types else {
            return [.close(.resourceExhausted("more than \(self.limits.types) resource types on one stream"))]
        }
        var actions = self.answered(type, nonce: nonce, error: error, isFirst: isFirst)
        if isFirst { self.states.insert(TypeState(type: type), for: type) }
        self.states.update(type) { state in
            subscription(&state, isFirst, self.snapshot)
            // Between requests, names are implied and dropped.
            self.names += state.subscription.names.count - state.namesCounted
            state.namesCounted = state.subscription.names.count
        }
        if self.names > self.limits.subscriptions {
            return [.close(.resourceExhausted("more than \(self.limits.subscriptions) names on one stream"))]
        }
        self.pump(&actions)
        self.boundTheWait(for: type, &actions)
        return actions
    }

    /// A client that asks for more before it answers is not to wait for ever.
    private mutating func boundTheWait(for type: TypeURL, _ actions: inout [Action]) {
        let nonce = self.states.update(type) { state -> Nonce? in
            guard state.waitsForAnswer, state.inFlight?.isAskedBeside == false else { return nil }
            state.inFlight?.isAskedBeside = true
            return state.inFlight?.nonce
        }
        guard let nonce = nonce ?? nil else { return }
        _ = self.deadlines.wake(for: .answer(type, nonce), after: Self.answerDeadline, &actions)
    }

    /// - Parameter changes: what differs from the snapshot before; nil if that is unknown.
    package mutating func snapshotChanged(_ snapshot: Snapshot, changes: ChangeSet?) -> [Action] {
        if let current = self.snapshot, snapshot.generation < current.generation { return [] }
        let known = self.snapshot == nil ? nil : changes
        self.snapshot = snapshot
        var actions: [Action] = []
        if let known {
            for (type, names) in known.names { self.states.update(type) { $0.move(to: snapshot, changed: names) } }
            self.awaitRouteConfigurations(known, &actions)
        } else {
            self.states.updateAll { $0.move(to: snapshot, changed: nil) }
        }
        self.pump(&actions)
        return actions
    }

    package mutating func deadlinePassed(_ number: Int) -> [Action] {
        var actions: [Action] = []
        switch self.deadlines.take(number) {
        case .endpoints:
            // The client did not ask for the endpoints that a push waits for.
            guard number == self.endpointsDeadlineGiven, !self.awaitedEndpoints.isEmpty else { return [] }
            self.awaitedEndpoints = []
        case .order(let nonces):
            self.waitsForOrder = false
            for (type, nonce) in nonces {
                self.states.update(type) { if $0.inFlight?.nonce == nonce { $0.isOverdue = true } }
            }
        case .answer(let type, let nonce):
            self.states.update(type) { if $0.waitsForAnswer { $0.giveUpFlight(nonce) } }
        case .refusedRemovals(let type, let batch):
            self.states.update(type) { $0.refusedRemovals.outwait(batch) }
        case .heartbeat:
            guard self.heartbeat.take(number), let snapshot = self.snapshot else { return [] }
            var times: [Duration] = []
            self.states.updateAll { state in
                let expiring = state.perishable(in: snapshot[state.type])
                state.owesHeartbeat = !expiring.isEmpty
                times += expiring.compactMap(\.timeToLive)
            }
            self.heartbeat.schedule(times, &self.deadlines, &actions)
        case .virtualHosts(let routeConfigurations):
            self.states.update(.virtualHost) { $0.resend(of: routeConfigurations) }
        case nil: return []
        }
        self.pump(&actions)
        return actions
    }

    /// On a stream of its own, virtual hosts cannot see when their route configuration was accepted: they are sent again a
    /// while after it changed.
    private mutating func awaitRouteConfigurations(_ changes: ChangeSet, _ actions: inout [Action]) {
        guard self.states.contains(.virtualHost), !self.states.contains(.routeConfiguration),
            let names = changes.names[.routeConfiguration]
        else { return }
        _ = self.deadlines.wake(for: .virtualHosts(names), after: Self.routeConfigurationDelay, &actions)
    }

    // MARK: Requests

    /// Takes the ACK or NACK that a request may be.
    private mutating func answered(_ type: TypeURL, nonce: Nonce, error: String?, isFirst: Bool) -> [Action] {
        self.lastAcknowledged = 0
        // Rule 7: a stale nonce answers nothing; the subscription in the request counts all the same.
        let inFlight = isFirst ? nil : self.states.update(type) { $0.inFlight } ?? nil
        guard let flight = inFlight, flight.nonce == nonce else {
            // Once ACKed, a nonce comes again with every change of a state-of-the-world subscription.
            let isOld = inFlight != nil && !nonce.rawValue.isEmpty
            self.lastRequestKind = isOld ? .stale : .subscribe
            return []
        }
        // Rule 6: a NACK is `error_detail` present, nothing else.
        self.lastRequestKind = error == nil ? .ack : .nack
        guard let error else {
            let hasExpiring = self.states.update(type) { state in
                state.acknowledge(self.snapshot)
                return !state.expiring.isEmpty
            }
            self.lastAcknowledged = flight.content.upserts.count + flight.content.removals.count
            var actions: [Action] = []
            if hasExpiring == true {
                let held = flight.content.upserts + flight.content.heartbeats
                self.heartbeat.schedule(held.compactMap(\.timeToLive), &self.deadlines, &actions)
            }
            if type == .endpoints, !self.awaitedEndpoints.isEmpty {
                self.awaitedEndpoints.subtract(flight.content.upserts.map(\.name))
            }
            return actions
        }
        let verdict = self.states.update(type) { state in
            let before = state.suspects.untried
            let blamed = state.reject(message: error, self.snapshot)
            let untried = state.suspects.untried.keys.filter { before[$0] == nil }.sorted()
            let repeated = state.owed.filter { self.snapshot?[type, $0].map(state.canRepeat) ?? false }
            return (blamed: blamed, untried: untried, repeated: repeated)
        }
        let (blamed, untried, repeated) = verdict ?? ([], [], [])
        // Do not wait for the endpoints of a cluster that was refused, nor for endpoints that were.
        if type == .cluster || type == .endpoints {
            self.awaitedEndpoints.subtract(flight.content.upserts.lazy.map(\.name).filter { !repeated.contains($0) })
        }
        var actions: [Action] = [
            .report(Rejection(type: type, nonce: nonce, resources: blamed, untried: untried, message: error))
        ]
        if PushOrder.referring.contains(type),
            let batch = self.states.update(type, { $0.refusedRemovals.takeNewBatch() }) ?? nil
        {
            _ = self.deadlines.wake(
                for: .refusedRemovals(type, batch: batch),
                after: Self.refusedRemovalDeadline,
                &actions
            )
        }
        return actions
    }
}

extension StreamStateMachine {
    /// What every type of the stream wants, holds, has in flight and refused: for people.
    package var status: [TypeStatus] {
        self.states.values.map { TypeStatus($0, snapshot: self.snapshot) }.sorted {
            $0.type.rawValue < $1.type.rawValue
        }
    }
}
