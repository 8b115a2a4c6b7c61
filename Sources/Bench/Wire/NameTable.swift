// SPDX-License-Identifier: Apache-2.0

/// Numbers names in the order of their first appearance, for all streams together, so that what a stream holds is an array
/// and not a dictionary with a copy of each name.
struct NameTable {
    /// A number within one table.
    typealias Index = Int

    private(set) var names: [[UInt8]] = []
    private var indices: [UInt64: Index] = [:]

    /// The number of a name, new if the name is.
    mutating func index(of name: UnsafeRawBufferPointer) -> Index {
        var slot = fingerprint(of: name)
        while let index = self.indices[slot] {
            if self.names[index].elementsEqual(name) { return index }
            // Another name with the same fingerprint.
            slot &+= 2
        }
        let index = self.names.count
        self.names.append(Array(name))
        self.indices[slot] = index
        return index
    }

    /// The number of a name that somebody has seen.
    func known(_ name: String) -> Index? {
        Array(name.utf8).withUnsafeBytes { bytes in
            var slot = fingerprint(of: bytes)
            while let index = self.indices[slot] {
                if self.names[index].elementsEqual(bytes) { return index }
                slot &+= 2
            }
            return nil
        }
    }
}
