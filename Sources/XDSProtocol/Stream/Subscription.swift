// SPDX-License-Identifier: Apache-2.0

/// Which resources of one type a stream wants: names, everything, or both.
///
/// The rules are those of
/// https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
package struct Subscription: Hashable, Sendable {
    package enum Wildcard: Hashable, Sendable {
        case none
        /// The first request named nothing.
        case legacy
        /// `*` was asked for.
        case explicit
    }

    package private(set) var wildcard: Wildcard = .none
    package private(set) var names: Set<ResourceName> = []

    package var isWildcard: Bool { self.wildcard != .none }

    package func contains(_ name: ResourceName) -> Bool {
        self.isWildcard || self.names.contains(name)
    }

    /// What a request changed.
    struct Change: Hashable {
        /// Names that are to be answered: on delta also those that were asked for before.
        var added: Set<ResourceName> = []
        /// Names that were not asked for by name before.
        var new: Set<ResourceName> = []
        /// Names that were asked for and are not any more.
        var removed: Set<ResourceName> = []
        var wildcardBegan = false
        /// Delta: `*` was asked for, and everything was asked for before.
        var wildcardAgain = false
        var wildcardEnded = false

        var isEmpty: Bool { self == Change() }
    }

    /// A state-of-the-world request: `names` is everything that is wanted from now on.
    mutating func replace(with requested: Set<ResourceName>, type: TypeURL, isFirst: Bool) -> Change {
        var names = requested
        let wildcard: Wildcard
        if names.remove(.wildcard) != nil {
            wildcard = .explicit
        } else if names.isEmpty, type.hasLegacyWildcard, isFirst || self.wildcard == .legacy {
            wildcard = .legacy
        } else {
            // Also when it was legacy and names came: from then on an empty list means nothing.
            wildcard = .none
        }
        // Where nothing is taken away, the set is shared with whoever asked for the same.
        let new = self.names.isEmpty ? names : names.subtracting(self.names)
        let change = Change(
            added: new,
            new: new,
            removed: self.names.isEmpty ? [] : self.names.subtracting(names),
            wildcardBegan: !self.isWildcard && wildcard != .none,
            wildcardEnded: self.isWildcard && wildcard == .none
        )
        self.names = names
        self.wildcard = wildcard
        return change
    }

    /// The client holds this resource under another name that it asked for.
    mutating func imply(_ name: ResourceName) -> Bool {
        self.names.insert(name).inserted
    }

    /// Takes back a name that is not worth remembering.
    mutating func drop(_ name: ResourceName) {
        self.names.remove(name)
    }

    /// A delta request. What is in `subscribe` counts as added even if it was subscribed: the client may have forgotten.
    mutating func update(
        subscribe: Set<ResourceName>,
        unsubscribe: [ResourceName],
        type: TypeURL,
        isFirst: Bool
    ) -> Change {
        // A copy of the whole would be a second owner of the names, which then could not change in place.
        let wasWildcard = self.isWildcard
        if isFirst, subscribe.isEmpty, type.hasLegacyWildcard {
            self.wildcard = .legacy
        }
        var change = Change()
        change.added = subscribe
        let asksForEverything = change.added.remove(.wildcard) != nil
        if asksForEverything { self.wildcard = .explicit }
        if self.names.isEmpty {
            // Shared with whoever asked for the same.
            self.names = change.added
            change.new = change.added
        } else {
            for name in change.added where self.names.insert(name).inserted { change.new.insert(name) }
        }
        for name in unsubscribe where !change.added.contains(name) {
            if name == .wildcard {
                // As of names: to ask for it counts more than to give it up.
                if !asksForEverything { self.wildcard = .none }
            } else if self.names.remove(name) != nil {
                change.removed.insert(name)
            }
        }
        change.wildcardBegan = !wasWildcard && self.isWildcard
        change.wildcardAgain = wasWildcard && asksForEverything && self.isWildcard
        change.wildcardEnded = wasWildcard && !self.isWildcard
        return change
    }
}
