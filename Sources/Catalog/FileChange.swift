// SPDX-License-Identifier: Apache-2.0

/// What a source of files found out about one file since it last looked.
package struct FileChange: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case bytes([UInt8])
        /// It was there and is not any more.
        case removed
        /// It is there and cannot be read, and why: no reason to forget what it said.
        case unreadable(String)
    }

    /// Relative to the directory watched, or the file's own path where one file is watched.
    package var path: String
    package var content: Content

    package init(path: String, content: Content) {
        self.path = path
        self.content = content
    }
}
