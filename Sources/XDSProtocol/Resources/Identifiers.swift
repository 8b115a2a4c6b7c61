// SPDX-License-Identifier: Apache-2.0

/// The name of a resource, unique within its type. Two names are the same if their bytes are: Swift's own equality of texts
/// takes "é" and "e" with a combining accent for one, which no proxy does.
package struct ResourceName: Sendable, CustomStringConvertible {
    /// The name that subscribes to everything of a type.
    package static let wildcard = ResourceName("*")

    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { self.rawValue }
}

extension ResourceName: Hashable {
    package static func == (left: ResourceName, right: ResourceName) -> Bool {
        let areEqual = left.rawValue.utf8.withContiguousStorageIfAvailable { left in
            right.rawValue.utf8.withContiguousStorageIfAvailable { right in
                areSame(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
            }
        }
        return (areEqual ?? nil) ?? left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        let hashed: Void? = self.rawValue.utf8.withContiguousStorageIfAvailable { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if hashed == nil { for byte in self.rawValue.utf8 { hasher.combine(byte) } }
    }
}

extension ResourceName: Comparable {
    package static func < (left: ResourceName, right: ResourceName) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
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
