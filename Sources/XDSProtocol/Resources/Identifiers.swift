// SPDX-License-Identifier: Apache-2.0

/// The name of a resource, unique within its type.
package struct ResourceName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name that subscribes to everything of a type.
    package static let wildcard = ResourceName("*")

    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }

    package static func < (left: ResourceName, right: ResourceName) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Tells one response from all others on its stream.
package struct Nonce: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }
}
