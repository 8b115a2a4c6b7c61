// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ChainWalk {
    /// Of one target: each datacenter of each that stands in is a priority of its own, and Envoy refuses one above 128.
    static let maximumLevels = 128

    /// Adds who stands in for a target.
    ///
    /// - Returns: what the target is in the end. Who says which datacenters to use says that the own one comes first and alone.
    mutating func addFailovers(of target: inout ChainTarget, _ resolver: ServiceResolver) -> TargetID {
        let references = target.subset.flatMap { resolver.failover[$0] } ?? resolver.failover["*"] ?? []
        if target.datacenter == nil, references.contains(where: { $0.datacenter != nil }) {
            target.datacenter = self.datacenters.first
        }
        let id = TargetID(target, resolver)
        var (alternatives, faults) = self.alternatives(to: target, references, resolver)
        let previous = faults.isEmpty ? nil : self.previous?.failovers[id]
        for fault in faults {
            let consequence =
                previous == nil
                ? "it does not stand in for service '\(target.service)'"
                : "those stand in for service '\(target.service)' that did when the entries could last be followed"
            self.diagnostics.insert(fault.diagnostic(consequence))
        }
        alternatives = previous ?? alternatives
        guard !alternatives.isEmpty else { return id }
        let own = self.chain.failovers[id] ?? self.chain.partialFailovers[id]
        if let own, own != alternatives { self.diagnostics.insert(.twoFailovers(of: id, resolver)) }
        if own == nil {
            if faults.isEmpty || previous != nil {
                self.chain.failovers[id] = alternatives
            } else {
                self.chain.partialFailovers[id] = alternatives
            }
        }
        return id
    }

    /// In the order of preference, and why others are none.
    private mutating func alternatives(
        to target: ChainTarget,
        _ references: [ServiceReference],
        _ resolver: ServiceResolver
    ) -> (alternatives: [TargetID], faults: [ChainFault]) {
        var alternatives: [TargetID] = []
        var faults: [ChainFault] = []
        var levels = self.levels(of: target)
        for reference in references {
            let other = target.rewritten(reference)
            guard other != target else { continue }
            self.check(other.datacenter, target.resolverKey, resolver.origin)
            do {
                let (followed, otherResolver) = try self.follow(other)
                levels += self.levels(of: followed)
                guard levels <= Self.maximumLevels else {
                    self.reportLevels(of: target, resolver)
                    break
                }
                self.note(other.service, target.resolverKey, resolver.origin)
                alternatives.append(TargetID(followed, otherResolver))
            } catch {
                // Who cannot stand in costs nobody else.
                faults.append(error)
            }
        }
        return (alternatives, faults)
    }

    private func levels(of target: ChainTarget) -> Int {
        target.datacenter == nil ? max(1, self.datacenters.count) : 1
    }

    private mutating func reportLevels(of target: ChainTarget, _ resolver: ServiceResolver) {
        self.diagnostics.insert(
            Diagnostic(
                .warning,
                code: "SB332",
                subject: target.resolverKey.description,
                message:
                    "Failover: it has over \(Self.maximumLevels) levels, one for each datacenter of each target; the rest is left out",
                cure: "name fewer targets, or say of each in which datacenter it is",
                origin: resolver.origin
            )
        )
    }
}

extension Diagnostic {
    /// A target in Envoy has one failover, by whatever names it is reached.
    static func twoFailovers(of id: TargetID, _ resolver: ServiceResolver?) -> Diagnostic {
        let subject = ConfigEntry.Key(kind: "service-resolver", name: id.service.rawValue)
        return ChainFault(
            subject,
            resolver?.origin ?? Origin(file: subject.description),
            "two of its subsets have the same instances and not the same failover"
        ).diagnostic("the first counts", cure: "give them one failover, or instances of their own")
    }
}
