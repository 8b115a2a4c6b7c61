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
    /// Whether it is a service, and not the proxies of a mesh in front of one.
    var isOurs = true
    /// Whether it was read at all.
    var isRead = false
    /// Whether the server left something out of it then.
    var isFiltered = false
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
    /// What is missing from the reading that the token might not read any more.
    func hidden(in reading: ConsulServiceReading) -> Set<InstanceID> {
        guard self.isRead, reading.isFiltered, !self.isFiltered else { return [] }
        return Set(self.instances.map(\.id)).subtracting(reading.instances.map(\.id))
    }

    /// Whether its index alone can tell that it changed.
    var canBeProbed: Bool { self.isRead && (self.work == .none || self.work == .resting) }

    /// No reading before: a large one is not read all the time.
    var notBefore = Duration.zero
}
