// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

extension StreamStateMachine {
    /// When the client is told next of what expires.
    struct Heartbeat: Sendable {
        private var next: (deadline: Int, interval: Duration)?

        /// A third of the shortest time to live: two heartbeats may get lost. One that is due later anyway is not waited for.
        /// - Parameter times: of what the client holds.
        mutating func schedule(_ times: [Duration], _ deadlines: inout Deadlines, _ actions: inout [Action]) {
            guard let shortest = times.min() else { return }
            let interval = shortest / 3
            if let next = self.next, next.interval <= interval { return }
            self.next = (deadlines.wake(for: .heartbeat, after: interval, &actions), interval)
        }

        /// Whether it is time, and not another deadline in the place of this one.
        mutating func take(_ deadline: Int) -> Bool {
            guard deadline == self.next?.deadline else { return false }
            self.next = nil
            return true
        }
    }
}

extension TypeState {
    /// What the client holds that expires, as far as anybody knows. That is not always the newest, which may have been
    /// refused or have to wait: without the last good one the client would have none.
    func perishable(in resources: Snapshot.Resources, besides others: Set<ResourceName> = []) -> [Resource] {
        self.expiring.compactMap { name in
            guard !others.contains(name), let held = self.held[name] else { return nil }
            // One of which only the version is known, from a reconnect, is known if it is the newest.
            let newest = resources[name].flatMap { $0.version == held.version ? $0 : nil }
            guard let resource = held.resource ?? newest, resource.timeToLive != nil else { return nil }
            return resource
        }
    }

    /// Delta: they go beside what else there is to say, because there may always be something.
    mutating func takeHeartbeats(_ resources: Snapshot.Resources, into next: inout Next) {
        // Envoy refuses a response that has a name twice.
        let named = Set(next.upserts.map(\.name)).union(next.removals).union(next.unknown)
        let isAlone = next.isEmpty
        next.heartbeats = self.perishable(in: resources, besides: named)
        if isAlone, !next.heartbeats.isEmpty { next.trial = [] }
    }

    /// Delta: the client did not hear them.
    mutating func heartbeatsRefused(_ flight: Next) {
        if flight.heartbeats.isEmpty { return }
        if !flight.upserts.isEmpty {
            // Something else may have been refused.
            self.owesHeartbeat = true
        } else if flight.trial != nil {
            // It has them no more, or other ones: they are sent anew.
            for resource in flight.heartbeats where self.subscription.contains(resource.name) {
                self.expiring.remove(resource.name)
                guard let held = self.held[resource.name] else { continue }
                self.held.set(resource.name, Held(version: nil, resource: held.resource))
                self.dirty.insert(resource.name)
            }
        }
    }
}
