// SPDX-License-Identifier: Apache-2.0

import Synchronization
import XDSProtocol

/// One stream's place in the cache: state and not events.
package final class SnapshotWatch: Sendable {
    private struct Delivery {
        var group: NodeGroup?
        var pending: (snapshot: Snapshot, changes: ChangeSet?)?
        /// Nil once nobody waits any more: it refers to who waited, who refers to us.
        var onDelivery: (@Sendable () -> Void)?
    }

    package let node: Node
    package let streams: StreamKind
    /// Those whose changes matter to it; nil: all.
    private let types: Set<TypeURL>?
    private let delivery: Mutex<Delivery>

    init(
        node: Node,
        streams: StreamKind,
        types: Set<TypeURL>? = nil,
        onDelivery: @escaping @Sendable () -> Void
    ) {
        self.node = node
        self.streams = streams
        self.types = types
        self.delivery = Mutex(Delivery(onDelivery: onDelivery))
    }

    /// Nil while nothing selects the node.
    package var group: NodeGroup? { self.delivery.withLock { $0.group } }

    func cares(about changes: ChangeSet) -> Bool {
        guard let types = self.types else { return !changes.isEmpty }
        return types.contains { changes.names[$0] != nil }
    }

    /// The newest snapshot since the last call, and what changed since then; nil changes: look at everything.
    func take() -> (snapshot: Snapshot, changes: ChangeSet?)? {
        self.delivery.withLock { delivery in
            defer { delivery.pending = nil }
            return delivery.pending
        }
    }

    /// Nobody waits any more.
    func cancel() {
        self.delivery.withLock { delivery in
            delivery.onDelivery = nil
            delivery.pending = nil
        }
    }

    /// Nothing selects the node any more: it keeps what it has.
    func leaveGroup() {
        self.delivery.withLock { $0.group = nil }
    }

    func deliver(_ snapshot: Snapshot, changes: ChangeSet?, group: NodeGroup) {
        let onDelivery = self.delivery.withLock { delivery -> (@Sendable () -> Void)? in
            delivery.group = group
            guard let pending = delivery.pending else {
                delivery.pending = (snapshot, changes)
                return delivery.onDelivery
            }
            var merged = changes
            if let earlier = pending.changes, merged != nil {
                merged?.formUnion(earlier)
            } else {
                merged = nil
            }
            delivery.pending = (snapshot, merged)
            return nil
        }
        onDelivery?()
    }
}
