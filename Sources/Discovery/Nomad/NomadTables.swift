// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Allocations, deployments and nodes, put together from lists and events.
///
/// Neither shape of an allocation is whole: a list has the version of its job, an event its deployment and the drainer's
/// mark. Rows come in any order; of two, the one with the higher index is newer. A list is right about everything that is
/// not newer than itself: it replaces that, and removes what it does not name.
struct NomadTables: Sendable {
    enum Shape: Hashable {
        /// As of the index of its first page.
        case list(asOf: UInt64)
        case event

        var isList: Bool { self != .event }

        /// Whether a row of this shape may take the place of one that was known.
        func replaces(_ known: UInt64, with index: UInt64) -> Bool {
            switch self {
            case .list(let list): index > known || (known <= list && index != known)
            case .event: index > known
            }
        }
    }

    private struct JobKey: Hashable {
        var namespace: String
        var job: String
    }

    private struct AllocationRecord {
        /// Without what its deployment adds.
        var fact: AllocationFact
        /// Nil: nobody said; then the deployment of its job's version is its own.
        var deployment: String??
        var hasCanaryStatus: Bool
        var modifyIndex: UInt64
        var isFromList: Bool
        /// As it was told.
        var told: AllocationFact?

        var key: JobKey { JobKey(namespace: self.fact.namespace, job: self.fact.job) }
    }

    private struct DeploymentRow {
        var job: JobKey
        var jobVersion: UInt64
        var promotedGroups: Set<String>
        var modifyIndex: UInt64
    }

    private struct NodeRow {
        var name: String
        var modifyIndex: UInt64
    }

    private var allocations: [String: AllocationRecord] = [:]
    private var allocationsOfJob: [JobKey: Set<String>] = [:]
    private var deployments: [String: DeploymentRow] = [:]
    private var deploymentsOfJob: [JobKey: [UInt64: String]] = [:]
    private var nodes: [String: NodeRow] = [:]

    private var touchedAllocations: Set<String> = []
    private var removedAllocations: Set<String> = []

    func nodeName(_ id: String) -> String? { self.nodes[id]?.name }

    // MARK: - Rows

    mutating func apply(_ row: NomadAllocation, as shape: Shape) {
        guard let id = TaskRegistrationID.uuid(row.id.utf8) else { return }
        let known = self.allocations[id]
        if let known, !shape.replaces(known.modifyIndex, with: row.modifyIndex) {
            guard row.modifyIndex == known.modifyIndex, shape.isList != known.isFromList else { return }
            // The same row in its other shape: it adds what is missing.
            if shape.isList {
                if let version = row.jobVersion { self.allocations[id]?.fact.jobVersion = version }
                self.touchedAllocations.insert(id)
                return
            }
        }
        var record = AllocationRecord(
            fact: AllocationFact(row, id: id),
            deployment: shape.isList ? nil : .some(row.deploymentID),
            hasCanaryStatus: row.isCanary,
            modifyIndex: row.modifyIndex,
            isFromList: shape.isList,
            told: known?.told
        )
        if let known {
            // Strings that stay the same are kept once.
            if known.fact.nodeID == record.fact.nodeID { record.fact.nodeID = known.fact.nodeID }
            if record.fact.jobVersion == nil { record.fact.jobVersion = known.fact.jobVersion }
            if shape.isList { record.fact.isMigrating = known.fact.isMigrating }
            if known.key != record.key { self.leave(known.key, id) }
        }
        self.allocations[id] = record
        self.allocationsOfJob[record.key, default: []].insert(id)
        self.touchedAllocations.insert(id)
        self.removedAllocations.remove(id)
    }

    mutating func apply(_ row: NomadDeployment, as shape: Shape) {
        let key = JobKey(namespace: row.namespace, job: row.jobID)
        if let known = self.deployments[row.id] {
            guard shape.replaces(known.modifyIndex, with: row.modifyIndex) else { return }
            if known.job != key || known.jobVersion != row.jobVersion { self.removeDeployment(row.id, known) }
        }
        self.deployments[row.id] = DeploymentRow(
            job: key,
            jobVersion: row.jobVersion,
            promotedGroups: Set(row.groups.filter { $0.value.isPromoted }.keys),
            modifyIndex: row.modifyIndex
        )
        self.deploymentsOfJob[key, default: [:]][row.jobVersion] = row.id
        self.touchedAllocations.formUnion(self.allocationsOfJob[key] ?? [])
    }

    mutating func apply(_ row: NomadNode, as shape: Shape) {
        if let known = self.nodes[row.id], !shape.replaces(known.modifyIndex, with: row.modifyIndex) { return }
        self.nodes[row.id] = NodeRow(name: row.name, modifyIndex: row.modifyIndex)
    }

    mutating func removeNode(_ id: String, at index: UInt64) {
        guard let known = self.nodes[id], known.modifyIndex < index else { return }
        self.nodes[id] = nil
    }

    /// A list is complete: what it did not name is gone.
    ///
    /// - Parameters:
    ///   - namespace: what the list is of; "*" for all.
    ///   - index: of its first page.
    mutating func remove(_ table: NomadTable, butFor seen: Set<String>, in namespace: String, asOf index: UInt64) {
        func isMeant(_ other: String) -> Bool { namespace == NomadConfiguration.allNamespaces || namespace == other }
        switch table {
        case .allocations:
            for (id, record) in self.allocations
            where isMeant(record.fact.namespace) && record.modifyIndex <= index && !seen.contains(id) {
                self.removeAllocation(id, record)
            }
        case .deployments:
            for (id, row) in self.deployments
            where isMeant(row.job.namespace) && row.modifyIndex <= index && !seen.contains(id) {
                self.removeDeployment(id, row)
            }
        case .nodes:
            for (id, row) in self.nodes where row.modifyIndex <= index && !seen.contains(id) {
                self.nodes[id] = nil
            }
        case .services: break
        }
    }

    /// The indexes of a table are not comparable with those to come.
    mutating func forgetIndexes(of table: NomadTable) {
        switch table {
        case .allocations: for id in self.allocations.keys { self.allocations[id]?.modifyIndex = 0 }
        case .deployments: for id in self.deployments.keys { self.deployments[id]?.modifyIndex = 0 }
        case .nodes: for id in self.nodes.keys { self.nodes[id]?.modifyIndex = 0 }
        case .services: break
        }
    }

    private mutating func removeAllocation(_ id: String, _ record: AllocationRecord) {
        self.allocations[id] = nil
        self.leave(record.key, id)
        self.touchedAllocations.remove(id)
        if record.told != nil { self.removedAllocations.insert(id) }
    }

    private mutating func leave(_ job: JobKey, _ id: String) {
        self.allocationsOfJob[job]?.remove(id)
        if self.allocationsOfJob[job]?.isEmpty ?? false { self.allocationsOfJob[job] = nil }
    }

    private mutating func removeDeployment(_ id: String, _ row: DeploymentRow) {
        self.deployments[id] = nil
        if self.deploymentsOfJob[row.job]?[row.jobVersion] == id {
            self.deploymentsOfJob[row.job]?[row.jobVersion] = nil
        }
        if self.deploymentsOfJob[row.job]?.isEmpty ?? false { self.deploymentsOfJob[row.job] = nil }
        self.touchedAllocations.formUnion(self.allocationsOfJob[row.job] ?? [])
    }

    /// The jobs that something is kept of.
    var jobCount: Int { Set(self.allocationsOfJob.keys).union(self.deploymentsOfJob.keys).count }

    // MARK: - Facts

    /// What is not as it was told. With `isFirst`, everything.
    mutating func takeUpdate(isFirst: Bool) -> NomadFactsUpdate {
        var update = NomadFactsUpdate(isComplete: isFirst)
        for id in isFirst ? Set(self.allocations.keys) : self.touchedAllocations {
            guard let record = self.allocations[id] else { continue }
            let fact = self.fact(record)
            guard isFirst || fact != record.told else { continue }
            self.allocations[id]?.told = fact
            update.allocations[id] = .some(fact)
        }
        for id in self.removedAllocations { update.allocations[id] = .some(nil) }
        self.touchedAllocations = []
        self.removedAllocations = []
        return update
    }

    private func fact(_ record: AllocationRecord) -> AllocationFact {
        var fact = record.fact
        switch record.deployment {
        case .some(let deployment): fact.deployment = deployment
        case nil: fact.deployment = fact.jobVersion.flatMap { self.deploymentsOfJob[record.key]?[$0] }
        }
        let deployment = fact.deployment.flatMap { self.deployments[$0] }
        // An update in place moves an allocation to another version, and the event names the deployment alone.
        if !record.isFromList, let deployment { fact.jobVersion = deployment.jobVersion }
        let isPromoted = deployment?.promotedGroups.contains(fact.group) ?? false
        fact.isCanary = record.hasCanaryStatus && !isPromoted
        return fact
    }
}

extension AllocationFact {
    init(_ row: NomadAllocation, id: String) {
        self.id = id
        self.namespace = row.namespace
        self.job = row.jobID
        self.jobVersion = row.jobVersion
        self.group = row.group
        self.deployment = nil
        self.isCanary = false
        self.nodeID = row.nodeID
        // What a later release may add is no reason to act.
        self.desired = DesiredStatus(rawValue: row.desiredStatus) ?? .run
        self.client = ClientStatus(rawValue: row.clientStatus) ?? .unknown
        self.isMigrating = row.isToMigrate
    }
}
