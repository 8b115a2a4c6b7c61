// SPDX-License-Identifier: Apache-2.0

/// One discovery stream, without I/O: requests and snapshots go in, actions come out.
///
/// It serves both variants of the protocol and both kinds of stream (aggregated, and of one type). Per type it holds a
/// `TypeState`; across types it keeps the push order. At most one response of a type is un-ACKed, and while one is, newer
/// snapshots replace older ones: a slow client gets the newest state and never a backlog.
///
/// Wrong calls: a request for another variant is *our bug* (it cannot be expressed by the services); a request that breaks
/// the protocol is an action (`close`); a stale nonce is legitimately ignored.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol
package struct StreamStateMachine: Sendable {
    package enum Variant: String, Hashable, Sendable {
        /// State of the world.
        case sotw
        case delta
    }

    package enum Action: Equatable, Sendable {
        /// Send it.
        case respond(Response)
        /// Tell the operator.
        case report(Rejection)
        /// Call `deadlinePassed(_:)` with this number after the duration.
        case wake(Int, after: Duration)
        /// End the stream with this status; nothing follows.
        case close(Violation)
    }

    /// What ends a stream: the client broke the protocol or asked for too much.
    package enum Violation: Equatable, Sendable {
        case invalidArgument(String)
        case resourceExhausted(String)
    }

    package enum RequestKind: String, Sendable, CaseIterable {
        /// It answers no response.
        case subscribe
        case ack
        case nack
        /// It answers a response that is not the newest of its type.
        case stale
    }

    package struct Limits: Sendable {
        package var types = 32
        /// Names over all types.
        package var subscriptions = 200_000

        package init() {}
    }

    /// How long a push waits for a client to ask for the endpoints of a cluster that it was sent.
    static let endpointsDeadline = Duration.seconds(5)

    package let variant: Variant
    private let limits: Limits
    private var states: [TypeURL: TypeState] = [:]
    private var snapshot: Snapshot?
    private var nonces = 0
    /// Clusters that were sent and whose endpoints the client has not acknowledged since (rule 2).
    private var awaitedEndpoints: Set<ResourceName> = []
    private var deadlines = 0
    /// What the last request was, for metrics.
    package private(set) var lastRequestKind = RequestKind.subscribe

    package init(variant: Variant, limits: Limits = Limits()) {
        self.variant = variant
        self.limits = limits
    }

    // MARK: Inputs

    package mutating func received(_ request: SotWRequest) -> [Action] {
        self.received(request.type, nonce: request.responseNonce, error: request.errorDetail) {
            state,
            isFirst,
            snapshot in
            state.received(request, isFirst: isFirst, snapshot: snapshot)
        }
    }

    package mutating func received(_ request: DeltaRequest) -> [Action] {
        self.received(request.type, nonce: request.responseNonce, error: request.errorDetail) {
            state,
            isFirst,
            snapshot in
            state.received(request, isFirst: isFirst, snapshot: snapshot)
        }
    }

    private mutating func received(
        _ type: TypeURL,
        nonce: Nonce,
        error: String?,
        subscription: (inout TypeState, _ isFirst: Bool, Snapshot?) -> Void
    ) -> [Action] {
        let isFirst = self.states[type] == nil
        guard !isFirst || self.states.count < self.limits.types else {
            return [.close(.resourceExhausted("more than \(self.limits.types) resource types on one stream"))]
        }
        let actions = self.answered(type, nonce: nonce, error: error, isFirst: isFirst)
        subscription(&self.states[type, default: TypeState(type: type)], isFirst, self.snapshot)
        let names = self.states.values.reduce(0) { $0 + $1.subscription.names.count }
        if names > self.limits.subscriptions {
            return [.close(.resourceExhausted("more than \(self.limits.subscriptions) names on one stream"))]
        }
        return actions + self.pump()
    }

    /// - Parameter changes: what differs from the snapshot before; nil if that is unknown.
    package mutating func snapshotChanged(_ snapshot: Snapshot, changes: ChangeSet?) -> [Action] {
        if let current = self.snapshot, snapshot.generation < current.generation { return [] }
        let known = self.snapshot == nil ? nil : changes
        self.snapshot = snapshot
        for type in known.map({ Array($0.names.keys) }) ?? Array(self.states.keys) {
            if let names = known?.names[type] {
                self.states[type]?.mark(names)
            } else {
                self.states[type]?.markAll(in: snapshot)
            }
        }
        return self.pump()
    }

    /// The client did not ask for the endpoints that a push waits for: go on without them.
    package mutating func deadlinePassed(_ deadline: Int) -> [Action] {
        guard deadline == self.deadlines, !self.awaitedEndpoints.isEmpty else { return [] }
        self.awaitedEndpoints = []
        return self.pump()
    }

    // MARK: Requests

    /// Takes the ACK or NACK that a request may be.
    private mutating func answered(_ type: TypeURL, nonce: Nonce, error: String?, isFirst: Bool) -> [Action] {
        // Rule 7: a stale nonce answers nothing; the subscription in the request counts all the same.
        guard !isFirst, let flight = self.states[type]?.inFlight, flight.nonce == nonce else {
            // Once ACKed, a nonce comes again with every change of a state-of-the-world subscription.
            let isOld = !isFirst && self.states[type]?.inFlight != nil && !nonce.rawValue.isEmpty
            self.lastRequestKind = isOld ? .stale : .subscribe
            return []
        }
        // Rule 6: a NACK is `error_detail` present, nothing else.
        self.lastRequestKind = error == nil ? .ack : .nack
        guard let error else {
            self.states[type]?.acknowledge()
            if type == .endpoints { self.awaitedEndpoints.subtract(flight.content.upserts.map(\.name)) }
            return []
        }
        let blamed = self.states[type]?.reject(message: error) ?? []
        // Do not wait for the endpoints of a cluster that was refused, nor for endpoints that were.
        if type == .cluster || type == .endpoints { self.awaitedEndpoints.subtract(flight.content.upserts.map(\.name)) }
        return [.report(Rejection(type: type, nonce: nonce, resources: blamed, message: error))]
    }

    // MARK: Responses

    /// Sends what may go now, in the push order.
    private mutating func pump() -> [Action] {
        guard let snapshot = self.snapshot else { return [] }
        var actions: [Action] = []
        var isBlocked = false
        for step in PushOrder.steps {
            let type: TypeURL
            switch step {
            case .upserts(let stepType): type = stepType
            case .removals(let stepType): type = stepType
            }
            guard self.states[type] != nil else { continue }
            self.advance(type, step, snapshot, pushes: !isBlocked && self.mayRemove(step), into: &actions)
            let isWaiting = type == .endpoints && !self.awaitedEndpoints.isEmpty
            if self.states[type]?.isBusy == true || isWaiting { isBlocked = true }
        }
        for type in self.states.keys {
            guard case .other = type else { continue }
            self.advance(type, .upserts(type), snapshot, pushes: true, into: &actions)
            self.advance(type, .removals(type), snapshot, pushes: true, into: &actions)
        }
        return actions
    }

    /// While a proxy works with an older listener or route than ours, what that may refer to stays.
    private func mayRemove(_ step: PushOrder.Step) -> Bool {
        guard case .removals = step else { return true }
        return PushOrder.referring.allSatisfy { self.states[$0]?.suspects.isEmpty ?? true }
    }

    private mutating func advance(
        _ type: TypeURL,
        _ step: PushOrder.Step,
        _ snapshot: Snapshot,
        pushes: Bool,
        into actions: inout [Action]
    ) {
        guard var state = self.states[type], state.inFlight == nil else { return }
        defer { self.states[type] = state }
        self.states[type] = nil  // so that `state` is the only owner and is changed in place
        let next: TypeState.Next?
        switch self.variant {
        case .delta: next = state.nextDelta(step, snapshot: snapshot, pushes: pushes)
        case .sotw: next = state.nextSotW(step, snapshot: snapshot, pushes: pushes)
        }
        guard let next else { return }
        self.nonces += 1
        let flight = TypeState.InFlight(nonce: Nonce(String(self.nonces)), content: next)
        if type == .cluster {
            self.expectEndpoints(of: next.upserts, heldBefore: state.acknowledged, snapshot, &actions)
        }
        state.inFlight = flight
        state.responsesSent += 1
        state.resourcesSent += next.upserts.count
        let versionInfo: String
        switch self.variant {
        case .delta: versionInfo = String(snapshot.generation)
        case .sotw: versionInfo = state.versionInfo(after: next)
        }
        actions.append(
            .respond(
                Response(
                    type: type,
                    nonce: flight.nonce,
                    versionInfo: versionInfo,
                    resources: next.upserts,
                    removals: next.removals
                )
            )
        )
    }

    /// Rule 2: Envoy warms a cluster that was updated and waits for its endpoints, also if they are what it has.
    private mutating func expectEndpoints(
        of clusters: [Resource],
        heldBefore: [ResourceName: TypeState.Held],
        _ snapshot: Snapshot,
        _ actions: inout [Action]
    ) {
        guard self.states[.endpoints] != nil else { return }
        let wasAwaiting = !self.awaitedEndpoints.isEmpty
        for cluster in clusters where heldBefore[cluster.name]?.version != cluster.version {
            guard snapshot[.endpoints, cluster.name] != nil else { continue }
            if self.states[.endpoints]?.subscription.contains(cluster.name) == true {
                self.states[.endpoints]?.owed.insert(cluster.name)
            }
            self.awaitedEndpoints.insert(cluster.name)
        }
        // Counted from the first of them: a stream of updates must not put the deadline off for ever.
        if !wasAwaiting, !self.awaitedEndpoints.isEmpty {
            self.deadlines += 1
            actions.append(.wake(self.deadlines, after: Self.endpointsDeadline))
        }
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
