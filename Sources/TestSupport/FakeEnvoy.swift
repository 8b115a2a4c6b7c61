// SPDX-License-Identifier: Apache-2.0

package import XDSProtocol

/// A proxy's side of one stream, naive on purpose: it keeps the real client's state and speaks to a machine directly, so
/// that a test is a conversation and ends with what the proxy holds.
package struct FakeEnvoy {
    package private(set) var machine: StreamStateMachine
    /// Sent by the machine and neither ACKed nor NACKed yet, oldest first.
    package private(set) var unanswered: [Response] = []
    /// Versions by type and name: what a proxy would work with.
    package private(set) var holds: [TypeURL: [ResourceName: ResourceVersion]] = [:]
    package private(set) var rejections: [Rejection] = []
    package private(set) var deadlines: [Int] = []
    /// By deadline, also of those that passed.
    package private(set) var durations: [Int: Duration] = [:]
    package private(set) var violation: StreamStateMachine.Violation?
    private var names: [TypeURL: Set<ResourceName>] = [:]
    private var versionInfo: [TypeURL: String] = [:]
    private var nonces: [TypeURL: Nonce] = [:]
    private var asked: Set<TypeURL> = []

    package init(_ variant: StreamStateMachine.Variant, snapshot: Snapshot? = nil) {
        self.machine = StreamStateMachine(variant: variant)
        if let snapshot { self.publish(snapshot) }
    }

    // MARK: The server's side

    package mutating func publish(_ snapshot: Snapshot, changes: ChangeSet? = nil) {
        self.perform(self.machine.snapshotChanged(snapshot, changes: changes))
    }

    /// The first so many; nil: all.
    package mutating func passDeadlines(_ count: Int? = nil) {
        let passed = self.deadlines.prefix(count ?? self.deadlines.count)
        self.deadlines.removeFirst(passed.count)
        for deadline in passed { self.perform(self.machine.deadlinePassed(deadline)) }
    }

    // MARK: The proxy's side

    /// Asks for names of a type; none means everything in the first request of a root type.
    package mutating func subscribe(_ type: TypeURL, _ names: ResourceName...) {
        self.change(type, adding: names, removing: [])
    }

    package mutating func unsubscribe(_ type: TypeURL, _ names: ResourceName...) {
        self.change(type, adding: [], removing: names)
    }

    package mutating func change(_ type: TypeURL, adding: [ResourceName], removing: [ResourceName]) {
        self.names[type, default: []].formUnion(adding)
        self.names[type, default: []].subtract(removing)
        let isFirst = self.asked.insert(type).inserted
        // The client's memory of what it holds follows its subscription.
        let subscribed = self.names[type] ?? []
        let isWildcard = subscribed.contains(.wildcard) || (type.hasLegacyWildcard && subscribed.isEmpty)
        switch self.machine.variant {
        case .sotw:
            if !isWildcard { self.holds[type] = self.holds[type]?.filter { subscribed.contains($0.key) } }
            self.send(sotw: type)
        case .delta:
            for name in removing { self.holds[type]?[name] = nil }
            if removing.contains(.wildcard) {
                self.holds[type] = self.holds[type]?.filter { subscribed.contains($0.key) }
            }
            self.perform(
                self.machine.received(
                    DeltaRequest(
                        type: type,
                        subscribe: adding,
                        unsubscribe: removing,
                        initialResourceVersions: isFirst ? (self.holds[type] ?? [:]).mapValues(\.description) : [:]
                    )
                )
            )
        }
    }

    /// The oldest unanswered response of a type; nil and nothing removed if there is none.
    package func response(_ type: TypeURL) -> Response? {
        self.unanswered.first { $0.type == type }
    }

    /// Accepts the oldest unanswered response of a type.
    /// - Parameter taking: the resources of it that the proxy still asks for; it passes over the others.
    @discardableResult
    package mutating func ack(_ type: TypeURL, taking: (Resource) -> Bool = { _ in true }) -> Response? {
        guard let response = self.takeResponse(type) else { return nil }
        switch self.machine.variant {
        case .sotw:
            if type.isRoot { self.holds[type] = [:] }
        case .delta:
            for name in response.removals { self.holds[type]?[name] = nil }
        }
        for resource in response.resources where taking(resource) {
            self.holds[type, default: [:]][resource.name] = resource.version
        }
        self.nonces[type] = response.nonce
        self.versionInfo[type] = response.versionInfo
        self.answer(response, error: nil)
        return response
    }

    /// As `ack`, and an error if there is nothing to accept.
    package mutating func acked(_ type: TypeURL) throws -> Response {
        guard let response = self.ack(type) else { throw NothingToAnswer(type: type) }
        return response
    }

    package struct NothingToAnswer: Error {
        package var type: TypeURL
    }

    /// Refuses the oldest unanswered response of a type.
    /// - Parameter keeping: the resources of it that the proxy takes all the same, as Envoy does of clusters and
    ///   listeners; nil if it takes nothing.
    @discardableResult
    package mutating func nack(
        _ type: TypeURL,
        _ message: String,
        keeping: ((Resource) -> Bool)? = nil
    ) -> Response? {
        guard let response = self.takeResponse(type) else { return nil }
        if let keeping {
            if self.machine.variant == .sotw, type.isRoot {
                let listed = Set(response.resources.map(\.name))
                self.holds[type] = self.holds[type]?.filter { listed.contains($0.key) }
            }
            for resource in response.resources where keeping(resource) {
                self.holds[type, default: [:]][resource.name] = resource.version
            }
            for name in response.removals { self.holds[type]?[name] = nil }
        }
        self.nonces[type] = response.nonce
        self.answer(response, error: message)
        return response
    }

    /// Answers with a nonce that is not the newest.
    package mutating func answerStale(_ type: TypeURL, nonce: Nonce, error: String? = nil) {
        switch self.machine.variant {
        case .sotw:
            self.send(sotw: type, nonce: nonce, error: error)
        case .delta:
            self.perform(
                self.machine.received(DeltaRequest(type: type, responseNonce: nonce, errorDetail: error))
            )
        }
    }

    /// Answers everything, until nothing more comes. A response with a resource that `isBad` is refused.
    package mutating func settle(
        isBad: (Resource) -> Bool = { _ in false },
        message: (Resource) -> String = { "bad \($0.name)" }
    ) {
        while let response = self.unanswered.first {
            if let culprit = response.resources.first(where: isBad) {
                self.nack(response.type, message(culprit))
            } else {
                self.ack(response.type)
            }
        }
    }

    /// A new stream to a server that knows nothing; the proxy keeps what it holds and asks for it again.
    package mutating func reconnect(to snapshot: Snapshot?) {
        self.machine = StreamStateMachine(variant: self.machine.variant)
        self.unanswered = []
        self.deadlines = []
        self.nonces = [:]
        let types = self.asked
        self.asked = []
        if let snapshot { self.publish(snapshot) }
        for type in PushOrder.steps.compactMap({ if case .upserts(let type) = $0 { type } else { nil } })
        where types.contains(type) {
            self.change(type, adding: Array(self.names[type] ?? []), removing: [])
        }
    }

    // MARK: Plumbing

    private mutating func takeResponse(_ type: TypeURL) -> Response? {
        guard let index = self.unanswered.firstIndex(where: { $0.type == type }) else { return nil }
        return self.unanswered.remove(at: index)
    }

    private mutating func answer(_ response: Response, error: String?) {
        switch self.machine.variant {
        case .sotw:
            self.send(sotw: response.type, nonce: response.nonce, error: error)
        case .delta:
            self.perform(
                self.machine.received(
                    DeltaRequest(type: response.type, responseNonce: response.nonce, errorDetail: error)
                )
            )
        }
    }

    private mutating func send(sotw type: TypeURL, nonce: Nonce? = nil, error: String? = nil) {
        self.perform(
            self.machine.received(
                SotWRequest(
                    type: type,
                    resourceNames: Array(self.names[type] ?? []),
                    versionInfo: self.versionInfo[type] ?? "",
                    responseNonce: nonce ?? self.nonces[type] ?? "",
                    errorDetail: error
                )
            )
        )
    }

    private mutating func perform(_ actions: [StreamStateMachine.Action]) {
        for action in actions {
            switch action {
            case .respond(let response): self.unanswered.append(response)
            case .report(let rejection): self.rejections.append(rejection)
            case .wake(let number, let duration):
                self.deadlines.append(number)
                self.durations[number] = duration
            case .close(let violation): self.violation = violation
            }
        }
    }
}
