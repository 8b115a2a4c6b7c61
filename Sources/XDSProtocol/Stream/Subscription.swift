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
        var wildcardEnded = false

        var isEmpty: Bool { self == Change() }
    }

    /// A state-of-the-world request: `requested` is everything that is wanted from now on.
    mutating func replace(with requested: [ResourceName], type: TypeURL, isFirst: Bool) -> Change {
        var names = Set(requested)
        let wildcard: Wildcard
        if names.remove(.wildcard) != nil {
            wildcard = .explicit
        } else if names.isEmpty, type.hasLegacyWildcard, isFirst || self.wildcard == .legacy {
            wildcard = .legacy
        } else {
            // Also when it was legacy and names came: from then on an empty list means nothing.
            wildcard = .none
        }
        let new = names.subtracting(self.names)
        let change = Change(
            added: new,
            new: new,
            removed: self.names.subtracting(names),
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

    /// A delta request. Names in `subscribe` count as added even if they were subscribed: the client may have forgotten.
    mutating func update(
        subscribe: [ResourceName],
        unsubscribe: [ResourceName],
        type: TypeURL,
        isFirst: Bool
    ) -> Change {
        let before = self
        if isFirst, subscribe.isEmpty, type.hasLegacyWildcard {
            self.wildcard = .legacy
        }
        var change = Change()
        for name in subscribe {
            if name == .wildcard {
                self.wildcard = .explicit
            } else {
                if self.names.insert(name).inserted { change.new.insert(name) }
                change.added.insert(name)
            }
        }
        for name in unsubscribe where !change.added.contains(name) {
            if name == .wildcard {
                self.wildcard = .none
            } else if self.names.remove(name) != nil {
                change.removed.insert(name)
            }
        }
        change.wildcardBegan = !before.isWildcard && self.isWildcard
        change.wildcardEnded = before.isWildcard && !self.isWildcard
        return change
    }
}
