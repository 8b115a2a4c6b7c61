// SPDX-License-Identifier: Apache-2.0

/// The names that a request lists. Proxies of a group ask for the same, and share one of these: its set is what their
/// subscriptions refer to until they change.
package final class NameList: Sendable {
    /// As they came over the wire; equal bytes are equal names.
    package let bytes: [UInt8]
    package let names: [ResourceName]
    package let set: Set<ResourceName>

    init(bytes: [UInt8], names: [ResourceName]) {
        self.bytes = bytes
        self.names = names
        self.set = Set(names)
    }

    package func isWritten(as bytes: ArraySlice<UInt8>) -> Bool {
        bytes.isEqual(to: self.bytes)
    }
}
