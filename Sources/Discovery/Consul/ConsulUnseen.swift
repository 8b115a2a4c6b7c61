// SPDX-License-Identifier: Apache-2.0

import Catalog
import DequeModule

/// Instances that are known and missing in a reading, where Consul says that it left out what the token may not read, and
/// not what that is. They are kept, and each node that had one is asked for by its own name: whether it is there and may not
/// be read. If so, they are hidden. If not, the service is read once more, and what is missing then is gone.
///
/// A right may come back between a reading and the answer about a node, or be lost. So an answer counts for what was missing
/// when it was asked for, and for a reading that begins after it.
struct ConsulUnseen: Sendable {
    /// How many nodes are asked for again at a time: as long as none of them may be read, the others may not, either.
    private static let tries = 8
    private static let interval = Duration.seconds(10)
    /// How old an answer may be when the reading begins that it counts for.
    private static let validity = Duration.seconds(10)

    private enum Work: Sendable {
        case waiting
        case asked
        /// The same, and something of it was missed after that.
        case askedTooEarly
        case postponed
    }

    private struct Cleared: Sendable {
        var instances: Set<InstanceID> = []
        var since: Duration
    }

    /// What an answer is, and for which services.
    enum Finding: Hashable, Sendable {
        case nothing
        /// What the node has of them is hidden.
        case refused(Set<String>)
        /// They are to be read.
        case granted(Set<String>)
    }

    /// By service and node.
    private var kept: [String: [String: Set<InstanceID>]] = [:]
    /// The services that something is kept of, by node.
    private var places: [String: Set<String>] = [:]
    /// Services of which nothing can be read: no node's word would tell whether it is the nodes that may not be read.
    private var dark: Set<String> = []
    private var nodes: [String: Work] = [:]
    private var waiting = Deque<String>()
    private var asked: [ConsulRequestID: String] = [:]
    private var postponed = Deque<String>()
    /// Nodes that are there and may not be read.
    private var refused: Set<String> = []
    /// What is gone if the next reading lacks it again, by service.
    private var cleared: [String: Cleared] = [:]
    private var rounds = 0
    /// When those that were postponed are asked for.
    private(set) var due: Duration?
    /// Instances that the token may not read any more, by service.
    private(set) var hidden: [String: Set<InstanceID>] = [:]

    var inFlight: Int { self.asked.count }
    var isAnyWaiting: Bool { !self.waiting.isEmpty }

    /// All that is kept of a service.
    func kept(of service: String) -> Set<InstanceID> {
        self.kept[service]?.values.reduce(into: []) { $0.formUnion($1) } ?? []
    }

    // MARK: Readings

    /// A reading of the service begins. Returns what is gone if it lacks it.
    mutating func takeCleared(_ service: String, at now: Duration) -> Set<InstanceID> {
        guard let cleared = self.cleared.removeValue(forKey: service), now - cleared.since < Self.validity else {
            return []
        }
        return cleared.instances
    }

    /// A reading showed some of the service, and not these. Returns whether other ones are hidden.
    mutating func lacks(_ instances: [Instance], of service: String) -> Bool {
        let before = self.kept[service]
        guard before != nil || !instances.isEmpty else { return false }
        self.dark.remove(service)
        self.keep(instances, of: service)
        for (node, instances) in self.kept[service] ?? [:] {
            self.places[node, default: []].insert(service)
            let isNew = !instances.isSubset(of: before?[node] ?? [])
            if isNew || self.nodes[node] == nil { self.want(node) }
        }
        return self.isOtherHidden(service)
    }

    /// A reading showed nothing of the service. Returns whether other ones are hidden.
    mutating func lacksAll(_ instances: [Instance], of service: String) -> Bool {
        self.dark.insert(service)
        self.keep(instances, of: service)
        return self.isOtherHidden(service)
    }

    /// The service is gone.
    mutating func forget(_ service: String) {
        guard self.kept[service] != nil || self.cleared[service] != nil else { return }
        self.keep([], of: service)
        self.dark.remove(service)
        self.cleared[service] = nil
        self.hidden[service] = nil
    }

    /// What is hidden is gone, by the operator's word, if he was told. Returns that.
    mutating func accept(_ service: String, _ isTold: (InstanceID) -> Bool) -> Set<InstanceID> {
        guard let accepted = self.hidden[service]?.filter(isTold), !accepted.isEmpty else { return [] }
        for (node, instances) in self.kept[service] ?? [:] {
            let rest = instances.subtracting(accepted)
            self.kept[service]?[node] = rest.isEmpty ? nil : rest
            if rest.isEmpty { self.leave(node, service) }
        }
        if self.kept[service]?.isEmpty == true {
            self.kept[service] = nil
            self.dark.remove(service)
        }
        _ = self.isOtherHidden(service)
        return accepted
    }

    private mutating func keep(_ instances: [Instance], of service: String) {
        for node in (self.kept[service] ?? [:]).keys { self.leave(node, service) }
        let kept = Dictionary(grouping: instances, by: \.node).mapValues { Set($0.map(\.id)) }
        self.kept[service] = kept.isEmpty ? nil : kept
    }

    private mutating func leave(_ node: String, _ service: String) {
        self.places[node]?.remove(service)
        if self.places[node]?.isEmpty == true { self.places[node] = nil }
    }

    private mutating func isOtherHidden(_ service: String) -> Bool {
        let isDark = self.dark.contains(service)
        let hidden = (self.kept[service] ?? [:]).filter { isDark || self.refused.contains($0.key) }
            .reduce(into: Set<InstanceID>()) { $0.formUnion($1.value) }
        defer { self.hidden[service] = hidden.isEmpty ? nil : hidden }
        return hidden != self.hidden[service] ?? []
    }

    // MARK: Nodes

    private mutating func want(_ node: String) {
        switch self.nodes[node] {
        case nil, .postponed:
            self.nodes[node] = .waiting
            self.waiting.append(node)
        case .asked: self.nodes[node] = .askedTooEarly
        case .waiting, .askedTooEarly: break
        }
    }

    /// Asks about as many as there is room for.
    mutating func ask(room: Int, in datacenter: String?, _ effects: inout ConsulEffects) {
        while self.asked.count < room, effects.mayAsk, let node = self.waiting.popFirst() {
            guard self.places[node] != nil else {
                self.nodes[node] = nil
                self.refused.remove(node)
                continue
            }
            self.nodes[node] = .asked
            self.asked[effects.send(ConsulQuery(.unreadable(node: node), datacenter: datacenter))] = node
        }
    }

    mutating func wake(at now: Duration) {
        guard let due = self.due, due <= now else { return }
        self.due = nil
        self.rounds += 1
        self.retry(Self.tries)
        if self.postponed.isEmpty { self.rounds = 0 } else { self.due = now + Self.interval }
    }

    /// Returns nil if the request was none of these.
    mutating func answered(_ request: ConsulRequestID, isThere: Bool, _ effects: inout ConsulEffects) -> Finding? {
        guard let node = self.asked.removeValue(forKey: request) else { return nil }
        if isThere { return self.isRefused(node, at: effects.now) }
        if self.nodes[node] == .askedTooEarly {
            self.nodes[node] = .waiting
            self.waiting.append(node)
            return .nothing
        }
        self.nodes[node] = nil
        if self.refused.remove(node) != nil { self.retry(.max) }
        let services = self.places[node] ?? []
        for service in services {
            let instances = self.kept[service]?[node] ?? []
            self.cleared[service, default: Cleared(since: effects.now)].instances.formUnion(instances)
        }
        return .granted(services)
    }

    /// Returns nil if the request was none of these.
    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, _ effects: inout ConsulEffects)
        -> Finding?
    {
        guard let node = self.asked.removeValue(forKey: request) else { return nil }
        if failure.isOfSubject { return self.isRefused(node, at: effects.now) }
        self.nodes[node] = .postponed
        self.postponed.prepend(node)
        if self.due == nil { self.due = effects.now + effects.backOff(after: self.rounds + 1, to: Self.interval) }
        return .nothing
    }

    private mutating func isRefused(_ node: String, at now: Duration) -> Finding {
        self.nodes[node] = .postponed
        self.postponed.append(node)
        if self.due == nil { self.due = now + Self.interval }
        self.refused.insert(node)
        let services = (self.places[node] ?? []).filter { self.isOtherHidden($0) }
        return services.isEmpty ? .nothing : .refused(services)
    }

    private mutating func retry(_ count: Int) {
        var left = count
        while left > 0, let node = self.postponed.popFirst() {
            guard self.nodes[node] == .postponed else { continue }
            left -= 1
            self.want(node)
        }
    }

    /// What was asked is asked again, perhaps with another token.
    mutating func renew(_ effects: inout ConsulEffects) {
        for (request, node) in self.asked {
            _ = effects.cancel(request)
            self.nodes[node] = .waiting
            self.waiting.append(node)
        }
        self.asked = [:]
        self.cleared = [:]
        if self.due != nil { self.due = effects.now }
    }
}
