// SPDX-License-Identifier: Apache-2.0

/// What documents are damaged with.
enum BadText {
    /// Words and signs.
    static let vocabulary: [[UInt8]] = [
        "\n---\n", "\n...\n", "&a ", "*a", "? ", ": ", "- ", "[", "]", "{", "}", "\"", "'", "#", "|\n", ">\n", "!!str ",
        "!<x> ", "%YAML 1.2\n", "%TAG ! x\n", "\t", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{0}", "\u{E000}", "\u{FEFF}",
        "\\ud800", "\\x00", "\\U0010FFFF", "\"\\U00110000\"", "<<: ", "<<: [{a: b}]", "99999999999999999999", "1e400",
        "-0", "0x7fffffffffffffffffff", "0o7", "1_000", ".inf", "-.INF", ".nan", "1e-400", "9223372036854775807",
        "18446744073709551616", "4294967296", "65536", "-1", "0.1", "yes", "~", "true", "null", "\"\"", "x", "web",
        "kind", "name", "service", "gateway", "route", "instances", "address", "port", "weight", "tags", "meta",
        "health", "locality", "proxies", "ids", "listeners", "protocol", "hostnames", "gateways", "rules", "matches",
        "path",
        "type", "value", "headers", "queryParams", "backends", "subset", "timeout", "retry", "attempts", "codes",
        "redirect", "rewrite", "requestHeaders", "set", "remove", "resource", "ttl", "\"@type\"", "virtual_hosts",
        "RegularExpression", "Exact", "\"(a{1000}){1000}\"", "\"[\"", "\"(?i:\\\\pL)\"", "\"\\\\C\"", "1h", "1ns",
        "99999999999999999999h", "0s", "1.5s", "::ffff:1.2.3.4", "::", "1.2.3.4.5", "fe80::1%eth0", "*.", "*.*", "a..b",
        "/", "//", "/%00", "%REQ(x)%", "\u{301}", "\u{1F1E9}\u{1F1EA}", "\u{202E}",
    ].map { Array($0.utf8) }

    /// A little text that could stand for much work.
    static let bombs: [String] = [
        aliases,
        "a: &a [*a]\n", "a: &a {b: *a}\n", "? ? ? ? a\n", "!!binary |\n  AAAA\n",
        String(repeating: "[", count: 20_000), String(repeating: "{a: ", count: 20_000),
        String(repeating: "- ", count: 20_000), String(repeating: "? ", count: 20_000),
        String(repeating: "[", count: 900) + String(repeating: "]", count: 900),
        String(repeating: "{a: ", count: 40) + String(repeating: "}", count: 40),
        (0..<400).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
        "kind: service\nname: " + String(repeating: "n", count: 60_000) + "\n",
        "kind: " + String(repeating: "n", count: 60_000) + "\nname: x\n",
        "kind: service\nname: e" + String(repeating: "\u{301}", count: 30_000) + "\n",
        "kind: service\nname: x\n" + String(repeating: "u", count: 60_000) + ": 1\n",
        "kind: service\nname: x\n" + (0..<2_000).map { "f\($0): \($0)\n" }.joined(),
        "kind: service\nname: x\n" + String(repeating: "a: 1\n", count: 2_000),
        "kind: service\nname: x\ninstances: [" + String(repeating: "1, ", count: 4_000) + "]\n",
        "kind: service\nname: x\ninstances: " + String(repeating: "9", count: 30_000) + "\n",
        "kind: route\nname: x\nrules: [{matches: [{path: {type: RegularExpression, value: \""
            + String(repeating: "(", count: 20_000) + "\"}}]}]\n",
        "kind: route\nname: x\nrules: [{matches: [{path: {type: RegularExpression, value: \"((a{99}){99}){99}\"}}]}]\n",
        "kind: route\nname: x\nhostnames: [" + String(repeating: "a.", count: 20_000) + "com]\n",
        "kind: route\nname: x\nrules: [{timeout: " + String(repeating: "1h", count: 10_000) + "}]\n",
        "kind: envoy-resource\nname: x\nresource: {\"@type\": t, a: " + String(repeating: "[", count: 33)
            + String(repeating: "]", count: 33) + "}\n",
        String(repeating: "---\n{}\n", count: 500), String(repeating: "kind: service\nname: x\n---\n", count: 500),
        "a: \"" + String(repeating: "\\n", count: 20_000) + "\"\n",
        "a: |\n" + String(repeating: "  x\n", count: 10_000),
        "# " + String(repeating: "x", count: 60_000) + "\n", String(repeating: " ", count: 60_000),
        String(repeating: "\n", count: 60_000), String(repeating: "\u{0}", count: 1_000),
        String(repeating: "%TAG !a! b\n", count: 1_000) + "--- !a!x\na: 1\n",
    ]

    /// Nine levels of nine aliases: a billion words.
    private static let aliases = (0..<9).map { level in
        let reference = level == 0 ? "lol" : "*a\(level - 1)"
        return "a\(level): &a\(level) [" + Array(repeating: reference, count: 9).joined(separator: ", ") + "]\n"
    }.joined()
}
