// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane

/// A source in `GET /state`.
package struct SourceState: Codable, Sendable {
    package var name: String
    /// starting, up, down or suspect.
    package var state: String
    package var reason: String?
    package var problem: String?
    /// Of the agent that is asked.
    package var version: String?
    /// While what was stored stands in for parts of it: how long ago the oldest was known to be so, and each.
    package var storedAgeSeconds: Int64?
    package var storedPartAgeSeconds: [String: Int64]?
    /// In force, those held included.
    package var services: Int
    package var instances: Int
    /// Of the instances, those whose checks let requests to them.
    package var routableInstances: Int
}

/// What is held of a source, in `GET /state`.
package struct HeldState: Codable, Sendable {
    package var source: String
    package var reason: String
    /// The first 100 of their names.
    package var services: [String]
    package var serviceCount: Int
    /// How many of the services would have nobody without it.
    package var emptied: Int
    package var instances: Int
    package var heldSeconds: Int64
    /// Absent while the source is not heard or not believed as a whole: nothing is released then. And of what waits for the
    /// operator.
    package var remainingSeconds: Int64?
}

extension SourceState {
    init(_ status: SourceStatus, in all: ControlPlaneService.Status) {
        self.name = status.source.rawValue
        self.state = status.state.rawValue
        self.reason = status.reason
        self.problem = status.problem
        self.version = status.version
        let size = all.sizes[status.source] ?? CatalogGuard.Size()
        (self.services, self.instances, self.routableInstances) = (size.services, size.instances, size.routable)
        let ages = (all.storedAges[status.source] ?? [:]).map { ($0.rawValue, $1.components.seconds) }
        self.storedAgeSeconds = ages.map { $0.1 }.max()
        if !ages.isEmpty { self.storedPartAgeSeconds = Dictionary(uniqueKeysWithValues: ages) }
    }
}

extension HeldState {
    init(_ held: HeldRemoval, now: Duration) {
        self.source = held.source.rawValue
        self.reason = held.reason.rawValue
        self.services = Array(held.names.prefix(100))
        self.serviceCount = held.names.count
        self.emptied = held.emptied
        self.instances = held.instances
        self.heldSeconds = max(.zero, now - held.since).components.seconds
        self.remainingSeconds = held.until.map { max(.zero, $0 - now).components.seconds }
    }
}
