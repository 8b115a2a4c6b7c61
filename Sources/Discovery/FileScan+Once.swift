// SPDX-License-Identifier: Apache-2.0

extension FileScan {
    /// What is in `root` now: the files of a directory, or one file. For commands that read once.
    package init(reading root: String) {
        let look = Look(at: root, after: FileTree(), with: nil, quiet: .none)
        self.init(changes: look.changes, isFirst: true, problem: look.problem?.description)
    }
}
