// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What is known of one service that the catalog lists, and whether it must be read.
struct ConsulKnownService: Sendable {
    enum Work: Hashable, Sendable {
        case none
        case queued
        case reading
        /// To be read, but not now: see `ConsulServices.resting`.
        case resting
    }

    /// Of all its instances together, in order.
    var tags: [String]
    /// At which it last changed, as far as is known.
    var index: UInt64 = 0
    var instances: [Instance] = []
    /// The nodes that have it, in order.
    var nodes: [String] = []
    var diagnostics: [Diagnostic] = []
    var passingChecks = 0
    /// The index of a reading that was not believed: no other of the catalog's is as high.
    var tooHigh: UInt64?
    /// Whether it is a service, and not the proxies of a mesh in front of one.
    var isOurs = true
    /// Whether it was read at all.
    var isRead = false
    /// Whether an operator let go of all that was known of it, and nothing was read of it since.
    var isLetGo = false
    var work = Work.none
    /// What is read must show at least this index, or it is read once more.
    var needed: UInt64 = 0
    /// Higher than that of all that changed before it; 0: not since it is known.
    var recency: UInt64 = 0
    /// In a row.
    var failures = 0
    /// How often it was read only to see whether an instance has got its check.
    var checkWaits = 0
    /// Since when it is listed and shows no instance.
    var emptySince: Duration?

    /// What is missing in the reading and may be there, because Consul left something out of it. Of a node it leaves out all
    /// that is the service's, or nothing.
    ///
    /// An ID says nothing: nodes choose them by themselves. If another node's instance has it in the reading, the one that is
    /// missing is prefixed by its node, as if the reading had both.
    func unseen(in reading: ConsulServiceReading) -> [Instance] {
        guard self.isRead, reading.isFiltered else { return [] }
        let nodes = Set(reading.nodes)
        let unseen = self.instances.filter { !nodes.contains($0.node) }
        guard !unseen.isEmpty else { return [] }
        var taken = Set(reading.instances.map(\.id))
        return unseen.map { instance in
            var instance = instance
            while !taken.insert(instance.id).inserted {
                instance.id = InstanceID("\(instance.node)/\(instance.id)")
            }
            return instance
        }
    }

    /// Whether its index alone can tell that it changed.
    var canBeProbed: Bool { self.isRead && (self.work == .none || self.work == .resting) }

    /// No reading before: a large one is not read all the time.
    var notBefore = Duration.zero
}
