// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import XDSProtocol

/// The newest snapshot of every node group in use, and who waits for the next one.
///
/// Newest wins: a watcher that has not yet taken a snapshot finds the newer one in its place, with the changes of both.
/// Nothing is served before the first publication: silence, and never an emptiness that would be believed.
package final class SnapshotCache: Sendable {
    private struct Group {
        var snapshot: Snapshot
        var watches: [ObjectIdentifier: SnapshotWatch] = [:]
    }

    private struct State {
        var world: (any World)?
        var generation: UInt64 = 0
        var groups: [NodeGroup: Group] = [:]
        /// Those that somebody was in and, when this was noted, nobody any more; the newest last.
        var unused: [NodeGroup] = []
        /// Those whose proxies nothing selects.
        var strays: [ObjectIdentifier: SnapshotWatch] = [:]

        /// Puts a stream into the group that the world says, and gives it the group's snapshot, which is made now if it is
        /// the first to ask for it.
        /// - Returns: how many resources were made.
        @discardableResult
        mutating func place(_ watch: SnapshotWatch) -> Int {
            guard let world = self.world, let group = world.group(of: watch.node, streams: watch.streams) else {
                watch.leaveGroup()
                self.strays[ObjectIdentifier(watch)] = watch
                return 0
            }
            let known = self.groups[group]?.snapshot
            let snapshot = known ?? Snapshot(generation: self.generation, resources: world.resources(for: group))
            self.groups[group, default: Group(snapshot: snapshot)].watches[ObjectIdentifier(watch)] = watch
            watch.deliver(snapshot, changes: nil, group: group)
            return known == nil ? snapshot.resources.values.reduce(0) { $0 + $1.count } : 0
        }

        /// Clients say which group they are in: what nobody is in any more is not to add up. The last ones stay, for proxies
        /// that come back and for fetches.
        private mutating func left(_ group: NodeGroup) {
            guard self.groups[group]?.watches.isEmpty == true else { return }
            self.unused.removeAll { $0 == group }
            self.unused.append(group)
            guard self.unused.count > SnapshotCache.unusedKept else { return }
            let oldest = self.unused.removeFirst()
            guard self.groups[oldest]?.watches.isEmpty == true else { return }
            self.groups[oldest] = nil
            self.world?.forget(oldest)
        }

        /// Delivered here, under the lock, or an older snapshot could arrive last.
        mutating func install(_ world: any World, _ updates: [NodeGroup: Update]) {
            let keepsGroups = world.keepsGroups && self.world != nil
            self.world = world
            self.generation += 1
            self.groups = self.groups.filter { !$0.value.watches.isEmpty }
            self.unused = []
            var moved = keepsGroups ? [] : Array(self.strays.values)
            for (name, group) in self.groups {
                // One that came into use since the updates were made has none.
                let update = updates[name] ?? Update(of: name, from: group.snapshot, to: world)
                let snapshot = Snapshot(generation: self.generation, resources: update.resources)
                self.groups[name]?.snapshot = snapshot
                for watch in group.watches.values {
                    if !keepsGroups, world.group(of: watch.node, streams: watch.streams) != name {
                        moved.append(watch)
                    } else if watch.cares(about: update.changes) {
                        watch.deliver(snapshot, changes: update.changes, group: name)
                    }
                }
            }
            for watch in moved {
                self.remove(watch)
                self.place(watch)
            }
        }

        mutating func remove(_ watch: SnapshotWatch) {
            self.strays[ObjectIdentifier(watch)] = nil
            guard let group = watch.group else { return }
            self.groups[group]?.watches[ObjectIdentifier(watch)] = nil
            self.left(group)
        }
    }

    static let unusedKept = 16

    /// One publication at a time: what a world says of changes is relative to the one before.
    private let publication = Mutex(())
    private let state = Mutex(State())
    private let memory: FreeMemory

    package convenience init() {
        self.init(memory: .shared)
    }

    init(memory: FreeMemory) {
        self.memory = memory
    }

    /// Rises with every publication; 0 before the first.
    package var generation: UInt64 { self.state.withLock { $0.generation } }

    /// Makes the snapshots of all groups in use and wakes the streams for which something changed.
    package func publish(_ world: any World) {
        self.publication.withLock { _ in
            // Made outside the lock that streams need to open: a large world takes its time.
            let before = self.state.withLock { $0.groups.filter { !$0.value.watches.isEmpty }.mapValues(\.snapshot) }
            var updates: [NodeGroup: Update] = [:]
            for (group, snapshot) in before { updates[group] = Update(of: group, from: snapshot, to: world) }
            self.state.withLock { $0.install(world, updates) }
        }
        // At the start, and when other proxies are selected: rare, and a world made anew leaves the most behind.
        if !world.keepsGroups { self.memory.giveBack() }
    }

    /// Starts to deliver to a stream; the newest snapshot at once, if there is one.
    /// - Parameter types: those whose changes matter to it; nil: all.
    package func watch(
        node: Node,
        streams: StreamKind,
        types: Set<TypeURL>? = nil,
        onDelivery: @escaping @Sendable () -> Void
    ) -> SnapshotWatch {
        let watch = SnapshotWatch(node: node, streams: streams, types: types, onDelivery: onDelivery)
        let made = self.state.withLock { $0.place(watch) }
        // Small groups may be many, and leave little behind.
        if made >= 1_000 { self.memory.giveBack() }
        return watch
    }

    package func cancel(_ watch: SnapshotWatch) {
        self.state.withLock { $0.remove(watch) }
        watch.cancel()
    }
}

/// A group's resources in a new world, and what of them is not as before.
private struct Update {
    let resources: [TypeURL: Snapshot.Resources]
    let changes: ChangeSet

    init(of group: NodeGroup, from previous: Snapshot, to world: any World) {
        self.resources = world.resources(for: group)
        let snapshot = Snapshot(generation: previous.generation, resources: self.resources)
        self.changes =
            world.changes(for: group).map { snapshot.differences(from: previous, among: $0) }
            ?? snapshot.differences(from: previous)
    }
}
