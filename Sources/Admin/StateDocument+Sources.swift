// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane

extension StateDocument {
    struct Source: Encodable {
        var name: String
        /// starting, up, down or suspect.
        var state: String
        var reason: String?
        var problem: String?
        /// While what was stored stands in for it: how long ago that was known to be so.
        var storedAgeSeconds: Int64?
    }

    struct Held: Encodable {
        var source: String
        var reason: String
        /// The first 100 of their names.
        var services: [String]
        var serviceCount: Int
        /// How many of the services would have nobody without it.
        var emptied: Int
        var instances: Int
        var heldSeconds: Int64
        /// Absent while the source is down: nothing is released then.
        var remainingSeconds: Int64?
    }
}

extension StateDocument.Source {
    init(_ status: SourceStatus, in all: ControlPlaneService.Status) {
        self.name = status.source.rawValue
        self.state = status.state.rawValue
        self.reason = status.reason
        self.problem = status.problem
        self.storedAgeSeconds = all.storedAges[status.source]?.components.seconds
    }
}

extension StateDocument.Held {
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
