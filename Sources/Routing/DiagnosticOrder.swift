// SPDX-License-Identifier: Apache-2.0

package import Catalog

extension Sequence<Diagnostic> {
    /// As an operator reads the files, and the same for the same findings whatever order they were made in.
    package var inOrder: [Diagnostic] {
        self.sorted {
            ($0.origin, $0.code, $0.subject ?? "", $0.message) < ($1.origin, $1.code, $1.subject ?? "", $1.message)
        }
    }
}
