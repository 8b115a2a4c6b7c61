// SPDX-License-Identifier: Apache-2.0

/// Chooses some of a service's instances by tag and meta. Empty chooses all.
package struct Subset: Hashable, Sendable {
    /// An instance must have every one of these.
    package var tags: Set<String>
    /// An instance must have every one of these keys with this value.
    package var meta: [String: String]

    package static let all = Subset()

    package init(tags: Set<String> = [], meta: [String: String] = [:]) {
        self.tags = tags
        self.meta = meta
    }

    package var isAll: Bool { self.tags.isEmpty && self.meta.isEmpty }

    package func contains(_ instance: Instance) -> Bool {
        self.tags.isSubset(of: instance.tags) && self.meta.allSatisfy { instance.meta[$0.key] == $0.value }
    }
}
