// SPDX-License-Identifier: Apache-2.0

package import HashTreeCollections

/// Everything that the proxies of one node group should hold. Immutable.
package struct Snapshot: Sendable {
    package typealias Resources = TreeDictionary<ResourceName, Resource>

    /// Rises with every publication. For logs and ordering only, never on the wire.
    package var generation: UInt64
    package var resources: [TypeURL: Resources]

    package init(generation: UInt64, resources: [TypeURL: Resources] = [:]) {
        self.generation = generation
        self.resources = resources
    }

    package subscript(type: TypeURL, name: ResourceName) -> Resource? {
        self.resources[type]?[name]
    }

    package subscript(type: TypeURL) -> Resources {
        self.resources[type] ?? [:]
    }

    /// What is not the same in `other`, in either direction.
    package func differences(from other: Snapshot) -> ChangeSet {
        var changes = ChangeSet()
        for type in Set(self.resources.keys).union(other.resources.keys) {
            let (new, old) = (self[type], other[type])
            var names: Set<ResourceName> = []
            for (name, resource) in new where old[name]?.version != resource.version { names.insert(name) }
            for name in old.keys where new[name] == nil { names.insert(name) }
            if !names.isEmpty { changes.names[type] = names }
        }
        return changes
    }

    /// As `differences(from:)`, of the names that `candidates` has: the work is that of the change.
    package func differences(from other: Snapshot, among candidates: ChangeSet) -> ChangeSet {
        var changes = ChangeSet()
        for (type, names) in candidates.names {
            let (new, old) = (self[type], other[type])
            let changed = names.filter { new[$0]?.version != old[$0]?.version }
            if !changed.isEmpty { changes.names[type] = changed }
        }
        return changes
    }
}

/// The names of what changed between two snapshots: added, removed or with other content.
package struct ChangeSet: Hashable, Sendable {
    package var names: [TypeURL: Set<ResourceName>]

    package init(names: [TypeURL: Set<ResourceName>] = [:]) {
        self.names = names
    }

    package var isEmpty: Bool { self.names.isEmpty }

    package mutating func formUnion(_ other: ChangeSet) {
        self.names.merge(other.names) { $0.union($1) }
    }
}
