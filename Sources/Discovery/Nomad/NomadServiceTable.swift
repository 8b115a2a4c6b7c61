// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// The registrations of Nomad's own service discovery, put together from answers about services and from events.
///
/// The index of an answer is that of all services: it holds every change up to there, and an event with a higher index is
/// newer.
struct NomadServiceTable: Sendable {
    private struct Record {
        var registrations: [String: NomadServiceRegistration] = [:]
        /// All that happened until then is in.
        var asOf: UInt64 = 0
        /// Deregistered since, by the index of it: an answer that is on its way may still have them.
        var gone: [String: UInt64] = [:]
        var told: Service?
    }

    private let firstNamespace: String
    private var records: [NomadServiceKey: Record] = [:]
    private(set) var touched: Set<NomadServiceKey> = []
    /// Since they were taken last: those whose registrations are others.
    private var regrouped: Set<NomadServiceKey> = []
    /// Known from before the start or from before they were hidden, and neither read nor missed since.
    private var unheard: Set<NomadServiceKey> = []
    /// Those of them that were told before this process.
    private var stored: Set<NomadServiceKey> = []
    /// Namespaces that the token may not see any more.
    private(set) var hiddenNamespaces: Set<String> = []
    /// Hidden services that were told last.
    private var toldHidden: Set<ServiceName> = []
    /// Those that have instances.
    private(set) var serviceCount = 0
    private(set) var instanceCount = 0
    /// Those with something that can be dropped some time.
    private var loose: Set<NomadServiceKey> = []

    init(firstNamespace: String) {
        self.firstNamespace = firstNamespace
    }

    /// What was told of these before this process is said to be gone only once it is known to be.
    mutating func expect(_ names: some Sequence<ServiceName>, in namespaces: [String]) {
        for name in names {
            let key = self.key(of: name)
            guard namespaces.contains(key.namespace) || namespaces.contains(NomadConfiguration.allNamespaces) else {
                continue
            }
            self.records[key] = Record(told: Self.before(name))
            self.unheard.insert(key)
            self.stored.insert(key)
        }
    }

    /// Another than any that is found.
    private static func before(_ name: ServiceName) -> Service {
        Service(name: name, instances: [], origin: Origin(file: ""))
    }

    // MARK: - Hidden services

    /// The token may not see these namespaces any more, and sees all others: of what was told of them nobody knows whether
    /// it is so, and whoever hears of it may have let it go.
    mutating func hide(_ namespaces: Set<String>) {
        self.hiddenNamespaces = namespaces
        if namespaces.isEmpty { return }
        for (key, record) in self.records where namespaces.contains(key.namespace) && record.told != nil {
            let before = self.name(of: key).map(Self.before)
            self.records[key]?.told = before
            self.unheard.insert(key)
        }
    }

    /// What is hidden is gone, by the operator's word.
    mutating func acceptHidden() {
        for key in self.unheard where self.hiddenNamespaces.contains(key.namespace) {
            guard let record = self.records[key] else { continue }
            self.set(record, [:], for: key)
            self.touched.insert(key)
            self.unheard.remove(key)
        }
        self.hiddenNamespaces = []
    }

    /// Whether something is hidden or seen again that was not when it was told last.
    var isOtherHidden: Bool { self.hidden != self.toldHidden }

    private var hidden: Set<ServiceName> {
        if self.hiddenNamespaces.isEmpty { return [] }
        return Set(self.unheard.filter { self.hiddenNamespaces.contains($0.namespace) }.compactMap(self.name))
    }

    /// The namespaces that have services, or had when the process started.
    var namespaces: Set<String> {
        let named = self.records.filter { !$0.value.registrations.isEmpty || self.unheard.contains($0.key) }
        return Set(named.map(\.key.namespace))
    }

    func keys(in namespace: String) -> [NomadServiceKey] {
        self.records.keys.filter { namespace == NomadConfiguration.allNamespaces || $0.namespace == namespace }
    }

    func allocations(of key: NomadServiceKey) -> Set<String> {
        Set(self.records[key]?.registrations.values.map(\.allocationID) ?? [])
    }

    mutating func takeRegrouped() -> Set<NomadServiceKey> {
        defer { self.regrouped = [] }
        return self.regrouped
    }

    func asOf(_ key: NomadServiceKey) -> UInt64 { self.records[key]?.asOf ?? 0 }

    /// Whether it has instances that are known.
    func has(_ key: NomadServiceKey) -> Bool { self.records[key]?.registrations.isEmpty == false }

    mutating func touch(_ key: NomadServiceKey) {
        if self.records[key] != nil { self.touched.insert(key) }
    }

    mutating func touchAll() { self.touched.formUnion(self.records.keys) }

    // MARK: - Rows

    /// All registrations of one service, as of an index. A list of names may have overtaken it: then it is from before.
    ///
    /// - Parameters:
    ///   - isWhole: whether each row could be read; else what is known and not among them may be one of the others, and stays.
    ///   - floor: what is known of services that nothing else is known of, here and below: the index of the last list of
    ///     names.
    mutating func apply(
        _ rows: [NomadServiceRegistration],
        of key: NomadServiceKey,
        isWhole: Bool = true,
        index: UInt64,
        floor: UInt64
    ) {
        // What was stored of it stands in, all of it: nobody can say which of that are the others.
        if !isWhole, self.stored.contains(key) { return }
        self.stored.remove(key)
        var record = self.records[key] ?? Record(asOf: floor)
        guard index >= record.asOf else { return }
        var registrations = record.registrations.filter { !isWhole || $0.value.modifyIndex > index }
        for row in rows where NomadServiceKey(row) == key && registrations[row.id]?.modifyIndex ?? 0 <= index {
            if let gone = record.gone[row.id], gone > index { continue }
            registrations[row.id] = row
        }
        record.asOf = index
        record.gone = record.gone.filter { $0.value > index }
        if self.unheard.remove(key) != nil {
            self.touched.insert(key)
            self.regrouped.insert(key)
        }
        self.set(record, registrations, for: key)
    }

    mutating func registered(_ row: NomadServiceRegistration, index: UInt64, floor: UInt64) {
        let key = NomadServiceKey(row)
        var record = self.records[key] ?? Record(asOf: floor)
        guard index > record.asOf, (record.registrations[row.id]?.modifyIndex ?? 0) < index,
            (record.gone[row.id] ?? 0) < index
        else { return }
        record.gone[row.id] = nil
        var registrations = record.registrations
        registrations[row.id] = row
        registrations[row.id]?.modifyIndex = index
        self.set(record, registrations, for: key)
    }

    /// Also of a service that nothing is known of yet: an answer with this registration may be on its way.
    mutating func deregistered(_ row: NomadServiceRegistration, index: UInt64, floor: UInt64) {
        let key = NomadServiceKey(row)
        var record = self.records[key] ?? Record(asOf: floor)
        guard index > record.asOf, (record.registrations[row.id]?.modifyIndex ?? 0) < index else { return }
        record.gone[row.id] = index
        var registrations = record.registrations
        registrations[row.id] = nil
        self.set(record, registrations, for: key)
    }

    /// A list of names is complete: services that it did not name are gone, but for what is newer.
    mutating func remove(
        butFor names: Set<NomadServiceKey>,
        in namespace: String,
        except kept: Set<String>,
        asOf index: UInt64
    ) {
        for key in self.keys(in: namespace) where !names.contains(key) && !kept.contains(key.namespace) {
            self.apply([], of: key, index: index, floor: 0)
        }
    }

    /// No answer is on its way: nothing can bring back what is gone. What is empty need not be kept.
    mutating func settled(in namespace: String) {
        for key in self.loose where namespace == NomadConfiguration.allNamespaces || key.namespace == namespace {
            guard let record = self.records[key] else {
                self.loose.remove(key)
                continue
            }
            self.records[key]?.gone = [:]
            guard record.registrations.isEmpty else {
                self.loose.remove(key)
                continue
            }
            guard record.told == nil else { continue }
            self.records[key] = nil
            self.loose.remove(key)
        }
    }

    /// The indexes are not comparable with those to come.
    mutating func forgetIndexes(in namespace: String) {
        for key in self.keys(in: namespace) {
            guard var record = self.records[key] else { continue }
            record.asOf = 0
            record.gone = [:]
            for id in record.registrations.keys { record.registrations[id]?.modifyIndex = 0 }
            self.records[key] = record
        }
    }

    private mutating func set(
        _ record: Record,
        _ registrations: [String: NomadServiceRegistration],
        for key: NomadServiceKey
    ) {
        var record = record
        if record.registrations != registrations {
            self.touched.insert(key)
            self.regrouped.insert(key)
        }
        self.instanceCount += registrations.count - record.registrations.count
        self.serviceCount += (registrations.isEmpty ? 0 : 1) - (record.registrations.isEmpty ? 0 : 1)
        record.registrations = registrations
        if !record.gone.isEmpty || registrations.isEmpty { self.loose.insert(key) }
        self.records[key] = record
    }

    // MARK: - Services

    /// What is not as it was told. With `isFirst`, everything that was heard of.
    ///
    /// - Parameters:
    ///   - nodeName: of a node's ID.
    ///   - health: of a service in an allocation.
    mutating func takeUpdate(
        isFirst: Bool,
        nodeName: (String) -> String?,
        health: (NomadServiceRegistration) -> Instance.Health
    ) -> CatalogUpdate {
        var update = CatalogUpdate(source: .nomad, isComplete: isFirst, services: [:])
        for key in isFirst ? Set(self.records.keys) : self.touched {
            guard let record = self.records[key], !self.unheard.contains(key), let name = self.name(of: key) else {
                continue
            }
            let instances = record.registrations.values.map { row in
                Instance(row, node: nodeName(row.nodeID) ?? "", health: health(row))
            }
            let origin = Origin(file: key.origin)
            let isGone = record.registrations.isEmpty
            let service = isGone ? nil : Service(name: name, instances: instances, origin: origin)
            defer { self.records[key]?.told = service }
            guard isFirst ? service != nil : service != record.told else { continue }
            update.services[name] = .some(service)
        }
        self.touched = []
        for name in self.unheard.compactMap(self.name) { update.unheard.services[name] = [] }
        self.toldHidden = self.hidden
        for name in self.toldHidden { update.unheard.hidden[name] = .all }
        return update
    }

    /// The other way than `name(of:)`.
    func key(of name: ServiceName) -> NomadServiceKey {
        let parts = name.rawValue.split(separator: ".", maxSplits: 1)
        guard parts.count == 2 else { return NomadServiceKey(namespace: self.firstNamespace, name: name.rawValue) }
        return NomadServiceKey(namespace: String(parts[1]), name: String(parts[0]))
    }

    /// Nil: it cannot be named in a document. Nomad allows no such names.
    private func name(of key: NomadServiceKey) -> ServiceName? {
        guard TextSyntax.isName(key.name[...]), !key.name.utf8.contains(UInt8(ascii: ".")) else { return nil }
        if key.namespace == self.firstNamespace { return ServiceName(key.name) }
        let name = "\(key.name).\(key.namespace)"
        return TextSyntax.isName(name[...]) ? ServiceName(name) : nil
    }
}
