// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import Foundation
import Logging
import Testing

/// With the poll ten minutes away, what arrives was noticed by inotify.
@Suite(.timeLimit(.minutes(1)))
struct FileSourceTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    @Test func `the first scan of an empty directory is delivered`() async throws {
        try await Scans.of(self.directory.path) { scans in
            let first = try await scans.next()
            #expect(first == FileScan(changes: [], isFirst: true, problem: nil))
        }
    }

    @Test func `the first scan of a missing directory says so, and its creation is seen`() async throws {
        try await Scans.of(self.directory("later")) { scans in
            let first = try await scans.next()
            let path = self.directory("later")
            let problem = "the directory \(path) (documents) does not exist: make it, or correct documents"
            #expect(first == FileScan(changes: [], isFirst: true, problem: problem))
            try self.directory.makeDirectory("later")
            try self.directory.write("a", to: "later/a.yaml")
            try await scans.until(["a.yaml": "a"])
        }
    }

    @Test func `the first scan has every document and nothing else`() async throws {
        for name in ["a.yaml", "b.yml", "c.json"] { try self.directory.write(name, to: name) }
        for name in ["README.md", ".a.yaml.swp", "a.yaml~", "a.yaml.swp", "#a.yaml#", "#a.yaml", ".hidden.yaml"] {
            try self.directory.write("no document", to: name)
        }
        try self.directory.makeDirectory(".git")
        try self.directory.write("no document", to: ".git/a.yaml")
        try self.directory.makeDirectory("below/further")
        try self.directory.write("d", to: "below/further/d.yaml")
        try await Scans.of(self.directory.path) { scans in
            let first = try await scans.next()
            #expect(first.isFirst)
            #expect(first.changes.map(\.path) == ["a.yaml", "b.yml", "below/further/d.yaml", "c.json"])
            #expect(scans.texts["below/further/d.yaml"] == "d")
        }
    }

    @Test func `an edit in place is seen`() async throws {
        try self.directory.write("old", to: "a.yaml")
        try await Scans.of(self.directory.path) { scans in
            try await scans.until(["a.yaml": "old"])
            try self.directory.write("new", to: "a.yaml")
            try await scans.until(["a.yaml": "new"])
        }
    }

    @Test func `a file is not read before its writer closes it`() async throws {
        try self.directory.write("old", to: "a.yaml")
        try await Scans.of(self.directory.path) { scans in
            try await scans.until(["a.yaml": "old"])
            let file = try FileHandle(forWritingTo: URL(filePath: self.directory("a.yaml")))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data("ne".utf8))
            // A look in the middle of it, for another file.
            try self.directory.write("b", to: "b.yaml")
            try await scans.until(["a.yaml": "old", "b.yaml": "b"])
            try file.write(contentsOf: Data("w".utf8))
            try file.close()
            try await scans.until(["a.yaml": "new", "b.yaml": "b"])
        }
    }

    @Test func `an atomic rename is seen`() async throws {
        try self.directory.write("old", to: "a.yaml")
        try await Scans.of(self.directory.path) { scans in
            try await scans.until(["a.yaml": "old"])
            try self.directory.replace("a.yaml", with: "new")
            try await scans.until(["a.yaml": "new"])
        }
    }

    @Test func `a file deleted and a file renamed away are removed`() async throws {
        for name in ["a.yaml", "b.yaml"] { try self.directory.write(name, to: name) }
        try await Scans.of(self.directory.path) { scans in
            _ = try await scans.next()
            try self.directory.remove("a.yaml")
            try self.directory.rename("b.yaml", to: "c.yaml")
            try await scans.until(["c.yaml": "b.yaml"])
        }
    }

    @Test func `a directory added with files is seen, and edits below it too`() async throws {
        try await Scans.of(self.directory.path) { scans in
            _ = try await scans.next()
            try self.directory.makeDirectory("x/y")
            try self.directory.write("1", to: "x/y/a.yaml")
            try await scans.until(["x/y/a.yaml": "1"])
            try self.directory.write("2", to: "x/y/a.yaml")
            try await scans.until(["x/y/a.yaml": "2"])
            try self.directory.remove("x")
            try await scans.until([:])
        }
    }

    @Test func `a root switched by its symbolic link is seen at once`() async throws {
        for release in ["release-6", "release-7"] {
            try self.directory.makeDirectory(release)
            try self.directory.write(release, to: "\(release)/a.yaml")
        }
        try self.directory.write("only in 6", to: "release-6/b.yaml")
        try self.directory.link("current", to: "release-6")
        try await Scans.of(self.directory("current")) { scans in
            try await scans.until(["a.yaml": "release-6", "b.yaml": "only in 6"])
            try self.directory.link("next", to: "release-7")
            try self.directory.rename("next", to: "current")
            let scan = try await scans.next()
            #expect(scans.texts == ["a.yaml": "release-7"])
            #expect(scan.problem == nil)
            try self.directory.write("edited", to: "release-7/a.yaml")
            try await scans.until(["a.yaml": "edited"])
        }
    }

    @Test func `files switched by one hidden link are seen in one scan`() async throws {
        // As Kubernetes mounts a config map.
        for version in ["..1", "..2"] {
            try self.directory.makeDirectory(version)
            for name in ["a.yaml", "b.yaml"] { try self.directory.write(name + version, to: "\(version)/\(name)") }
        }
        try self.directory.link("..data", to: "..1")
        for name in ["a.yaml", "b.yaml"] { try self.directory.link(name, to: "..data/\(name)") }
        try await Scans.of(self.directory.path) { scans in
            try await scans.until(["a.yaml": "a.yaml..1", "b.yaml": "b.yaml..1"])
            try self.directory.link("..next", to: "..2")
            try self.directory.rename("..next", to: "..data")
            _ = try await scans.next()
            #expect(scans.texts == ["a.yaml": "a.yaml..2", "b.yaml": "b.yaml..2"])
        }
    }

    @Test func `a link back to a directory above it is passed over`() async throws {
        try self.directory.makeDirectory("x")
        try self.directory.write("a", to: "x/a.yaml")
        try self.directory.link("x/up", to: "..")
        try await Scans.of(self.directory.path) { scans in
            _ = try await scans.next()
            #expect(scans.texts == ["x/a.yaml": "a"])
        }
    }

    @Test func `a directory deleted and made again is seen both times`() async throws {
        try self.directory.makeDirectory("root")
        try self.directory.write("1", to: "root/a.yaml")
        try await Scans.of(self.directory("root")) { scans in
            try await scans.until(["a.yaml": "1"])
            try self.directory.remove("root")
            var scan = try await scans.next()
            while scan.problem == nil { scan = try await scans.next() }
            #expect(scan.problem == RootProblem.missing.explained(of: self.directory("root")))
            #expect(scans.texts.isEmpty)
            try self.directory.makeDirectory("root")
            try self.directory.write("2", to: "root/a.yaml")
            try await scans.until(["a.yaml": "2"])
            try self.directory.write("3", to: "root/a.yaml")
            try await scans.until(["a.yaml": "3"])
        }
    }

    @Test func `a root that is one file is read under its own path`() async throws {
        try self.directory.write("old", to: "only.conf")
        let path = self.directory("only.conf")
        try await Scans.of(path) { scans in
            try await scans.until([path: "old"])
            try self.directory.replace("only.conf", with: "new")
            try await scans.until([path: "new"])
            try self.directory.remove("only.conf")
            try await scans.until([:])
        }
    }

    @Test func `one edit among a thousand files reads one file`() async throws {
        for number in 0..<1000 { try self.directory.write("\(number)", to: "\(number).yaml") }
        try await Scans.of(self.directory.path) { scans in
            let first = try await scans.next()
            #expect(first.changes.count == 1000)
            try self.directory.write("new", to: "500.yaml")
            let second = try await scans.next()
            #expect(second.changes == [FileChange(path: "500.yaml", content: .bytes(Array("new".utf8)))])
        }
    }

    @Test func `many edits while nobody listens come as one scan`() async throws {
        let source = FileSource(root: self.directory.path, logger: Logger(label: "test"))
        let second = await #expect(throws: Second.self) {
            try await source.run { scan in
                guard scan.isFirst else { throw Second(scan: scan) }
                for number in 0..<100 {
                    try self.directory.write("\(number)", to: "\(number % 10).yaml")
                }
            }
        }
        #expect(second?.scan.changes.count == 10)
    }

    private struct Second: Error {
        var scan: FileScan
    }

    @Test func `the poll sees what inotify cannot`() async throws {
        let elsewhere = try TemporaryDirectory()
        try elsewhere.write("old", to: "target.yaml")
        try self.directory.link("a.yaml", to: elsewhere("target.yaml"))
        try await Scans.of(self.directory.path, pollInterval: .milliseconds(10)) { scans in
            try await scans.until(["a.yaml": "old"])
            try elsewhere.write("new", to: "target.yaml")
            try await scans.until(["a.yaml": "new"])
        }
    }

    @Test func `a rescan is delivered even if nothing changed`() async throws {
        try self.directory.write("a", to: "a.yaml")
        try await Scans.of(self.directory.path) { scans in
            _ = try await scans.next()
            scans.source.rescan()
            let second = try await scans.next()
            #expect(second == FileScan(changes: [], isFirst: false, problem: nil))
        }
    }
}
