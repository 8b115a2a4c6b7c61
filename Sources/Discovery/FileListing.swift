// SPDX-License-Identifier: Apache-2.0

/// Everything that one look at the root saw, without the contents.
package struct FileListing: Hashable, Sendable {
    /// Whether somebody is still at work on a file.
    package enum Writer: Hashable, Sendable {
        /// It was closed since the last look: what it holds is meant.
        case done
        /// It was written to and not closed: to be read when it is.
        case writing
        case unknown
    }

    package enum Entry: Hashable, Sendable {
        case file(FileSignature, Writer)
        /// A file or a directory that is there and cannot be looked into, and why.
        case unreadable(String)
    }

    /// By path relative to the root; a root that is one file has its own path.
    package var entries: [String: Entry]
    /// The directories among the unreadable; "" is the root. Nothing is known of the files below them.
    package var unlisted: Set<String>
    /// Why the root could not be listed; nil when it could.
    package var problem: RootProblem?
    /// Nanoseconds since 1970, when the look began.
    package var taken: Int64

    package init(
        entries: [String: Entry] = [:],
        unlisted: Set<String> = [],
        problem: RootProblem? = nil,
        taken: Int64
    ) {
        self.entries = entries
        self.unlisted = unlisted
        self.problem = problem
        self.taken = taken
    }

    /// Whether nothing can be said about `path`, because a directory above it could not be listed.
    func isBelowUnlisted(_ path: String) -> Bool {
        self.unlisted.contains { $0.isEmpty || path.hasPrefix($0 + "/") }
    }
}
