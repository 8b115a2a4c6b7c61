// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

/// A NACK: what the client refused, and its words. Which of the response's resources the client kept is unknown.
package struct Rejection: Equatable, Sendable {
    package var type: TypeURL
    package var nonce: Nonce
    /// Those that may be to blame.
    package var resources: [Resource]
    /// Those that the search for the culprit was given up of with this one: held back until their type changes.
    package var untried: [ResourceName] = []
    package var message: String
}

/// What one type of one stream is up to, for people: if it cannot be printed, it is not state.
package struct TypeStatus: Sendable {
    package struct RejectedResource: Sendable {
        package var name: ResourceName
        package var version: ResourceVersion
        package var message: String
    }

    package var type: TypeURL
    package var subscription: Subscription
    package var wanted: [ResourceName: ResourceVersion]
    /// Nil where the client named a version that is not ours.
    package var acknowledged: [ResourceName: ResourceVersion?]
    package var inFlight: (nonce: Nonce, names: [ResourceName])?
    package var rejected: [RejectedResource]
    package var responsesSent: Int
    package var resourcesSent: Int
    /// How many names that lead nowhere were answered and not remembered, because there were too many.
    package var namesDropped: Int

    init(_ state: TypeState, snapshot: Snapshot?) {
        self.type = state.type
        self.subscription = state.subscription
        let resources = snapshot?[state.type] ?? [:]
        self.wanted = [:]
        if state.subscription.isWildcard {
            for (name, resource) in resources where !state.hides(resource) { self.wanted[name] = resource.version }
        } else {
            for name in state.subscription.names {
                if let resource = resources[name] { self.wanted[name] = resource.version }
            }
        }
        self.acknowledged = [:]
        for name in Set(self.wanted.keys).union(state.held.exceptions.keys) {
            if let held = state.held[name] { self.acknowledged[name] = .some(held.version) }
        }
        self.inFlight = state.inFlight.map {
            ($0.nonce, $0.content.upserts.map(\.name).sorted() + $0.content.removals.sorted())
        }
        self.rejected = state.suspects.convicted
            .map { RejectedResource(name: $0.key, version: $0.value.version, message: $0.value.message) }
        self.rejected += state.suspects.untried.map { name, conviction in
            let message = "not tried by itself, among too many: \(conviction.message)"
            return RejectedResource(name: name, version: conviction.version, message: message)
        }
        self.rejected += state.refusedRemovals.names.compactMap { name in
            guard let message = state.refusedRemovals.message(name), let resource = state.held[name]?.resource else {
                return nil
            }
            return RejectedResource(name: name, version: resource.version, message: "its removal: \(message)")
        }
        self.rejected.sort { $0.name < $1.name }
        self.responsesSent = state.responsesSent
        self.resourcesSent = state.resourcesSent
        self.namesDropped = state.namesDropped
    }
}
