// SPDX-License-Identifier: Apache-2.0

/// Waits for changes of many services, where the agent speaks HTTP/2: each has a question of its own that waits for its
/// index, and some hundred of them share a connection. Nothing has to be searched for then.
///
/// A group is a connection. A service has a home in one of them from its first reading until it is gone.
struct ConsulMultiplex: Sendable {
    /// Shorter than what proxies give a request: Envoy 300 s.
    static let wait = Duration.seconds(240)
    /// Before an agent that has no HTTP/2 is asked again whether it has.
    private static let reopening = Duration.seconds(300)

    /// Connections, at most.
    private let limit: Int
    /// How many questions one of them takes; 0: not known yet.
    private var capacity = 0
    private var groups: [ConsulMultiplexGroup] = []
    private var homes: [String: Int] = [:]
    /// Read, and without a home: there is no room.
    private var homeless: [String: UInt64] = [:]
    private var requests: [ConsulRequestID: Int] = [:]

    init(limit: Int) {
        self.limit = limit
    }

    /// Connections that are open, or are being opened.
    var connections: Int { self.groups.count { $0.state != .closed } }
    /// Connections that it may come to have.
    var wanted: Int { self.groups.count }
    var inFlight: Int { self.requests.count }

    func isAtHome(_ name: String) -> Bool { self.homes[name] != nil }

    /// Whether changes of it show by themselves.
    func isWatching(_ name: String) -> Bool { self.homes[name].map { self.groups[$0].isWatching(name) } ?? false }

    /// Of how many services that is so.
    var watched: Int { self.groups.reduce(0) { $0 + $1.watched } }

    // MARK: What is to be watched

    /// It was read.
    mutating func learned(_ name: String, index: UInt64) {
        guard self.limit > 0 else { return }
        guard let home = self.homes[name] ?? self.room else {
            self.homeless[name] = index
            return
        }
        self.homes[name] = home
        self.groups[home].learned(name, index: index)
    }

    mutating func forget(_ name: String) {
        self.homeless[name] = nil
        guard let home = self.homes.removeValue(forKey: name) else { return }
        self.groups[home].forget(name)
    }

    /// A group that takes one more.
    private var room: Int? { self.groups.firstIndex { $0.indexes.count < self.capacity } }

    /// Whoever has no home gets one. The first group tells how many there must be.
    private mutating func settle() {
        guard !self.homeless.isEmpty else { return }
        if self.groups.isEmpty { self.groups.append(ConsulMultiplexGroup()) }
        guard self.capacity > 0 else { return }
        for (name, index) in self.homeless {
            if self.room == nil, self.groups.count < self.limit { self.groups.append(ConsulMultiplexGroup()) }
            guard self.room != nil else { return }
            self.homeless[name] = nil
            self.learned(name, index: index)
        }
    }

    /// Where a connection takes fewer than others did, those that are too many move.
    private mutating func take(_ capacity: Int) {
        // Some may have to wait for those that nobody wants to know any more.
        let usable = capacity - capacity / 32
        guard self.capacity == 0 || usable < self.capacity else { return }
        self.capacity = usable
        for place in self.groups.indices {
            for (name, index) in self.groups[place].indexes.dropFirst(usable) {
                self.forget(name)
                if let index { self.homeless[name] = index }
            }
        }
    }

    // MARK: Asking

    /// - Parameter room: how many connections it may have now.
    mutating func ask(room: Int, in datacenter: String?, _ effects: inout ConsulEffects) {
        self.settle()
        for place in self.groups.indices where self.groups[place].isDue(at: effects.now) {
            guard effects.mayAsk else { return }
            let isOpen = self.groups[place].state == .open
            guard isOpen || self.connections < room else { continue }
            let subject: ConsulQuery.Subject =
                isOpen
                ? .indexes(self.groups[place].takeQuestions(at: effects.now), group: place) : .capacity(group: place)
            let request = effects.send(ConsulQuery(subject, datacenter: datacenter, wait: Self.wait))
            self.requests[request] = place
            if isOpen {
                self.groups[place].asks(with: request)
            } else {
                self.groups[place].opens(with: request, at: effects.now)
            }
        }
    }

    /// When there is something to ask; nil: not before an answer.
    ///
    /// - Parameter room: how many connections it may have.
    func due(room: Int) -> Duration? {
        let isFull = self.connections >= room
        return self.groups.lazy.filter { !isFull || $0.state != .closed }.compactMap(\.due).min()
    }

    // MARK: Answers

    /// - Parameter capacity: how many questions the connection takes.
    mutating func opened(_ request: ConsulRequestID, capacity: Int, _ effects: inout ConsulEffects) {
        guard let place = self.requests.removeValue(forKey: request) else { return }
        guard capacity > 0 else {
            self.leave(&effects)
            self.groups = [ConsulMultiplexGroup()]
            self.groups[0].close(until: effects.now + Self.reopening)
            return
        }
        self.take(capacity)
        self.groups[place].opened(at: effects.now)
    }

    /// Nobody is watched here any more. Those who would be may be again.
    mutating func leave(_ effects: inout ConsulEffects) {
        guard !self.groups.isEmpty else { return }
        self.renew(isForgetting: false, &effects)
        for group in self.groups { self.homeless.merge(group.known) { $1 } }
        self.homes = [:]
        self.groups = []
    }

    /// Returns the services that are to be read.
    ///
    /// - Parameter known: the index that is known of a service.
    mutating func answered(
        _ request: ConsulRequestID,
        _ answers: [String: UInt64?],
        known: (String) -> UInt64?,
        _ effects: inout ConsulEffects
    ) -> [String] {
        guard let place = self.requests.removeValue(forKey: request) else { return [] }
        return self.groups[place].answered(request, answers, known: known, &effects)
    }

    /// Returns whether it was a request of this.
    mutating func failed(_ request: ConsulRequestID, _ effects: inout ConsulEffects) -> Bool {
        guard let place = self.requests.removeValue(forKey: request) else { return false }
        if self.groups[place].request == request { self.groups[place].failed(&effects) }
        return true
    }

    /// After a failure, none need wait any longer.
    mutating func retry(at now: Duration) {
        for place in self.groups.indices { self.groups[place].retry(at: now) }
    }

    /// All connections are made anew: they may be dead, or be those of another token.
    ///
    /// - Parameter isForgetting: whether the indexes mean nothing any more.
    mutating func renew(isForgetting: Bool, _ effects: inout ConsulEffects) {
        for request in self.requests.keys { _ = effects.cancel(request) }
        self.requests = [:]
        self.capacity = 0
        for place in self.groups.indices {
            self.groups[place].close(until: effects.now)
            if isForgetting { self.groups[place].forgetIndexes() }
        }
        if isForgetting { self.homeless = [:] }
    }
}
