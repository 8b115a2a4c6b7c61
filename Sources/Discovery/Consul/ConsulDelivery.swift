// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Puts the datacenters together, and tells what of it is news.
struct ConsulDelivery: Sendable {
    /// How long changes gather: a deployment is many of them.
    static let pause = Duration.milliseconds(5)
    /// The same for each service that is not heard or hidden: an update tells of them all, and everybody who gets it goes
    /// through them.
    private static let pauseOfUnheard = Duration.microseconds(10)

    /// What was told last.
    private var services: [ServiceName: Service] = [:]
    /// What was told of each, for those that something is wrong with.
    private var findings: [String: [Diagnostic]] = [:]
    private(set) var changed: Set<String> = []
    private(set) var due: Duration?
    /// Whether everything was told once.
    private(set) var isComplete = false
    /// Datacenters of which everything that is known was told.
    private var heard: Set<Int> = []
    /// What was told last to be not known, or not to be read any more.
    private var unheard = Unheard()

    mutating func changes(_ names: Set<String>, at now: Duration) {
        guard !names.isEmpty else { return }
        self.changed.formUnion(names)
        guard self.isComplete, self.due == nil else { return }
        let unheard = self.unheard.services.count + self.unheard.hidden.count
        self.due = now + max(Self.pause, Self.pauseOfUnheard * unheard)
    }

    /// Another datacenter has answered: what of it was known before and is not there is gone.
    func isAnotherHeard(_ datacenters: [ConsulDatacenter]) -> Bool {
        self.isComplete && datacenters.indices.contains { datacenters[$0].isBased && !self.heard.contains($0) }
    }

    /// The first update, and when another datacenter is heard: everything but what is not known yet.
    mutating func complete(_ datacenters: [ConsulDatacenter]) -> (CatalogUpdate, [Diagnostic]) {
        self.isComplete = true
        self.changed = []
        self.due = nil
        self.heard.formUnion(datacenters.indices.filter { datacenters[$0].isBased })
        self.unheard = self.unheard(of: datacenters)
        self.services = [:]
        var update = CatalogUpdate(source: .consul, isComplete: true, services: [:], unheard: self.unheard)
        let names = datacenters.reduce(into: Set<String>()) { $0.formUnion($1.services.byName.keys) }
        for name in names {
            self.note(name, datacenters)
            guard let service = Self.service(name, datacenters) else { continue }
            self.services[service.name] = service
            update.services[service.name] = .some(service)
        }
        return (update, self.diagnostics)
    }

    /// What changed since; nil if nothing did. Diagnostics are nil if they are as before.
    mutating func takeUpdate(_ datacenters: [ConsulDatacenter]) -> (update: CatalogUpdate?, diagnostics: [Diagnostic]?)
    {
        self.due = nil
        let before = self.findings
        let wasUnheard = self.unheard
        self.unheard = self.unheard(of: datacenters)
        var update = CatalogUpdate(source: .consul, isComplete: false, services: [:], unheard: self.unheard)
        for name in self.changed {
            self.note(name, datacenters)
            let key = ServiceName(name)
            let service = Self.service(name, datacenters)
            // What was hidden may have been let go meanwhile, by an operator's word.
            let isSame =
                wasUnheard.services[key] == self.unheard.services[key]
                && wasUnheard.hidden[key] == self.unheard.hidden[key]
            guard service != self.services[key] || !isSame else { continue }
            self.services[key] = service
            update.services[key] = .some(service)
        }
        self.changed = []
        let isNews = !update.services.isEmpty || wasUnheard.hidden != self.unheard.hidden
        return (isNews ? update : nil, self.findings == before ? nil : self.diagnostics)
    }

    /// Services that were told not to be read any more, whole or in part.
    var hidden: [ServiceName: Unheard.Share] { self.unheard.hidden }

    func isTold(_ name: ServiceName) -> Bool { self.services[name] != nil }

    private func unheard(of datacenters: [ConsulDatacenter]) -> Unheard {
        var unheard = Unheard()
        for (place, datacenter) in datacenters.enumerated() {
            guard self.heard.contains(place) else {
                unheard.datacenters.formUnion([datacenter.name].compactMap(\.self))
                continue
            }
            for name in datacenter.services.unread.union(datacenter.expected) {
                unheard.services[ServiceName(name), default: []].formUnion([datacenter.name].compactMap(\.self))
            }
        }
        for name in datacenters.reduce(into: Set<String>(), { $0.formUnion($1.hidden) }) {
            unheard.hidden[ServiceName(name)] = Self.hidden(name, datacenters)
        }
        return unheard
    }

    /// What of a service may not be read any more, by the names that it was told by.
    private static func hidden(_ name: String, _ datacenters: [ConsulDatacenter]) -> Unheard.Share {
        var share = Unheard.Share()
        for datacenter in datacenters {
            if datacenter.missing.refused.contains(name) {
                guard let place = datacenter.name else { return .all }
                share.datacenters.insert(place)
            }
            guard let hidden = datacenter.unseen.hidden[name],
                let place = datacenter.services[name]?.instances.first?.datacenter
            else { continue }
            let names = hidden.union(hidden.map { InstanceID("\(place)/\($0)") })
            for instance in Self.service(name, datacenters)?.instances ?? []
            where instance.datacenter == place && names.contains(instance.id) {
                share.instances.insert(instance.id)
            }
        }
        return share
    }

    /// Nil: no datacenter knows it, or what it knows is none of ours.
    ///
    /// An ID that two datacenters use is the first one's; that of the other is prefixed by its name.
    private static func service(_ name: String, _ datacenters: [ConsulDatacenter]) -> Service? {
        var instances: [Instance] = []
        var place: String?
        for datacenter in datacenters {
            guard let known = datacenter.services[name], known.isRead, known.isOurs else { continue }
            let found = known.instances
            if place == nil { place = found.first?.datacenter ?? datacenter.name ?? "" }
            if instances.isEmpty {
                instances = found
                continue
            }
            let taken = Set(instances.map(\.id))
            for var instance in found {
                if taken.contains(instance.id) {
                    instance.id = InstanceID("\(instance.datacenter)/\(instance.id)")
                }
                instances.append(instance)
            }
        }
        guard let place else { return nil }
        return Service(name: ServiceName(name), instances: instances, origin: Origin(file: "consul:\(place)/\(name)"))
    }

    private mutating func note(_ name: String, _ datacenters: [ConsulDatacenter]) {
        let findings = datacenters.flatMap { $0.services[name]?.diagnostics ?? [] }
        self.findings[name] = findings.isEmpty ? nil : findings
    }

    private var diagnostics: [Diagnostic] {
        self.findings.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
