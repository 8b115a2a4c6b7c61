// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Tells the instances of services what Nomad knows of the allocations that they run in, seconds before their catalog does.
///
/// Catalog updates of Consul and of Nomad's own services go in, and come out with instances that
/// - have their `allocation`, canary or not;
/// - are draining from the moment that Nomad decided to stop, evict or migrate it, before Consul hears of it;
/// - are left out when its client said that it ended, while its registration lingers. An allocation is *lost* by the
///   server's word alone, which may be cut off from a client that serves: its instances are left out as long as the service
///   has another one to route to, and are otherwise what their own source says.
///
/// It acts on what Nomad has said, and never on its silence: an allocation that Nomad does not name changes nothing. Once
/// said, it holds while an instance of that allocation is registered, even if Nomad is down or has collected the
/// allocation: an allocation that was stopped is never started again.
///
/// The work is in proportion to the instances of the services that a change is about.
package struct Join: Sendable {
    /// What to hand on.
    package struct Output: Hashable, Sendable {
        package var update: CatalogUpdate
        /// Instances whose allocations have ended by Nomad's word, so that their removal surprises nobody.
        package var stopped: [ServiceName: Set<InstanceID>]
    }

    private struct ServiceKey: Hashable {
        var source: SourceName
        var name: ServiceName
    }

    private struct Known {
        /// As the source said it.
        let service: Service
        /// Of each of its instances.
        let allocations: [String?]
        /// As it was handed on.
        var joined: Service

        init(_ service: Service) {
            self.service = service
            self.allocations = service.instances.map { TaskRegistrationID($0.id.rawValue)?.allocation }
            self.joined = service
        }
    }

    private var services: [ServiceKey: Known] = [:]
    private(set) var facts: [String: AllocationFact] = [:]
    /// Allocations whose facts were stored. They hold until Nomad and whoever may have registrations of them were heard.
    private var restored: Set<String> = []
    private var awaited: Set<SourceName> = []
    private var areFactsHeard = false
    /// Allocations that Nomad names no more, and instances do.
    private var forgotten: Set<String> = []
    private var users: [String: Set<ServiceKey>] = [:]
    /// What each source has said last that it does not know.
    private var unheard: [SourceName: Unheard] = [:]

    /// The allocations that something is registered of, or may be for all that is known yet.
    var named: Set<String> { self.restored.union(self.users.keys) }

    package init() {}

    // MARK: - Inputs

    /// - Returns: the update, joined. It names every service that the given one does, changed or not.
    package mutating func received(_ update: CatalogUpdate) -> Output {
        if update.isComplete { self.awaited.remove(update.source) }
        return self.take(update)
    }

    private mutating func take(_ update: CatalogUpdate) -> Output {
        var output = Output(update: update, stopped: [:])
        self.unheard[update.source] = update.unheard
        if update.isComplete {
            let gone = self.services.filter { key, known in
                key.source == update.source && update.services[key.name] == nil
                    && !update.unheard.leavesOpen(known.service)
            }
            for key in gone.keys { self.set(nil, for: key, in: &output) }
        }
        for (name, service) in update.services {
            let key = ServiceKey(source: update.source, name: name)
            guard let service else {
                self.set(nil, for: key, in: &output)
                continue
            }
            var known = Known(service)
            known.joined = self.join(known)
            self.set(known, for: key, in: &output)
            output.update.services[name] = known.joined
        }
        self.prune()
        return output
    }

    /// - Returns: what changed with it, by source.
    package mutating func received(_ update: NomadFactsUpdate) -> [Output] {
        var touched: Set<ServiceKey> = []
        if update.isComplete {
            self.areFactsHeard = true
            for id in self.facts.keys.filter({ update.allocations[$0] == nil }) { self.forget(id) }
        }
        for (id, fact) in update.allocations {
            guard let fact else {
                self.forget(id)
                continue
            }
            self.forgotten.remove(id)
            guard self.facts.updateValue(fact, forKey: id) != fact else { continue }
            touched.formUnion(self.users[id] ?? [])
        }
        self.prune()
        var outputs: [SourceName: Output] = [:]
        for key in touched {
            guard let known = self.services[key] else { continue }
            let joined = self.join(known)
            guard joined != known.joined else { continue }
            self.services[key]?.joined = joined
            let unheard = self.unheard[key.source] ?? Unheard()
            let empty = CatalogUpdate(source: key.source, isComplete: false, services: [:], unheard: unheard)
            outputs[key.source, default: Output(update: empty, stopped: [:])].update.services[key.name] = .some(joined)
            // What the source does not say of all of it is in this already.
            if unheard.services[key.name]?.isEmpty == true {
                outputs[key.source]?.update.unheard.services[key.name] = nil
            }
            outputs[key.source]?.stopped[key.name] = self.stopped(known)
        }
        return outputs.sorted { $0.key < $1.key }.map(\.value)
    }

    /// What Nomad had said before this process, so that its silence takes nothing of it back. To be called first.
    ///
    /// - Parameter services: what stands in for each source until it is heard, so that it counts what Nomad says of them.
    ///   It is not the source's word: what is left out of it may be registered all the same.
    mutating func restore(_ facts: [AllocationFact], services: [SourceName: [Service]]) {
        self.awaited = Set(services.keys)
        for fact in facts {
            self.facts[fact.id] = fact
            self.restored.insert(fact.id)
        }
        for (source, services) in services {
            let named = services.map { ($0.name, Optional($0)) }
            _ = self.take(
                CatalogUpdate(
                    source: source,
                    isComplete: true,
                    services: Dictionary(named) { first, _ in first }
                )
            )
        }
    }

    // MARK: - Joining

    private func join(_ known: Known) -> Service {
        // Most services of most catalogs are not Nomad's, and are handed on as they are.
        var instances: [Instance]?
        var ended: Set<Int> = []
        var lost: Set<Int> = []
        for (position, id) in known.allocations.enumerated() {
            guard let id, let fact = self.facts[id] else { continue }
            if instances == nil { instances = known.service.instances }
            instances?[position].allocation = Allocation(fact)
            if fact.hasEnded { ended.insert(position) }
            if fact.client == .lost {
                lost.insert(position)
            } else if fact.isEnding {
                instances?[position].isDraining = true
            }
        }
        guard let instances else { return known.service }
        let isServed = instances.indices.contains { position in
            !ended.contains(position) && !lost.contains(position) && instances[position].isRoutable
                && !instances[position].isDraining
        }
        let leaving = isServed ? ended.union(lost) : ended
        return Service(
            name: known.service.name,
            instances: instances.indices.filter { !leaving.contains($0) }.map { instances[$0] },
            origin: known.service.origin
        )
    }

    private func stopped(_ known: Known) -> Set<InstanceID>? {
        let positions = known.allocations.indices.filter { position in
            known.allocations[position].flatMap { self.facts[$0] }?.hasEnded ?? false
        }
        return positions.isEmpty ? nil : Set(positions.map { known.service.instances[$0].id })
    }

    // MARK: - What is known

    private mutating func set(_ known: Known?, for key: ServiceKey, in output: inout Output) {
        let before = self.services[key]
        // Of those that leave, too: what is known of them may be forgotten with them.
        for each in [before, known] {
            guard let each, let stopped = self.stopped(each) else { continue }
            output.stopped[key.name, default: []].formUnion(stopped)
        }
        self.services[key] = known
        let left = Set(before?.allocations.compactMap(\.self) ?? [])
        let joined = Set(known?.allocations.compactMap(\.self) ?? [])
        for id in joined.subtracting(left) { self.users[id, default: []].insert(key) }
        for id in left.subtracting(joined) {
            self.users[id]?.remove(key)
            guard self.users[id]?.isEmpty ?? false else { continue }
            self.users[id] = nil
        }
    }

    /// What nobody names is not known any more. An instance may have moved from one service to another within an update.
    private mutating func prune() {
        if self.areFactsHeard, self.awaited.isEmpty, self.unheard.values.allSatisfy(\.isEmpty) { self.restored = [] }
        for id in self.forgotten where self.users[id] == nil && !self.restored.contains(id) {
            self.forgotten.remove(id)
            self.facts[id] = nil
        }
    }

    private mutating func forget(_ id: String) {
        if self.users[id] == nil, !self.restored.contains(id) {
            self.facts[id] = nil
        } else if self.facts[id] != nil {
            self.forgotten.insert(id)
        }
    }
}

extension Allocation {
    init(_ fact: AllocationFact) {
        self.init(
            id: fact.id,
            namespace: fact.namespace,
            job: fact.job,
            jobVersion: fact.jobVersion ?? 0,
            group: fact.group,
            deployment: fact.deployment,
            isCanary: fact.isCanary,
            nodeID: fact.nodeID
        )
    }
}

extension Unheard {
    /// Whether some of the service may be there still, though nothing is said of it.
    fileprivate func leavesOpen(_ service: Service) -> Bool {
        let unread = self.services[service.name]
        return unread?.isEmpty == true
            || service.instances.contains { instance in
                self.datacenters.contains(instance.datacenter) || unread?.contains(instance.datacenter) == true
            }
    }
}
