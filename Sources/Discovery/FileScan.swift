// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What a look at the root found out since the scan before it.
package struct FileScan: Hashable, Sendable {
    /// In the order of their paths; at most one a path.
    package var changes: [FileChange]
    /// Whether it is the first: then the changes are all that there is.
    package var isFirst: Bool
    /// Why the root could not be listed, as long as it cannot. A root that is gone has its files among the changes as
    /// removed; of one that cannot be read nothing is known, and its files stay as they were.
    package var problem: String?

    package init(changes: [FileChange], isFirst: Bool, problem: String?) {
        self.changes = changes
        self.isFirst = isFirst
        self.problem = problem
    }
}
