// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import Documents

/// From the bytes of a file to documents: what YAML says, and what we refuse of it.
struct ReadingTests {
    @Test(arguments: [
        "a broken first document": file("kind: [\n", service("a"), service("b")),
        "a broken second document": file(service("a"), "kind: service\nname: x\n y: z\n", service("b")),
        "a broken last document": file(service("a"), service("b"), "\"open"),
        "CRLF": file(service("a"), "{\n", service("b")).split(separator: "\n").joined(separator: "\r\n"),
    ])
    func `a broken document does not spoil the others`(name: String, text: String) {
        let set = documents(text)
        #expect(set.names == ["service/a", "service/b"])
        #expect(set.diagnostics.map(\.code) == ["SB101"])
    }

    @Test(arguments: [
        "", "\n\n", "# nothing\n", "---\n---\n# nothing\n---", "\u{FEFF}", "%YAML 1.2\n---\n...\n", "--- # nothing\n",
    ])
    func `there may be nothing in a file`(text: String) {
        let set = documents(text)
        #expect(set.diagnostics.isEmpty)
        #expect(set.names.isEmpty)
    }

    @Test(arguments: [
        "--- # comment\n\(service("a"))--- \n\(service("b"))...\n# comment\n\(service("c"))",
        "\u{FEFF}%YAML 1.2\n---\n\(service("a"))---\t# comment\n\(service("b"))---\n---\n\(service("c"))---\n",
        "--- \(service("a"))--- \(service("b"))...\n...\n--- \(service("c"))",
        "---\r\nkind: service\r\nname: a\r\ninstances: []\r\n---\r\n{kind: service, name: b, instances: []}\r\n...\r\n"
            + "kind: service\r\nname: c\r\ninstances: []",
    ])
    func `documents are separated by markers`(text: String) {
        let set = documents(text)
        #expect(set.faults == [])
        #expect(set.names == ["service/a", "service/b", "service/c"])
    }

    @Test func `a marker inside a value is none`() {
        let text = "kind: service\nname: a\ninstances: []\n---a: 1\n"
        #expect(documents(text).faults == ["SB104:4"])
    }

    @Test func `lines are those of the file`() {
        let text = file(
            service("a"),
            "# comment\n\n" + service("b", port: 0),
            "kind: service\nname: [\n",
            "\nkind: x\nname: c\n"
        )
        #expect(documents(text).faults == ["SB107:5", "SB101:8", "SB102:11"])
    }

    @Test func `the origin of a document is its first line`() {
        let set = documents(file(service("a"), "\n# b\nkind: service\nname: b\ninstances: []\n"))
        #expect(set.services.map(\.origin) == [Origin(file: "a.yaml", line: 1), Origin(file: "a.yaml", line: 5)])
    }

    @Test func `JSON is read like YAML`() {
        let text = """
            {
            \t"kind": "route", "name": "web",
            \t"hostnames": ["*.example.com", "caf\\u00e9".example"],
            }
            """
        #expect(documents([write(text, to: "a.json")]).faults == ["SB101:3"])
        let good = """
            {
            \t"kind":"route","name":"web","hostnames":["*.example.com"],
            \t"gateways":["edge"],
            \t"rules":[{"matches":[{"path":{"value":"\\/shop"}}],"backends":[{"service":"web","weight":90}]}]
            }
            """
        let set = documents([write(good, to: "a.json")])
        #expect(set.faults == [])
        #expect(set.route("web")?.rules.first?.matches == [Match(path: .prefix("/shop"))])
    }

    @Test(arguments: [
        ("kind: service\nname: &a web\ninstances: []", "SB101:2"),
        ("kind: service\nname: web\ninstances: &a []", "SB101:3"),
        ("kind: service\nname: web\ninstances: *a", "SB101:3"),
        ("kind: service\nname: web\ninstances: [*a, *b]", "SB101:3 SB101:3"),
        ("kind: service\nname: web\n? instances\n: []", "SB101:4"),
        ("kind: service\nname: web\ninstances: []\n[a, b]: c", "SB101:4"),
        ("kind: service\nname: !!binary web\ninstances: []", "SB101:2"),
        ("kind: service\nname: web\ninstances: !list []", "SB101:3"),
        ("kind: service\nname: \u{E000}web\ninstances: []", "SB101:1"),
        ("kind: service\nname: web\u{0}\ninstances: []", "SB101:2"),
    ])
    func `what YAML has beyond JSON's data is refused where it stands`(text: String, faults: String) {
        #expect(documents(text).faults.joined(separator: " ") == faults)
    }

    @Test func `characters that could begin an alias are themselves anywhere else`() {
        let text = """
            # *not &an ?alias
            kind: service
            name: web
            instances:
            - address: 10.0.0.1
              port: 1
              tags: ["*a", '&b', a*b & c?, "? d", ?e, !!str 1]
              meta:
                "*": "&"
                f?: |-
                  *h
                  &i
            """
        let set = documents(text)
        #expect(set.faults == [])
        #expect(set.services.first?.instances.first?.tags == ["*a", "&b", "a*b & c?", "? d", "?e", "1"])
        #expect(set.services.first?.instances.first?.meta == ["*": "&", "f?": "*h\n&i"])
    }

    @Test func `aliases that stand for more than memory holds cost nothing`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...40 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) {[\(aliases)]: b}\n"
        }
        #expect(documents(text).diagnostics.allSatisfy { ["SB101", "SB103"].contains($0.code) })
        #expect(!documents(text).diagnostics.isEmpty)
    }

    @Test(arguments: [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[{a: ", "}]"), ("{? [", "] : a}")])
    func `deep nesting is refused and overflows nothing`(open: String, close: String) {
        for depth in [40, 400, 999, 1_000, 1_001, 200_000] {
            let text = String(repeating: open, count: depth) + String(repeating: close, count: depth)
            #expect(documents(text).diagnostics.first?.code == "SB101")
        }
    }

    @Test func `a file that is too large or unreadable is refused`() {
        let large = documents(service("a") + String(repeating: "#", count: FileReading.maximumSize))
        #expect(large.faults == ["SB114:0"])
        #expect(large.names.isEmpty)
        let unreadable = documents([FileChange(path: "a.yaml", content: .unreadable("permission denied"))])
        #expect(unreadable.diagnostics.map(\.message) == ["cannot read the file: permission denied"])
        #expect(documents(service("a").padding(to: FileReading.maximumSize)).names == ["service/a"])
    }

    @Test func `what is not UTF-8 costs one document`() {
        var bytes = Array(file(service("a"), "kind: service\nname: x\n", service("b")).utf8)
        bytes[bytes.count - service("b").utf8.count - 5 - 2] = 0xFF
        let set = documents([FileChange(path: "a.yaml", content: .bytes(bytes))])
        #expect(set.faults == ["SB101:4"])
        #expect(set.names == ["service/a", "service/b"])
    }
}

extension String {
    fileprivate func padding(to size: Int) -> String {
        self + String(repeating: "#", count: size - self.utf8.count)
    }
}

/// What an unquoted scalar means.
struct ScalarTests {
    @Test(
        arguments: [
            (.null, ["", "~", "null", "Null", "NULL"]),
            (.boolean, ["true", "True", "TRUE", "false", "False", "FALSE"]),
            (.integer, ["0", "1", "-1", "+12", "65535", "99999999999999999999"]),
            (.float, ["1.5", "-1.", ".5", "1e3", "1.5E-3", "0.0", "-.inf", ".INF", ".nan"]),
            (.ambiguous, ["yes", "No", "ON", "off", "010", "-00", "0x1F", "0o17"]),
            (
                .string,
                [
                    "a", "10s", "1.2.3", "10.0.0.1", "1_000", "2024-01-01", "tRUE", "nul", "-", ".", "+", "e3", "1e",
                    "0xg", "y",
                    "1:30", "::1", "-a", ".inf.", "",
                ].filter { !$0.isEmpty }
            ),
        ] as [(YAMLScalar.Meaning, [String])]
    )
    func `an unquoted scalar is read by the core schema`(meaning: YAMLScalar.Meaning, texts: [String]) {
        for text in texts {
            #expect(YAMLScalar(text: text, isQuoted: false).meaning == meaning, "\(text)")
            #expect(YAMLScalar(text: text, isQuoted: true).meaning == .string)
        }
    }
}

struct TextSyntaxTests {
    @Test(arguments: [
        ("127.0.0.1", [127, 0, 0, 1]),
        ("255.255.255.255", [255, 255, 255, 255]),
        ("::", [UInt8](repeating: 0, count: 16)),
        ("::1", [UInt8](repeating: 0, count: 15) + [1]),
        ("1::", [0, 1] + [UInt8](repeating: 0, count: 14)),
        ("2001:DB8::a:1", [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 8) + [0, 10, 0, 1]),
        ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
        ("::ffff:10.0.0.1", [UInt8](repeating: 0, count: 10) + [255, 255, 10, 0, 0, 1]),
        ("1:2:3:4:5:6:10.0.0.1", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 10, 0, 0, 1]),
    ])
    func `an address is its bytes`(text: String, bytes: [UInt8]) {
        #expect(IPAddress(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.", "1.2.3.4 ", "+1.2.3.4", "a.b.c.d", ":", ":::",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "fe80::1%eth0", "::1/128", "[::1]", ":1",
        "1:",
        "1:2:3:4:5:6:7::8", "1.2.3.4::", "::1.2.3", "::+1", "1:2:3:4:5:6:7:1.2.3.4", "localhost",
    ])
    func `what is no address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        arguments: [
            ("10s", .seconds(10)), ("250ms", .milliseconds(250)), ("1m30s", .seconds(90)), ("1h", .seconds(3600)),
            ("0s", .zero), ("1h1m1s1ms", .milliseconds(3_661_001)), ("99999h", .seconds(99999 * 3600)),
            ("", nil), ("10", nil), ("s", nil), ("1.5s", nil), ("-1s", nil), ("1 s", nil), ("1us", nil),
            ("100000s", nil),
            ("1h1h1h1h1h", nil), ("1S", nil),
        ] as [(String, Duration?)]
    )
    func `a duration is numbers with units`(text: String, duration: Duration?) {
        #expect(TextSyntax.duration(text) == duration)
    }

    @Test(arguments: [
        ("a", true), ("example.com", true), ("EXAMPLE.com", true), ("1.2.3.4", true), ("my_svc", true), ("a-b.c", true),
        (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false), ("", false),
        (".", false),
        ("a.", false), (".a", false), ("a..b", false), ("-a", false), ("a-", false), ("a b", false), ("a:1", false),
        ("*", false), ("\u{E9}", false), (String(repeating: "a.", count: 126) + "a", true),
        (String(repeating: "a.", count: 126) + "aa", false),
    ])
    func `a host name is labels and dots`(text: String, isHostname: Bool) {
        #expect(TextSyntax.isHostname(text[...]) == isHostname)
    }

    @Test(arguments: [
        ("web", true), ("Web-1.a_b", true), ("1", true), (String(repeating: "a", count: 253), true),
        (String(repeating: "a", count: 254), false), ("", false), ("-a", false), (".a", false), ("a/b", false),
        ("a b", false), ("\u{E9}", false),
    ])
    func `a name is short and plain`(text: String, isName: Bool) {
        #expect(TextSyntax.isName(text[...]) == isName)
    }

    /// What Envoy 1.40 makes of them with the settings of our listeners, as `Tests/System/test_paths.py` asks it.
    @Test(arguments: [
        ("/", "/"), ("/a.b/..c/...", "/a.b/..c/..."), ("/.well-known/x/", "/.well-known/x/"), ("/a/.", "/a/"),
        ("/./a", "/a"), ("/a/../b", "/b"), ("/..", "/"), ("/../../a", "/a"), ("/%2e", "/"), ("/a/.%2E/b", "/b"),
        ("/a/%2E%2e", "/"), ("/%61%2D%5f%7E", "/a-_~"), ("/a%20b%c3%A9", "/a%20b%c3%A9"), ("/\u{E9}", "/%C3%A9"),
        ("/a\\b", "/a/b"), ("/a\\..\\b", "/b"), ("/{a}|\"^`<>", "/%7Ba%7D%7C%22%5E%60%3C%3E"), ("/a%4", "/a%4"),
        ("/a%zz%", "/a%zz%"), ("/%2561", "/%2561"), ("/[a]!$&'()*+,;=:@", "/[a]!$&'()*+,;=:@"), ("/a%2fb", nil),
        ("/a%5C", nil), ("/a%00b", nil),
    ])
    func `a path to match is one as proxies see it`(path: String, normalized: String?) {
        #expect(TextSyntax.normalized(path: path) == normalized)
        #expect((PathFault(path: path) == nil) == (path == normalized))
    }

    @Test(arguments: [
        ("/a/.", true), ("/a/..", true), ("/a/./", false), ("/a%6", true), ("/%61", false), ("/%2f", false),
    ])
    func `the last element of a prefix by characters may go on`(prefix: String, isSeen: Bool) {
        #expect((PathFault(textPrefix: prefix) == nil) == isSeen)
    }

    @Test(arguments: [
        ("/", true), ("/a", true), ("/a/", true), ("/a/b%20c;d=e", true), ("/\u{E9}", true), ("", false), ("a", false),
        ("//", false), ("/a//b", false), ("/a?b", false), ("/a#b", false), ("/a b", false), ("/a\u{7F}", false),
    ])
    func `a path begins with a slash and ends before the query`(text: String, isPath: Bool) {
        #expect(TextSyntax.isPath(text) == isPath)
    }
}
