// SPDX-License-Identifier: Apache-2.0

/// What is to be written on a connection.
struct Output {
    var bytes: [UInt8] = []
    /// Comes behind `bytes`: shared by all that ask for the same names, and so not copied.
    var tail: [UInt8] = []

    var isEmpty: Bool { self.bytes.isEmpty && self.tail.isEmpty }

    mutating func clear() {
        self.bytes.removeAll(keepingCapacity: true)
        self.tail = []
    }

    /// Something else follows the tail.
    mutating func foldTail() {
        guard !self.tail.isEmpty else { return }
        self.bytes += self.tail
        self.tail = []
    }
}
