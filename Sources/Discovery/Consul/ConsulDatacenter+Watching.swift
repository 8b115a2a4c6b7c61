// SPDX-License-Identifier: Apache-2.0

/// Which services have a question of their own that waits: all, if they are few or the agent speaks HTTP/2, else those
/// that changed last.
extension ConsulDatacenter {
    /// Whether changes of it show by themselves.
    func isWatched(_ name: String) -> Bool {
        // What waits for an index of another history waits for ever.
        self.focus.isWatching(name) || (self.multiplex.isWatching(name) && !self.doubt.isOn)
    }

    /// Whether services may share connections: there are more of them than could have one each.
    var sharesConnections: Bool {
        self.limits.multiplex > 0 && self.hasSettled && self.services.byName.count > self.limits.focus
    }

    /// Whether each shows its changes by itself.
    var areAllWatched: Bool { self.multiplex.watched >= self.services.byName.count && !self.doubt.isOn }

    /// The connections that may be shared now.
    var multiplexRoom: Int { max(0, min(self.limits.multiplex, self.limits.focus - self.focus.inFlight)) }

    /// Sees to it that those are watched that should be.
    mutating func watch(_ effects: inout ConsulEffects) {
        let count = self.services.byName.count
        if count <= self.limits.focus, self.focus.count < count {
            for (name, service) in self.services.byName where service.isRead { self.focus.touch(name) }
        }
        if self.sharesConnections {
            self.multiplex.ask(room: self.multiplexRoom, in: self.name, &effects)
            self.focus.leave { self.multiplex.isAtHome($0) }
        } else {
            self.multiplex.leave(&effects)
        }
        self.focus.resize(self.limits.focus - self.multiplex.wanted)
        self.focus.ask(self.services, in: self.name, &effects)
    }
}
