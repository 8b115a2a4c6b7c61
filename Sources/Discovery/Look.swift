// SPDX-License-Identifier: Apache-2.0

import Catalog

/// One look at the root: it is listed, compared with what was read before, and what changed is read.
struct Look: Sendable {
    /// What is known after it.
    let tree: FileTree
    let changes: [FileChange]
    let problem: RootProblem?
    /// Whether some files were in motion, so that another look is due soon.
    let isUnsettled: Bool

    init(at root: String, after earlier: FileTree, with inotify: Inotify?, quiet: FileTree.Quiet) {
        let walk = FileWalk(
            root: root,
            writers: inotify?.takeWriters() ?? FileWriters(),
            entry: inotify?.root,
            watch: { inotify?.add($0) }
        )
        inotify?.keep(walk.watches)

        var tree = earlier
        let plan = tree.compare(with: walk.listing, quiet: quiet)
        var isUnsettled = plan.isUnsettled
        var changes = plan.removed.map { FileChange(path: $0, content: .removed) }
        changes += plan.unreadable.map { FileChange(path: $0.key, content: .unreadable($0.value)) }
        for path in plan.read {
            switch FileRead(walk.base + path) {
            case .bytes(let bytes, let signature):
                tree.wasRead(path, as: signature)
                changes.append(FileChange(path: path, content: .bytes(bytes)))
            case .unreadable(let reason):
                if tree.wasUnreadable(path, because: reason) {
                    changes.append(FileChange(path: path, content: .unreadable(reason)))
                }
            case .moving:
                isUnsettled = true
            }
        }
        self.tree = tree
        self.changes = changes.sorted { $0.path < $1.path }
        self.problem = walk.listing.problem
        self.isUnsettled = isUnsettled
    }
}
