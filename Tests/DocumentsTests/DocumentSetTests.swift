// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Documents

/// Which of the documents in many files are in force as the files change.
struct LastGoodTests {
    @Test(arguments: [
        "kind: service\nname: [", "{kind: service, name: a}", "{kind: service, name: a, instances: [], x: 1}",
    ])
    func `the last good version of a broken document stays in force`(broken: String) {
        var set = documents(file(service("a", port: 1), service("b", port: 1)))
        _ = set.apply([write(file(broken + "\n", service("b", port: 2)))], at: .seconds(1))
        #expect(set.ports("a") == [1])
        #expect(set.ports("b") == [2])
        #expect(set.diagnostics.count == 1)

        _ = set.apply([write(file(service("a", port: 3), service("b", port: 2)))], at: .seconds(2))
        #expect(set.ports("a") == [3])
        #expect(set.faults == [])
    }

    @Test func `a document that vanishes from a broken file stays, until the file is whole`() {
        var set = documents(file(service("a"), service("b"), service("c")))
        _ = set.apply([write(file(service("a"), "kind: [\n"))], at: .seconds(1))
        #expect(set.names == ["service/a", "service/b", "service/c"])
        _ = set.apply([write(file(service("a"), service("c")))], at: .seconds(2))
        #expect(set.names == ["service/a", "service/c"])
        #expect(set.faults == [])
    }

    @Test func `the last good version outlasts several broken ones`() {
        var set = documents(service("a", port: 1))
        _ = set.apply([write("[")], at: .seconds(1))
        _ = set.apply([write(file("{", service("b")))], at: .seconds(2))
        _ = set.apply([write("\"")], at: .seconds(3))
        #expect(set.ports("a") == [1])
        #expect(set.ports("b") == [1])
    }

    @Test func `a good document elsewhere takes the place of a last good one`() {
        var set = documents(service("a", port: 1))
        _ = set.apply([write("[")], at: .seconds(1))
        _ = set.apply([write(service("a", port: 2), to: "b.yaml")], at: .seconds(2))
        #expect(set.ports("a") == [2])
        #expect(set.faults == ["SB101:1"])
        _ = set.apply([remove("b.yaml")], at: .seconds(3))
        #expect(set.ports("a") == [1])
    }

    @Test func `an unreadable file keeps what it said`() {
        var set = documents(service("a"))
        let changed = set.apply([FileChange(path: "a.yaml", content: .unreadable("I/O error"))], at: .seconds(1))
        #expect(changed)
        #expect(set.names == ["service/a"])
        #expect(set.faults == ["SB114:0"])
        _ = set.apply([write(service("a"))], at: .seconds(2))
        #expect(set.faults == [])
    }

    @Test func `at a cold start a broken document is not there`() {
        #expect(documents(file("{", service("b"))).names == ["service/b"])
    }

    @Test func `nothing changes if nothing changes`() {
        var set = documents([write(service("a")), write("[", to: "b.yaml")])
        let changes: [(changes: [FileChange], isChange: Bool)] = [
            ([], false),
            ([write(service("a"))], false),
            ([write("[", to: "b.yaml")], false),
            ([write("\n[", to: "b.yaml")], true),
            ([remove("b.yaml")], true),
            ([remove("b.yaml")], false),
            ([write("# comment\n" + service("a"))], true),
        ]
        for (index, change) in changes.enumerated() {
            let changed = set.apply(change.changes, at: .seconds(index))
            #expect(changed == change.isChange, "change \(index)")
        }
    }

    @Test func `services are in the order of their names, diagnostics in that of their places`() {
        let set = documents([
            write("[", to: "b.yaml"), write(file(service("z"), "{", service("m")), to: "a.yaml"),
            write(service("b"), to: "c.yaml"),
        ])
        #expect(set.services.map(\.name.rawValue) == ["b", "m", "z"])
        #expect(set.diagnostics.map(\.origin.file) == ["a.yaml", "b.yaml"])
    }
}

struct DuplicateTests {
    @Test func `of two with one name the first by file and line is in force`() {
        let set = documents([write(service("a", port: 2), to: "b.yaml"), write(service("a", port: 1), to: "a.yaml")])
        #expect(set.ports("a") == [1])
        #expect(
            set.diagnostics.map(\.description) == [
                "b.yaml:1: error[SB113] service/a: service/a is defined at a.yaml:1 too, and that one is in force "
                    + "(remove one of them, or rename it)"
            ]
        )
        let inOneFile = documents(file(service("a", port: 1), service("a", port: 2), service("a", port: 3)))
        #expect(inOneFile.ports("a") == [1])
        #expect(inOneFile.faults == ["SB113:3", "SB113:5"])
    }

    @Test func `the one in force stays in force, whatever its name`() {
        var set = documents([write(service("a", port: 2), to: "b.yaml")])
        _ = set.apply([write(service("a", port: 1), to: "a.yaml")], at: .seconds(1))
        #expect(set.ports("a") == [2])
        #expect(set.diagnostics.map(\.origin.file) == ["a.yaml"])
        _ = set.apply([write(service("a", port: 3), to: "b.yaml")], at: .seconds(2))
        #expect(set.ports("a") == [3])
        _ = set.apply([remove("b.yaml")], at: .seconds(3))
        #expect(set.ports("a") == [1])
        #expect(set.faults == [])
    }

    @Test func `documents of different kinds may share a name`() {
        let set = documents(file(service("web"), "kind: service-defaults\nname: web\n"))
        #expect(set.faults == [])
        #expect(set.names == ["service/web", "service-defaults/web"])
    }

    @Test func `a document may move to another file`() {
        var set = documents(service("a", port: 1))
        _ = set.apply([remove("a.yaml"), write(service("a", port: 2), to: "b.yaml")], at: .seconds(1))
        #expect(set.ports("a") == [2])
        #expect(set.faults == [])
    }
}
