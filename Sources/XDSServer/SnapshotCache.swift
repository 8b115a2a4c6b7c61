// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import XDSProtocol

/// What a snapshot cache serves: which group a proxy belongs to, and what the group gets. A pure value; the cache asks it
/// once per group and publication.
package protocol World: Sendable {
    /// Nil if nothing selects the proxy: it is sent nothing and keeps what it has.
    func group(of node: Node, streams: StreamKind) -> NodeGroup?

    func resources(for group: NodeGroup) -> [TypeURL: Snapshot.Resources]
}

/// The newest snapshot of every node group in use, and who waits for the next one.
///
/// Newest wins: a watcher that has not yet taken a snapshot finds the newer one in its place, with the changes of both.
/// Nothing is served before the first publication: silence, and never an emptiness that would be believed.
package final class SnapshotCache: Sendable {
    private struct State {
        var world: (any World)?
        var generation: UInt64 = 0
        var snapshots: [NodeGroup: Snapshot] = [:]
        var watches: [ObjectIdentifier: SnapshotWatch] = [:]

        /// The group's snapshot, made now if it is the first to ask for it since the last publication.
        mutating func snapshot(of group: NodeGroup) -> Snapshot? {
            if let snapshot = self.snapshots[group] { return snapshot }
            guard let world = self.world else { return nil }
            let resources = world.resources(for: group)
            let snapshot = Snapshot(generation: self.generation, resources: resources)
            self.snapshots[group] = snapshot
            return snapshot
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Rises with every publication; 0 before the first.
    package var generation: UInt64 { self.state.withLock { $0.generation } }

    /// Makes the snapshots of all groups in use and wakes the streams for which something changed.
    package func publish(_ world: any World) {
        self.state.withLock { state in
            state.world = world
            state.generation += 1
            var changes: [NodeGroup: ChangeSet] = [:]
            let inUse = Set(state.watches.values.compactMap(\.group))
            state.snapshots = state.snapshots.filter { inUse.contains($0.key) }
            for (group, previous) in state.snapshots {
                let resources = world.resources(for: group)
                let snapshot = Snapshot(generation: state.generation, resources: resources)
                changes[group] = snapshot.differences(from: previous)
                state.snapshots[group] = snapshot
            }
            // Delivered under the lock, or an older snapshot could arrive last.
            for watch in state.watches.values {
                guard let group = world.group(of: watch.node, streams: watch.streams),
                    let snapshot = state.snapshot(of: group)
                else {
                    watch.leaveGroup()
                    continue
                }
                if watch.group == group, let changes = changes[group] {
                    if !changes.isEmpty { watch.deliver(snapshot, changes: changes, group: group) }
                } else {
                    watch.deliver(snapshot, changes: nil, group: group)
                }
            }
        }
    }

    /// Starts to deliver to a stream; the newest snapshot at once, if there is one.
    package func watch(
        node: Node,
        streams: StreamKind,
        onDelivery: @escaping @Sendable () -> Void
    ) -> SnapshotWatch {
        let watch = SnapshotWatch(node: node, streams: streams, onDelivery: onDelivery)
        self.state.withLock { state in
            state.watches[ObjectIdentifier(watch)] = watch
            if let group = state.world?.group(of: node, streams: streams), let snapshot = state.snapshot(of: group) {
                watch.deliver(snapshot, changes: nil, group: group)
            }
        }
        return watch
    }

    package func cancel(_ watch: SnapshotWatch) {
        self.state.withLock { $0.watches[ObjectIdentifier(watch)] = nil }
    }
}

/// One stream's place in the cache: state and not events.
package final class SnapshotWatch: Sendable {
    private struct Delivery {
        var group: NodeGroup?
        var pending: (snapshot: Snapshot, changes: ChangeSet?)?
    }

    package let node: Node
    package let streams: StreamKind
    private let onDelivery: @Sendable () -> Void
    private let delivery = Mutex(Delivery())

    init(node: Node, streams: StreamKind, onDelivery: @escaping @Sendable () -> Void) {
        self.node = node
        self.streams = streams
        self.onDelivery = onDelivery
    }

    /// Nil while nothing selects the node.
    package var group: NodeGroup? { self.delivery.withLock { $0.group } }

    /// The newest snapshot since the last call, and what changed since then; nil changes: look at everything.
    func take() -> (snapshot: Snapshot, changes: ChangeSet?)? {
        self.delivery.withLock { delivery in
            defer { delivery.pending = nil }
            return delivery.pending
        }
    }

    /// Nothing selects the node any more: it keeps what it has.
    fileprivate func leaveGroup() {
        self.delivery.withLock { $0.group = nil }
    }

    fileprivate func deliver(_ snapshot: Snapshot, changes: ChangeSet?, group: NodeGroup) {
        let wasEmpty = self.delivery.withLock { delivery in
            delivery.group = group
            guard let pending = delivery.pending else {
                delivery.pending = (snapshot, changes)
                return true
            }
            var merged = changes
            if let earlier = pending.changes, merged != nil {
                merged?.formUnion(earlier)
            } else {
                merged = nil
            }
            delivery.pending = (snapshot, merged)
            return false
        }
        if wasEmpty { self.onDelivery() }
    }
}
