// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import TestSupport
import Testing

/// The join, written without indexes and memory of what was handed on: everything anew at each step.
private struct NaiveJoin {
    var said: [SourceName: [ServiceName: Service]] = [:]
    /// The last word on each allocation, and whether Nomad still names it.
    var facts: [String: (fact: AllocationFact, isNamed: Bool)] = [:]

    mutating func received(_ update: CatalogUpdate) {
        if update.isComplete { self.said[update.source] = [:] }
        for (name, service) in update.services { self.said[update.source, default: [:]][name] = service }
        self.prune()
    }

    mutating func received(_ update: NomadFactsUpdate) {
        if update.isComplete { for id in self.facts.keys { self.facts[id]?.isNamed = false } }
        for (id, fact) in update.allocations {
            if let fact { self.facts[id] = (fact, true) } else { self.facts[id]?.isNamed = false }
        }
        self.prune()
    }

    /// Who is named by nobody is not known.
    private mutating func prune() {
        let used = Set(self.said.values.flatMap(\.values).flatMap(\.instances).compactMap { self.id($0) })
        self.facts = self.facts.filter { $0.value.isNamed || used.contains($0.key) }
    }

    private func id(_ instance: Instance) -> String? { TaskRegistrationID(instance.id.rawValue)?.allocation }

    var catalogs: [SourceName: [ServiceName: Service]] {
        self.said.mapValues { services in
            services.mapValues { service in
                func fact(_ instance: Instance) -> AllocationFact? {
                    self.id(instance).flatMap { self.facts[$0]?.fact }
                }
                let living = service.instances.filter { instance in !(fact(instance)?.hasEnded ?? false) }
                let marked = living.map { instance in
                    guard let fact = fact(instance) else { return instance }
                    var marked = instance
                    marked.allocation = Allocation(
                        id: fact.id,
                        namespace: fact.namespace,
                        job: fact.job,
                        jobVersion: fact.jobVersion ?? 0,
                        group: fact.group,
                        deployment: fact.deployment,
                        isCanary: fact.isCanary,
                        nodeID: fact.nodeID
                    )
                    let isDraining = fact.client != .lost && (fact.desired != .run || fact.isMigrating)
                    marked.isDraining = instance.isDraining || isDraining
                    return marked
                }
                let isServed = marked.contains { $0.isRoutable && !$0.isDraining && fact($0)?.client != .lost }
                let kept = marked.filter { !isServed || fact($0)?.client != .lost }
                return Service(name: service.name, instances: kept, origin: service.origin)
            }
        }
    }
}

@Suite("Join: any order of events", .longComputation)
struct JoinPropertyTests {
    @Test("what is handed on adds up to what a join from scratch would say", arguments: 0..<40)
    func agreesWithNaive(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var join = Join()
        var naive = NaiveJoin()
        var handedOn: [SourceName: [ServiceName: Service]] = [:]
        for step in 0..<150 {
            var outputs: [Join.Output] = []
            if Bool.random(using: &random) {
                let update = Self.catalogUpdate(using: &random)
                naive.received(update)
                let output = join.received(update)
                #expect(Set(output.update.services.keys) == Set(update.services.keys))
                #expect(output.update.isComplete == update.isComplete && output.update.source == update.source)
                outputs = [output]
            } else {
                let update = Self.factsUpdate(using: &random)
                naive.received(update)
                outputs = join.received(update)
                #expect(outputs.allSatisfy { !$0.update.services.isEmpty && !$0.update.isComplete })
            }
            for output in outputs {
                let source = output.update.source
                if output.update.isComplete { handedOn[source] = [:] }
                for (name, service) in output.update.services { handedOn[source, default: [:]][name] = service }
                for (name, ids) in output.stopped {
                    let kept = Set(handedOn[source]?[name]?.instances.map(\.id) ?? [])
                    #expect(kept.isDisjoint(with: ids), "step \(step): what has stopped is handed on")
                }
            }
            #expect(handedOn == naive.catalogs, "step \(step)")
        }
    }

    private static func catalogUpdate(using random: inout SeededGenerator) -> CatalogUpdate {
        let source = Bool.random(using: &random) ? SourceName.consul : .nomad
        let names = ["web", "api", "db"].filter { _ in Bool.random(using: &random) }
        var update = Sample.update([], source: source, isComplete: Int.random(in: 0..<8, using: &random) == 0)
        for name in names {
            let numbers = (1...8).filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            var instances = numbers.map { number in
                Sample.instance(
                    number,
                    service: name,
                    health: Int.random(in: 0..<4, using: &random) == 0 ? .critical : .passing,
                    isDraining: Int.random(in: 0..<6, using: &random) == 0
                )
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                instances.append(
                    Instance(id: InstanceID("plain"), address: "10.1.0.1", port: 80, origin: Origin(file: "x"))
                )
            }
            let isGone = Int.random(in: 0..<6, using: &random) == 0
            update.services[ServiceName(name)] = .some(isGone ? nil : Sample.service(name, instances))
        }
        return update
    }

    private static func factsUpdate(using random: inout SeededGenerator) -> NomadFactsUpdate {
        var update = NomadFactsUpdate(isComplete: Int.random(in: 0..<10, using: &random) == 0)
        for number in 1...8 where Int.random(in: 0..<3, using: &random) == 0 {
            let fact = Sample.fact(
                number,
                desired: AllocationFact.DesiredStatus.allCases.randomElement(using: &random) ?? .run,
                client: AllocationFact.ClientStatus.allCases.randomElement(using: &random) ?? .running,
                isCanary: Bool.random(using: &random),
                isMigrating: Int.random(in: 0..<5, using: &random) == 0
            )
            let isGone = Int.random(in: 0..<5, using: &random) == 0
            update.allocations[fact.id] = .some(isGone ? nil : fact)
        }
        return update
    }
}
