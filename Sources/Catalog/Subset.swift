// SPDX-License-Identifier: Apache-2.0

/// Chooses some of a service's instances by tag and meta, or by whether they are canaries. Empty chooses all.
package struct Subset: Hashable, Sendable {
    /// An instance must have every one of these.
    package var tags: Set<String>
    /// An instance must have every one of these keys with this value.
    package var meta: [String: String]
    /// An instance must be a canary, or must not be one. Nil: either.
    package var isCanary: Bool?

    package static let all = Subset()

    package init(tags: Set<String> = [], meta: [String: String] = [:], isCanary: Bool? = nil) {
        self.tags = tags
        self.meta = meta
        self.isCanary = isCanary
    }

    package var isAll: Bool { self.tags.isEmpty && self.meta.isEmpty && self.isCanary == nil }

    package func contains(_ instance: Instance) -> Bool {
        self.tags.isSubset(of: instance.tags) && self.meta.allSatisfy { instance.meta[$0.key] == $0.value }
            && self.isCanary.map { $0 == instance.isCanary } ?? true
    }
}
