// SPDX-License-Identifier: Apache-2.0

/// What is sent, and when: see `PushOrder`.
extension StreamStateMachine {
    /// Sends what may go now, in the push order.
    mutating func pump(_ actions: inout [Action]) {
        guard let snapshot = self.snapshot else { return }
        var (isBlocked, mayRemove) = (false, true)
        for step in PushOrder.steps {
            let type = step.type
            guard self.states.contains(type) else { continue }
            let pushes = step.isRemoval ? !isBlocked && mayRemove && self.mayRemove() : !isBlocked
            self.advance(type, step, snapshot, pushes: pushes, into: &actions)
            let isWaiting = type == .endpoints && !self.awaitedEndpoints.isEmpty
            let outlook = self.states.update(type) { (isBusy: $0.isBusy, isOverdue: $0.isOverdue) }
            guard let outlook, outlook.isBusy || isWaiting else { continue }
            mayRemove = false
            if !outlook.isOverdue || isWaiting { isBlocked = true }
        }
        if isBlocked { self.scheduleOrder(&actions) }
        for type in self.states.otherTypes {
            self.advance(type, .upserts(type), snapshot, pushes: true, into: &actions)
            self.advance(type, .removals(type), snapshot, pushes: true, into: &actions)
        }
    }

    /// A client that does not answer one type is not to lose the changes of all others.
    private mutating func scheduleOrder(_ actions: inout [Action]) {
        guard !self.waitsForOrder, self.states.values.contains(where: { $0.inFlight == nil && $0.hasWork }) else {
            return
        }
        var nonces: [TypeURL: Nonce] = [:]
        for state in self.states.values where !state.isOverdue { nonces[state.type] = state.inFlight?.nonce }
        guard !nonces.isEmpty else { return }
        self.waitsForOrder = true
        _ = self.deadlines.wake(for: .order(nonces), after: Self.orderDeadline, &actions)
    }

    /// While a proxy works with an older listener or route than ours, what that may refer to stays.
    private mutating func mayRemove() -> Bool {
        PushOrder.referring.allSatisfy { type in
            self.states.update(type) { $0.suspects.mayHavePredecessors || $0.refusedRemovals.holdBack } != true
        }
    }

    private mutating func advance(
        _ type: TypeURL,
        _ step: PushOrder.Step,
        _ snapshot: Snapshot,
        pushes: Bool,
        into actions: inout [Action]
    ) {
        let variant = self.variant
        var hasNoStandIns = false
        let news = self.states.update(type) { state -> TypeState.Next? in
            guard state.mayRespond else { return nil }
            hasNoStandIns = state.hasNoStandIns
            switch variant {
            case .delta: return state.nextDelta(step, snapshot: snapshot, pushes: pushes)
            case .sotw: return state.nextSotW(step, snapshot: snapshot, pushes: pushes)
            }
        }
        guard let next = news ?? nil else { return }
        let nonce = self.nonces.next()
        if type == .cluster { self.expectEndpoints(of: next.upserts, snapshot, &actions) }
        if type == .routeConfiguration, self.states.contains(.virtualHost) {
            let held = self.states[type]?.held
            let changed = next.upserts.filter { held?.version($0.name) != $0.version }
            self.states.update(.virtualHost) { $0.resend(of: changed.map(\.name)) }
        }
        var versionInfo = ""
        self.states.update(type) { state in
            switch variant {
            case .delta: versionInfo = String(snapshot.generation)
            case .sotw: versionInfo = state.versionInfo(after: next)
            }
            state.inFlight = TypeState.InFlight(nonce: nonce, content: next)
            state.inFlight?.generation = hasNoStandIns ? snapshot.generation : nil
            state.isOverdue = false
            state.responsesSent += 1
            state.resourcesSent += next.upserts.count
        }
        actions.append(.respond(Response(type: type, nonce: nonce, versionInfo: versionInfo, next)))
    }

    /// Rule 2: Envoy warms a cluster that was updated and waits for its endpoints, also if they are what it has.
    private mutating func expectEndpoints(of clusters: [Resource], _ snapshot: Snapshot, _ actions: inout [Action]) {
        guard self.states.contains(.endpoints), let held = self.states[.cluster]?.held else { return }
        let wasAwaiting = !self.awaitedEndpoints.isEmpty
        for cluster in clusters where held.version(cluster.name) != cluster.version {
            guard let endpoints = snapshot[.endpoints, cluster.name] else { continue }
            let isAwaited = self.states.update(.endpoints) { state in
                // One that is to ask for them will.
                guard state.subscription.contains(cluster.name) else { return true }
                guard state.canRepeat(endpoints) else { return false }
                state.promise(cluster.name)
                return true
            }
            if isAwaited == true { self.awaitedEndpoints.insert(cluster.name) }
        }
        // Counted from the first of them: a stream of updates must not put the deadline off for ever.
        if !wasAwaiting, !self.awaitedEndpoints.isEmpty {
            self.endpointsDeadlineGiven = self.deadlines.wake(for: .endpoints, after: Self.endpointsDeadline, &actions)
        }
    }
}
