// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Discovery

struct FileTreeTests {
    private static let now: Int64 = 1_000_000
    private static let quiet = FileTree.Quiet(unknown: 100, writing: 500)

    /// A file that was changed this long ago.
    private static func file(
        age: Int64 = 1000,
        size: Int64 = 1,
        inode: UInt64 = 1,
        _ writer: FileListing.Writer = .unknown
    ) -> FileListing.Entry {
        .file(Self.signature(age: age, size: size, inode: inode), writer)
    }

    private static func signature(age: Int64 = 1000, size: Int64 = 1, inode: UInt64 = 1) -> FileSignature {
        FileSignature(device: 1, inode: inode, size: size, changed: Self.now - age)
    }

    private static func plan(
        _ tree: inout FileTree,
        _ entries: [String: FileListing.Entry],
        unlisted: Set<String> = []
    ) -> FileTree.Plan {
        tree.compare(with: FileListing(entries: entries, unlisted: unlisted, taken: Self.now), quiet: Self.quiet)
    }

    /// A tree in which these were read.
    private static func tree(_ paths: String...) -> FileTree {
        var tree = FileTree()
        for path in paths { tree.wasRead(path, as: Self.signature()) }
        return tree
    }

    @Test func `what was read and has not changed is not read again`() {
        var tree = Self.tree("a")
        #expect(Self.plan(&tree, ["a": Self.file()]) == FileTree.Plan())
    }

    @Test(arguments: [Self.file(age: 999), Self.file(size: 2), Self.file(inode: 2), Self.file(.done)])
    func `what changed is read again`(entry: FileListing.Entry) {
        var tree = Self.tree("a")
        #expect(Self.plan(&tree, ["a": entry]) == FileTree.Plan(read: ["a"]))
    }

    @Test func `what was not read after all is still to be read`() {
        var tree = FileTree()
        #expect(Self.plan(&tree, ["a": Self.file()]).read == ["a"])
        #expect(Self.plan(&tree, ["a": Self.file()]).read == ["a"])
    }

    @Test(arguments: [(0, false), (99, false), (100, true), (-1, true)])
    func `a file that may be half written is left alone until it is quiet`(age: Int64, isRead: Bool) {
        var tree = Self.tree("a")
        #expect(
            Self.plan(&tree, ["a": Self.file(age: age)])
                == FileTree.Plan(read: isRead ? ["a"] : [], isUnsettled: !isRead)
        )
    }

    @Test(arguments: [(0, false), (499, false), (500, true), (-1, true)])
    func `a file that is being written is left alone for longer, as its close will be told`(age: Int64, isRead: Bool) {
        var tree = Self.tree("a")
        #expect(Self.plan(&tree, ["a": Self.file(age: age, .writing)]) == FileTree.Plan(read: isRead ? ["a"] : []))
    }

    @Test func `a closed file is read however young`() {
        var tree = FileTree()
        #expect(Self.plan(&tree, ["a": Self.file(age: 0, .done)]) == FileTree.Plan(read: ["a"]))
    }

    @Test func `what is gone is removed once`() {
        var tree = Self.tree("a", "b")
        #expect(Self.plan(&tree, ["a": Self.file()]) == FileTree.Plan(removed: ["b"]))
        #expect(Self.plan(&tree, ["a": Self.file()]) == FileTree.Plan())
    }

    @Test func `what is below a directory that cannot be listed stays`() {
        var tree = Self.tree("x/a", "xa")
        let entries: [String: FileListing.Entry] = ["x": .unreadable("no")]
        #expect(
            Self.plan(&tree, entries, unlisted: ["x"]) == FileTree.Plan(removed: ["xa"], unreadable: ["x": "no"])
        )
        #expect(Self.plan(&tree, ["x/a": Self.file()]) == FileTree.Plan(removed: ["x"]))
    }

    @Test func `nothing is removed when the root cannot be listed`() {
        var tree = Self.tree("a", "x/b")
        #expect(Self.plan(&tree, [:], unlisted: [""]) == FileTree.Plan())
    }

    @Test func `an unreadable file is reported once for each reason and tried again`() {
        var tree = FileTree()
        let isNews = ["1", "1", "2"].map { tree.wasUnreadable("a", because: $0) }
        #expect(isNews == [true, false, true])
        #expect(Self.plan(&tree, ["a": Self.file()]).read == ["a"])
        #expect(Self.plan(&tree, ["a": .unreadable("2")]) == FileTree.Plan())
    }
}
