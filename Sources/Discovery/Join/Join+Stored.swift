// SPDX-License-Identifier: Apache-2.0

package import Catalog

extension Join {
    /// What is to be stored beside the services in force: what keeps out registrations that linger.
    package var ended: [StoredCatalog.EndedAllocation] {
        let facts = self.named.compactMap { self.facts[$0] }.filter { $0.hasEnded || $0.client == .lost }
        return facts.sorted { $0.id < $1.id }.prefix(StoredCatalog.maximumEnded)
            .map { StoredCatalog.EndedAllocation(Allocation($0), isLost: $0.client == .lost) }
    }

    /// What Nomad had said of the instances that were stored, and of what was left out. The instances stand in for their
    /// sources.
    package mutating func restore(_ stored: StoredCatalog) {
        var facts: [String: AllocationFact] = [:]
        for one in stored.ended.prefix(StoredCatalog.maximumEnded) {
            facts[one.allocation.id] = AllocationFact(one.allocation, client: one.isLost ? .lost : .complete)
        }
        for service in stored.sources.values.lazy.flatMap({ $0.services ?? [] }) {
            for instance in service.instances {
                guard let allocation = instance.allocation, facts[allocation.id] == nil else { continue }
                facts[allocation.id] = AllocationFact(
                    allocation,
                    desired: instance.isDraining ? .stop : .run,
                    client: .running
                )
            }
        }
        self.restore(Array(facts.values), services: stored.sources.compactMapValues(\.services))
    }
}

extension AllocationFact {
    fileprivate init(_ allocation: Allocation, desired: DesiredStatus = .stop, client: ClientStatus) {
        self.init(
            id: allocation.id,
            namespace: allocation.namespace,
            job: allocation.job,
            jobVersion: allocation.jobVersion,
            group: allocation.group,
            deployment: allocation.deployment,
            isCanary: allocation.isCanary,
            nodeID: allocation.nodeID,
            desired: desired,
            client: client,
            isMigrating: false
        )
    }
}
