// SPDX-License-Identifier: Apache-2.0

/// Where a value came from, so that every diagnostic and every explanation can name it.
package struct Origin: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The file as the operator knows it (relative to what was given on the command line), or a source's own locator.
    package var file: String
    /// 1-based; nil where the source has no lines.
    package var line: Int?

    package init(file: String, line: Int? = nil) {
        self.file = file
        self.line = line
    }

    package var description: String {
        self.line.map { "\(self.file):\($0)" } ?? self.file
    }

    package static func < (left: Origin, right: Origin) -> Bool {
        (left.file, left.line ?? 0) < (right.file, right.line ?? 0)
    }
}
