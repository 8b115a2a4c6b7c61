// SPDX-License-Identifier: Apache-2.0

import Catalog

@testable import Discovery

/// A Consul that is a value: what is registered, and the indexes that its answers carry.
struct ConsulModel {
    struct Registration: Hashable {
        var node: String
        var id: String
        var port: UInt16 = 80
        var weight = 1
        var tags: Set<String> = []
        var meta: [String: String] = [:]
        /// The status of its one check.
        var status = Instance.Health.passing
        /// Whether it goes by its ID alone as long as no other one that is seen has it. Else always by its node's name, too.
        var isPlain = false
    }

    /// What the token may.
    enum Rights {
        case all
        /// Everything is answered, and nothing shown.
        case none
        /// 403.
        case denied
    }

    let datacenter: String
    private(set) var services: [String: [String: Registration]] = [:]
    private(set) var entries: [String: [ConfigEntry]] = [:]
    private(set) var keys: [String: ConsulKey] = [:]
    private(set) var nodeStatus: [String: Instance.Health] = [:]
    private(set) var nodeAddresses: [String: String] = [:]
    private var nodeIndexes: [String: UInt64] = ["server": 1]
    private var serviceIndexes: [String: UInt64] = [:]
    /// Of checks that pass, by service and instance.
    private var checkIndexes: [String: [String: UInt64]] = [:]
    private var extinction: UInt64 = 1
    private var entryIndexes: [String: UInt64] = [:]
    private var keyIndex: UInt64 = 1
    private var lastIndex: UInt64 = 1
    private var servicesTable: UInt64 = 1
    private var nodesTable: UInt64 = 1
    private var checksTable: UInt64 = 1
    /// When a check last entered or left a state.
    private var states: [ConsulQuery.CheckState: UInt64] = [.critical: 1, .warning: 1]
    var rights = Rights.all
    /// Which token it is.
    var token = 0
    /// What the token may not read though it may read the rest: keys, and services by name.
    var forbidden: Set<String> = []
    /// Config entries that are not what they should be, by name.
    var broken: Set<String> = []
    /// Services that are listed and none of whose instances are shown.
    var hidden: Set<String> = []
    /// Whether it says of them that it left something out, as it does of nodes.
    var tellsOfHidden = false
    /// Services that are not listed, show no instances, and are said to be there.
    var ghosts: Set<String> = []
    /// 0: HTTP/2 is not spoken.
    var questionsPerConnection = 0
    /// Services about which such a question is refused.
    var refused: Set<String> = []
    /// Services whose index is another one in the answer to such a question.
    var shiftedIndexes: Set<String> = []

    init(datacenter: String = "dc1") {
        self.datacenter = datacenter
    }

    // MARK: Changes

    mutating func register(_ service: String, _ registration: Registration) {
        self.lastIndex += 1
        if self.nodeIndexes[registration.node] == nil {
            self.nodeIndexes[registration.node] = self.lastIndex
            self.nodeAddresses[registration.node] = "10.0.0.1"
            self.nodesTable = self.lastIndex
        }
        let old = self.services[service]?[registration.key]
        if old?.status != registration.status {
            self.checkIndexes[service, default: [:]][registration.key] = self.lastIndex
        }
        self.services[service, default: [:]][registration.key] = registration
        self.servicesTable = self.lastIndex
        self.serviceIndexes[service] = self.lastIndex
        self.checksChanged(old?.status, registration.status)
    }

    mutating func setStatus(_ status: Instance.Health, of key: String, in service: String) {
        guard let old = self.services[service]?[key], old.status != status else { return }
        self.lastIndex += 1
        self.services[service]?[key]?.status = status
        self.checkIndexes[service, default: [:]][key] = self.lastIndex
        self.serviceIndexes[service] = self.lastIndex
        self.checksChanged(old.status, status)
    }

    mutating func deregister(_ key: String, of service: String) {
        guard let old = self.services[service]?.removeValue(forKey: key) else { return }
        self.lastIndex += 1
        self.servicesTable = self.lastIndex
        self.serviceIndexes[service] = self.lastIndex
        self.checksChanged(old.status, nil)
        if self.services[service]?.isEmpty == true {
            self.services[service] = nil
            self.serviceIndexes[service] = nil
            self.extinction = self.lastIndex
        }
    }

    /// A check of the node's own.
    mutating func setNode(_ node: String, _ status: Instance.Health) {
        guard self.nodeIndexes[node] != nil else { return }
        self.lastIndex += 1
        let old = self.nodeStatus[node]
        self.nodeStatus[node] = status
        self.checksChanged(old, status)
        self.nodeChanged(node)
    }

    mutating func setAddress(_ address: String, ofNode node: String) {
        guard self.nodeIndexes[node] != nil, self.nodeAddresses[node] != address else { return }
        self.lastIndex += 1
        self.nodeAddresses[node] = address
        self.nodeIndexes[node] = self.lastIndex
        self.nodesTable = self.lastIndex
        self.nodeChanged(node)
    }

    mutating func setEntries(_ names: [String], ofKind kind: String) {
        self.lastIndex += 1
        self.entryIndexes[kind] = self.lastIndex
        self.entries[kind] = names.map {
            ConfigEntry(key: .init(kind: kind, name: $0), json: Array("{}".utf8), origin: Origin(file: "consul"))
        }
    }

    mutating func setKey(_ key: String, _ value: String?) {
        self.lastIndex += 1
        self.keyIndex = self.lastIndex
        self.keys[key] = value.map { ConsulKey(index: self.lastIndex, value: Array($0.utf8)) }
    }

    /// Its state is lost, and what comes next has lower indexes.
    mutating func wipe() {
        let (rights, questions) = (self.rights, self.questionsPerConnection)
        self = ConsulModel(datacenter: self.datacenter)
        (self.rights, self.questionsPerConnection) = (rights, questions)
    }

    /// Several changes in one transaction: they have the same index.
    mutating func together(_ changes: (inout ConsulModel) -> Void) {
        let first = self.lastIndex + 1
        changes(&self)
        let last = self.lastIndex
        self.lastIndex = first
        for (service, index) in self.serviceIndexes where index > first { self.serviceIndexes[service] = first }
        if self.servicesTable == last { self.servicesTable = first }
        if self.checksTable == last { self.checksTable = first }
    }

    /// It leaves with all that it has.
    mutating func remove(node: String) {
        for (name, registrations) in self.services {
            for (key, registration) in registrations where registration.node == node { self.deregister(key, of: name) }
        }
        self.lastIndex += 1
        self.nodeIndexes[node] = nil
        self.nodesTable = self.lastIndex
    }

    private mutating func nodeChanged(_ node: String) {
        for (name, registrations) in self.services where registrations.values.contains(where: { $0.node == node }) {
            self.serviceIndexes[name] = self.lastIndex
        }
    }

    private mutating func checksChanged(_ old: Instance.Health?, _ new: Instance.Health?) {
        guard old != new else { return }
        self.checksTable = self.lastIndex
        for status in [old, new] {
            guard let status, let state = ConsulQuery.CheckState(rawValue: status.rawValue) else { continue }
            self.states[state] = self.lastIndex
        }
    }

    // MARK: What it says

    /// Whether the question is answered now.
    func isReady(_ query: ConsulQuery) -> Bool {
        if case .indexes(let indexes, _) = query.subject { return !self.beyond(indexes).isEmpty }
        guard let index = query.index else { return true }
        if case .checks(let state) = query.subject { return (self.states[state] ?? 1) > index }
        return self.index(of: query.subject) > index
    }

    func answer(_ query: ConsulQuery) -> Result<ConsulAnswer, ConsulFailure> {
        guard self.rights != .denied else {
            return .failure(ConsulFailure(reason: .acl, message: "ACL not found"))
        }
        if let name = query.subject.nameAlone, self.isForbidden(name) {
            return .failure(ConsulFailure(reason: .acl, message: "Permission denied"))
        }
        return .success(
            ConsulAnswer(
                content: self.content(query.subject),
                index: self.index(of: query.subject),
                bytes: 200,
                token: self.token
            )
        )
    }

    /// Those that are answered.
    private func beyond(_ indexes: [String: UInt64]) -> [String: UInt64?] {
        indexes.reduce(into: [:]) { found, asked in
            guard !self.refused.contains(asked.key) else {
                found[asked.key] = .some(nil)
                return
            }
            let index = self.index(of: .service(asked.key)) + (self.shiftedIndexes.contains(asked.key) ? 1000 : 0)
            if index > asked.value { found[asked.key] = .some(index) }
        }
    }

    /// What somebody who sees all would say a service is.
    func instances(of service: String) -> [Instance] { self.instances(of: service) { _ in true } }

    private func instances(of service: String, on isSeen: (String) -> Bool) -> [Instance] {
        let seen = (self.services[service] ?? [:]).values.filter { isSeen($0.node) }
        let counts = Dictionary(grouping: seen, by: \.id).mapValues(\.count)
        return seen.map { registration in
            let node = self.nodeStatus[registration.node] ?? .passing
            let isPlain = registration.isPlain && counts[registration.id] == 1
            return Instance(
                id: InstanceID(isPlain ? registration.id : registration.key),
                address: self.nodeAddresses[registration.node] ?? "",
                port: registration.port,
                weight: Weight(registration.weight) ?? .default,
                tags: registration.tags,
                meta: registration.meta,
                health: [node, registration.status].contains(.critical)
                    ? .critical : [node, registration.status].contains(.warning) ? .warning : .passing,
                datacenter: self.datacenter,
                node: registration.node,
                origin: Origin(file: "consul:\(self.datacenter)/\(service)/\(registration.key)")
            )
        }.sorted { $0.id < $1.id }
    }

    func isForbidden(_ name: String) -> Bool {
        self.rights != .all || self.forbidden.contains { name.hasPrefix($0) }
    }

    private func mayRead(node: String) -> Bool { !self.forbidden.contains("node:" + node) }

    private func index(of subject: ConsulQuery.Subject) -> UInt64 {
        switch subject {
        case .services: self.servicesTable
        case .nodes: self.nodesTable
        case .checks, .passing: self.checksTable
        case .service(let name): self.serviceIndexes[name] ?? self.extinction
        case .server: max(self.servicesTable, self.nodesTable)
        case .entries(let kind): self.entryIndexes[kind] ?? 1
        case .keys: self.keyIndex
        case .servers, .agent, .probes, .capacity, .indexes, .key, .entry, .instances, .unreadable: 1
        }
    }

    private func content(_ subject: ConsulQuery.Subject) -> ConsulAnswer.Content {
        let isVisible = self.rights == .all
        switch subject {
        case .servers: return .servers(nodes: isVisible ? ["server"] : [])
        case .server: return .server(isVisible: isVisible)
        case .services:
            guard isVisible else { return .services([:]) }
            var names = self.services.mapValues { registrations in
                registrations.values.reduce(into: Set<String>()) { $0.formUnion($1.tags) }.sorted()
            }
            names["consul"] = []
            return .services(names.filter { !self.isForbidden($0.key) && !self.ghosts.contains($0.key) })
        case .nodes: return .nodes(isVisible ? self.nodeIndexes.filter { self.mayRead(node: $0.key) } : [:])
        case .checks(let state):
            guard isVisible else { return .checks([]) }
            var checks: Set<ConsulCheckKey> = []
            for (name, registrations) in self.services {
                for registration in registrations.values
                where registration.status.rawValue == state.rawValue && self.mayRead(node: registration.node) {
                    checks.insert(
                        ConsulCheckKey(
                            node: registration.node,
                            check: registration.key,
                            service: name,
                            serviceID: registration.id
                        )
                    )
                }
            }
            for (node, status) in self.nodeStatus
            where status.rawValue == state.rawValue && self.mayRead(node: node) {
                checks.insert(ConsulCheckKey(node: node, check: "serfHealth", service: "", serviceID: ""))
            }
            return .checks(checks)
        case .service(let name):
            let isHidden = self.hidden.contains(name) || self.ghosts.contains(name)
            let isShown = isVisible && !isHidden && !self.isForbidden(name)
            let all = isShown ? self.instances(of: name) : []
            let instances = isShown ? self.instances(of: name, on: self.mayRead(node:)) : []
            let nodes = Set(instances.map(\.node)).sorted()
            return .service(
                ConsulServiceReading(
                    instances: instances,
                    nodes: nodes,
                    count: instances.count,
                    passingChecks: self.services[name]?.values.count { $0.status == .passing } ?? 0,
                    isFiltered: instances.count < all.count || isHidden && self.tellsOfHidden
                )
            )
        case .passing:
            guard isVisible else { return .passing([:]) }
            return .passing(
                self.services.reduce(into: [:]) { checks, service in
                    for key in service.value.filter({ $0.value.status == .passing }).keys {
                        let index = self.checkIndexes[service.key]?[key] ?? 0
                        checks[service.key, default: ConsulPassingChecks(count: 0, index: 0)].add(index)
                    }
                }
            )
        case .probes(let names): return .probes(names.map { self.index(of: .service($0)) })
        case .capacity: return .capacity(self.questionsPerConnection)
        case .indexes(let indexes, _):
            let beyond = self.beyond(indexes)
            // The wait is over.
            guard beyond.isEmpty else { return .indexes(beyond) }
            return .indexes(indexes.reduce(into: [:]) { $0[$1.key] = self.index(of: .service($1.key)) })
        case .entries(let kind):
            let seen = (self.entries[kind] ?? []).filter { isVisible && !self.isForbidden($0.key.name) }
            let broken = seen.map(\.key.name).filter(self.broken.contains)
            return .entries(
                seen.filter { !self.broken.contains($0.key.name) },
                unreadable: ConsulUnreadableEntries(names: Set(broken), count: broken.count, reasons: broken)
            )
        case .keys: return .keys(isVisible ? self.keys.filter { !self.isForbidden($0.key) } : [:])
        case .instances(let name): return .presence(self.services[name] != nil && !self.isForbidden(name))
        case .key(let key): return .presence(self.keys[key] != nil)
        case .entry(let key): return .presence(self.entries[key.kind]?.contains { $0.key == key } == true)
        case .unreadable(let node):
            return .presence(self.nodeIndexes[node] != nil && (!isVisible || !self.mayRead(node: node)))
        case .agent: return .agent(.test)
        }
    }
}

extension ConsulModel.Registration {
    var key: String { "\(self.node)/\(self.id)" }
}

extension ConsulQuery.Subject {
    /// Of questions that share a connection, which one it is.
    var group: Int? {
        switch self {
        case .capacity(let group), .indexes(_, let group): group
        default: nil
        }
    }

    /// Of what is asked for by its own name.
    fileprivate var nameAlone: String? {
        switch self {
        case .key(let key): key
        case .entry(let key): key.name
        default: nil
        }
    }
}
