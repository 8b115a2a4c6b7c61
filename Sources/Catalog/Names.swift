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
