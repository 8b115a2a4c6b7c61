// SPDX-License-Identifier: Apache-2.0

/// The name of a service: what a route's backend refers to.
package struct ServiceName: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }

    package static func < (left: ServiceName, right: ServiceName) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension ServiceName {
    /// What our own names begin with in the configuration of a proxy: the cluster of the control plane, the answer that there
    /// is no virtual host. A source may call a service so; a proxy must never take the one for the other.
    package static let prefixOfOurs = "signalbox/"

    /// Byte for byte, as proxies compare: to Swift a slash and an accent on it are one.
    package var isLikeOurs: Bool { self.rawValue.utf8.starts(with: Self.prefixOfOurs.utf8) }
}

/// What tells one instance of a service from another. Unique within its service.
package struct InstanceID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }

    package static func < (left: InstanceID, right: InstanceID) -> Bool {
        left.rawValue < right.rawValue
    }
}
