// SPDX-License-Identifier: Apache-2.0

import Catalog
import Foundation
import Testing

@testable import Discovery

/// Looks at real directories, without inotify and without waiting.
struct LookTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func look(after tree: FileTree = FileTree()) -> Look {
        Look(at: self.directory.path, after: tree, with: nil, quiet: .none)
    }

    /// Does `body` as somebody who is nobody's owner: to root, no file is unreadable. Of this thread only.
    private func unprivileged<Result>(_ body: () -> Result) -> Result {
        // Of <sys/fsuid.h>, which no module declares.
        let setfsuid = unsafeBitCast(dlsym(nil, "setfsuid"), to: (@convention(c) (uid_t) -> Int32).self)
        let user = setfsuid(65534)
        defer { _ = setfsuid(uid_t(user)) }
        return body()
    }

    @Test func `a file that may not be read is unreadable until it may`() throws {
        try self.directory.write("a", to: "a.yaml")
        chmod(self.directory("a.yaml"), 0)
        let refused = self.unprivileged { self.look() }
        #expect(refused.changes == [FileChange(path: "a.yaml", content: .unreadable("Permission denied"))])
        let again = self.unprivileged { self.look(after: refused.tree) }
        #expect(again.changes.isEmpty)
        chmod(self.directory("a.yaml"), 0o644)
        let allowed = self.unprivileged { self.look(after: again.tree) }
        #expect(allowed.changes == [FileChange(path: "a.yaml", content: .bytes([UInt8(ascii: "a")]))])
    }

    @Test(arguments: [0, 0o444])
    func `files below a directory that may not be entered stay`(mode: mode_t) throws {
        try self.directory.makeDirectory("x/y")
        try self.directory.write("a", to: "x/y/a.yaml")
        let first = self.look()
        chmod(self.directory("x"), mode)
        let refused = self.unprivileged { self.look(after: first.tree) }
        #expect(refused.changes.allSatisfy { $0.content == .unreadable("Permission denied") })
        #expect(refused.changes.count == 1)
        chmod(self.directory("x"), 0o755)
        let allowed = self.look(after: refused.tree)
        #expect(allowed.changes == refused.changes.map { FileChange(path: $0.path, content: .removed) })
    }

    @Test func `a root that may not be entered keeps its files and is the problem`() throws {
        try self.directory.write("a", to: "a.yaml")
        let first = self.look()
        chmod(self.directory.path, 0)
        let refused = self.unprivileged { self.look(after: first.tree) }
        #expect(refused.changes.isEmpty)
        #expect(refused.problem == .unreadable("Permission denied"))
        #expect(
            refused.problem?.explained(of: "/etc/docs/")
                == "the directory /etc/docs/ (documents) cannot be read: Permission denied: "
                + "let the user that Signalbox runs as read it, or correct documents"
        )
        #expect(refused.problem?.explained(of: "all.yaml").hasPrefix("the file all.yaml (documents) cannot") == true)
    }

    @Test func `a root that is gone loses its files and is the problem`() throws {
        try self.directory.makeDirectory("root")
        try self.directory.write("a", to: "root/a.yaml")
        let first = Look(at: self.directory("root"), after: FileTree(), with: nil, quiet: .none)
        try self.directory.remove("root")
        let gone = Look(at: self.directory("root"), after: first.tree, with: nil, quiet: .none)
        #expect(gone.changes == [FileChange(path: "a.yaml", content: .removed)])
        #expect(gone.problem == .missing)
    }

    @Test func `four mebibytes are read and one byte more is not`() throws {
        let limit = 4 * 1024 * 1024
        try self.directory.write(String(repeating: "x", count: limit), to: "full.yaml")
        try self.directory.write(String(repeating: "x", count: limit + 1), to: "over.yaml")
        let changes = self.look().changes
        #expect(changes.first?.content == .bytes(Array(repeating: UInt8(ascii: "x"), count: limit)))
        #expect(changes.last?.content == .unreadable("is larger than 4 MiB"))
    }

    @Test func `what is no file is unreadable`() throws {
        try self.directory.link("dangling.yaml", to: "nothing")
        mkfifo(self.directory("pipe.yaml"), 0o644)
        #expect(
            self.look().changes == [
                FileChange(
                    path: "dangling.yaml",
                    content: .unreadable("is a symbolic link to a file that does not exist")
                ),
                FileChange(path: "pipe.yaml", content: .unreadable("is not a regular file")),
            ]
        )
    }

    @Test func `directories are followed to a depth`() throws {
        let deep = Array(repeating: "d", count: 16).joined(separator: "/")
        try self.directory.makeDirectory("\(deep)/d")
        try self.directory.write("a", to: "\(deep)/a.yaml")
        #expect(
            self.look().changes == [
                FileChange(path: "\(deep)/a.yaml", content: .bytes([UInt8(ascii: "a")])),
                FileChange(path: "\(deep)/d", content: .unreadable("is more than 16 directories deep")),
            ]
        )
    }
}
