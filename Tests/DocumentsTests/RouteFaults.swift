// SPDX-License-Identifier: Apache-2.0

/// The faults of routes.
extension FaultTests {
    static let routes = [
        FaultCase("no gateways", "SB106:1") { "kind: route\nname: web\nrules: [{backends: [{service: web}]}]" },
        FaultCase("no rules", "SB106:1") { "kind: route\nname: web\ngateways: [edge]" },
        FaultCase("empty gateways and rules", "SB107:3", "SB107:4") {
            "kind: route\nname: web\ngateways: []\nrules: []"
        },
        FaultCase("a reference with two slashes", "SB110:3") {
            "kind: route\nname: web\ngateways: [edge/http/1]\nrules: [{backends: [{service: web}]}]"
        },
        FaultCase("a gateway twice", "SB116:3") {
            "kind: route\nname: web\ngateways: [edge, edge/http, edge]\nrules: [{backends: [{service: web}]}]"
        },
        FaultCase("host names that are none", "SB110:3", "SB110:4", "SB110:5", "SB110:6", "SB110:7", "SB110:8") {
            """
            kind: route
            name: web
            hostnames: ["*",
              "example.com:80",
              "a.*.example.com",
              -example.com,
              "example.com\\0",
              "example\\r\\n.com"]
            gateways: [edge]
            rules: [{backends: [{service: web}]}]
            """
        },
        FaultCase("an unquoted wildcard", "SB101:3") {
            "kind: route\nname: web\nhostnames: [*.example.com]\ngateways: [edge]\nrules: [{backends: [{service: web}]}]"
        },
        FaultCase("a host name twice", "SB116:3") {
            """
            kind: route
            name: web
            hostnames: [example.com, Example.com]
            gateways: [edge]
            rules: [{backends: [{service: web}]}]
            """
        },
    ]

    static let matches: [FaultCase] = [
        .rule("a path without a slash", "SB110:5") { "matches: [{path: {value: shop}}]\nbackends: [{service: web}]" },
        .rule("a path with a query", "SB110:5") {
            "matches: [{path: {type: Exact, value: '/a?b'}}]\nbackends: [{service: web}]"
        },
        .rule("a path with an empty element", "SB110:5") {
            "matches: [{path: {value: /a//b}}]\nbackends: [{service: web}]"
        },
        .rule("a path with an element that proxies resolve", "SB110:5") {
            "matches: [{path: {value: /a/../b}}]\nbackends: [{service: web}]"
        },
        .rule("an exact path with such an element, escaped", "SB110:5") {
            "matches: [{path: {type: Exact, value: /a/%2E.}}]\nbackends: [{service: web}]"
        },
        .rule("a path without a value", "SB106:5") { "matches: [{path: {type: Exact}}]\nbackends: [{service: web}]" },
        .rule("a type of path", "SB108:5") {
            "matches: [{path: {type: Prefix, value: /}}]\nbackends: [{service: web}]"
        },
        .rule("an expression that RE2 refuses", "SB111:5") {
            "matches: [{path: {type: RegularExpression, value: '/(?=a)'}}]\nbackends: [{service: web}]"
        },
        .rule("an expression that Envoy finds too large", "SB111:5") {
            "matches: [{path: {type: RegularExpression, value: '/[a-z]{200}'}}]\nbackends: [{service: web}]"
        },
        .rule("an empty expression", "SB107:5") {
            "matches: [{headers: [{name: a, type: RegularExpression, value: ''}]}]\nbackends: [{service: web}]"
        },
        .rule("a prefix with a query", "SB110:5") { "matches: [{path: {value: '/a?b'}}]\nbackends: [{service: web}]" },
        .rule("a prefix with a fragment", "SB110:5") {
            "matches: [{path: {value: '/a#b'}}]\nbackends: [{service: web}]"
        },
        .rule("a path with a control character", "SB110:5") {
            "matches: [{path: {type: Exact, value: \"/a\\0\"}}]\nbackends: [{service: web}]"
        },
        .rule("a path over the limit", "SB107:5") {
            "matches: [{path: {value: \(path(bytes: 1025))}}]\nbackends: [{service: web}]"
        },
        .rule("a method in lower case", "SB110:5") { "matches: [{method: get}]\nbackends: [{service: web}]" },
        .rule("a header name", "SB110:5") {
            "matches: [{headers: [{name: 'x y', value: a}]}]\nbackends: [{service: web}]"
        },
        .rule("a header name over the limit", "SB107:5") {
            "matches: [{headers: [{name: \(word(bytes: 257)), type: Present}]}]\nbackends: [{service: web}]"
        },
        .rule("a header value that YAML reads otherwise", "SB105:5") {
            "matches: [{headers: [{name: a, value: yes}]}]\nbackends: [{service: web}]"
        },
        .rule("a header match without a value", "SB106:5") {
            "matches: [{headers: [{name: a}]}]\nbackends: [{service: web}]"
        },
        .rule("a header that is to be present and to have a value", "SB112:5") {
            "matches: [{headers: [{name: a, type: Present, value: b}]}]\nbackends: [{service: web}]"
        },
        .rule("a query parameter without a name", "SB110:5") {
            "matches: [{queryParams: [{name: '', value: b}]}]\nbackends: [{service: web}]"
        },
        .rule("a query parameter with a line break in its name", "SB110:5") {
            "matches: [{queryParams: [{name: \"a\\n\", value: b}]}]\nbackends: [{service: web}]"
        },
        .rule("a query parameter with a name over the limit", "SB107:5") {
            "matches: [{queryParams: [{name: \(word(bytes: 1025)), value: b}]}]\nbackends: [{service: web}]"
        },
    ]

    static let actions: [FaultCase] = [
        .rule("neither backends nor redirect", "SB112:5") { "matches: []" },
        .rule("both backends and redirect", "SB112:6") { "backends: [{service: web}]\nredirect: {port: 1}" },
        .rule("no backends", "SB107:5") { "backends: []" },
        .rule("a redirect with a timeout", "SB112:6") { "redirect: {port: 1}\ntimeout: 1s" },
        .rule("a redirect with a rewrite", "SB112:6") { "redirect: {port: 1}\nrewrite: {hostname: a}" },
        .rule("a redirect with a retry", "SB112:5") { "retry: {attempts: 1}\nredirect: {port: 1}" },
        .rule("a redirect to itself", "SB106:5") { "redirect: {statusCode: 301}" },
        .rule("a status that redirects nothing", "SB108:5") { "redirect: {port: 1, statusCode: 304}" },
        .rule("a scheme", "SB108:5") { "redirect: {scheme: ftp}" },
        .rule("a backend without service", "SB106:5") { "backends: [{weight: 1}]" },
        .rule("a weight over the limit", "SB107:5") { "backends: [{service: web, weight: 1000001}]" },
        .rule("an unknown field in a subset", "SB104:5") { "backends: [{service: web, subset: {tag: [a]}}]" },
        .rule("more backends than Envoy can add up the weights of", "SB107:5") {
            "backends: [\(String(repeating: "{service: web},", count: 1001))]"
        },
        .rule("a tag that is not ASCII", "SB110:5") { "backends: [{service: web, subset: {tags: [\u{E9}]}}]" },
        .rule("an empty tag", "SB110:5") { "backends: [{service: web, subset: {tags: ['']}}]" },
        .rule("a tag over the limit", "SB107:5") {
            "backends: [{service: web, subset: {tags: [\(word(bytes: 256))]}}]"
        },
        .rule("a key and a value that are not printable", "SB110:5", "SB110:5") {
            "backends: [{service: web, subset: {meta: {\"a\\0\": x, b: \"\\r\"}}}]"
        },
        .rule("a key of the node that is not printable", "SB110:5") {
            "backends: [{service: web, subset: {nodeMeta: {\"a\\0\": x}}}]"
        },
        .rule("a prefix to replace that did not match", "SB112:7") {
            """
            matches: [{path: {value: /a}}, {path: {type: Exact, value: /b}}]
            backends: [{service: web}]
            rewrite: {path: {replacePrefixMatch: /}}
            """
        },
        .rule("a prefix to replace in a redirect", "SB112:6") {
            """
            matches: [{path: {type: RegularExpression, value: /b}}]
            redirect: {path: {replacePrefixMatch: /}}
            """
        },
        .rule("a prefix of too many elements to remove", "SB107:7") {
            """
            matches: [{path: {value: /a}}, {path: {value: \(path(elements: 21))}}]
            backends: [{service: web}]
            rewrite: {path: {replacePrefixMatch: /}}
            """
        },
        .rule("a prefix of too many elements to remove in a redirect", "SB107:6") {
            "matches: [{path: {value: \(path(elements: 21))}}]\nredirect: {path: {replacePrefixMatch: /}}"
        },
        .rule("a rewrite to a path with a line break", "SB110:6") {
            "backends: [{service: web}]\nrewrite: {path: {replaceFullPath: \"/a\\r\\nb\"}}"
        },
        .rule("a redirect to a host with a line break", "SB110:5") { "redirect: {hostname: \"a\\nb\"}" },
        .rule("a redirect to a path with a query", "SB110:5") { "redirect: {path: {replaceFullPath: '/a?b'}}" },
        .rule("two ways to rewrite a path", "SB112:6") {
            "backends: [{service: web}]\nrewrite: {path: {replacePrefixMatch: /, replaceFullPath: /}}"
        },
        .rule("no way to rewrite a path", "SB112:6") { "backends: [{service: web}]\nrewrite: {path: {}}" },
        .rule("a rewrite of nothing", "SB106:6") { "backends: [{service: web}]\nrewrite: {}" },
        .rule("a rewrite to a wildcard", "SB110:6") { "backends: [{service: web}]\nrewrite: {hostname: '*.a'}" },
    ]

    static let edits: [FaultCase] =
        [
            .rule("a header value with a line break", "SB110:6") {
                "backends: [{service: web}]\nresponseHeaders: {set: [{name: a, value: \"b\\nc\"}]}"
            },
            .rule("header values with control characters", "SB110:6", "SB110:7", "SB110:8") {
                """
                backends: [{service: web}]
                requestHeaders: {set: [{name: a, value: "b\\0"}],
                  add: [{name: a, value: "\\r"}]}
                responseHeaders: {add: [{name: a, value: "\\x7F"}]}
                """
            },
            .rule("a header value over the limit", "SB107:6") {
                "backends: [{service: web}]\nrequestHeaders: {set: [{name: a, value: \(word(bytes: 8193))}]}"
            },
            .rule("more edits than a message has headers", "SB107:6") {
                "backends: [{service: web}]\nresponseHeaders: {remove: [\(String(repeating: "a,", count: 101))]}"
            },
        ]
        + headerNames.flatMap { name in
            [
                "requestHeaders: {set: [{name: \"\(name)\", value: b}]}",
                "requestHeaders: {add: [{name: \"\(name)\", value: b}]}",
                "requestHeaders: {remove: [\"\(name)\"]}",
                "responseHeaders: {set: [{name: \"\(name)\", value: b}]}",
                "responseHeaders: {add: [{name: \"\(name)\", value: b}]}",
                "responseHeaders: {remove: [\"\(name)\"]}",
            ].map { edit in FaultCase.rule(edit, "SB110:6") { "backends: [{service: web}]\n\(edit)" } }
        }

    /// What Envoy refuses to edit, and what is no name.
    private static let headerNames = [
        "", ":path", ":authority", ":x", ":", "host", "Host", "a b", "a:", "\u{E9}", "a\\n", "a\\0",
    ]

    static let policies: [FaultCase] = [
        .rule("a duration without a unit", "SB105:6") { "backends: [{service: web}]\ntimeout: 10" },
        .rule("a duration with a fraction", "SB110:6") { "backends: [{service: web}]\ntimeout: 1.5s" },
        .rule("no attempts", "SB106:6") { "backends: [{service: web}]\nretry: {codes: [503]}" },
        .rule("too many attempts", "SB107:6") { "backends: [{service: web}]\nretry: {attempts: 21}" },
        .rule("a code that is no fault", "SB107:6") {
            "backends: [{service: web}]\nretry: {attempts: 1, codes: [200]}"
        },
        .rule("a condition", "SB108:6") {
            "backends: [{service: web}]\nretry: {attempts: 1, retryOn: [conect-failure]}"
        },
        .rule("a back-off of nothing", "SB107:6") { "backends: [{service: web}]\nretry: {attempts: 1, backoff: 0s}" },
        .rule("a try without time", "SB107:6") {
            "backends: [{service: web}]\nretry: {attempts: 1, perTryTimeout: 0s}"
        },
        .rule("durations over a day", "SB107:6", "SB107:7") {
            "backends: [{service: web}]\ntimeout: 24h1ms\nretry: {attempts: 1, perTryTimeout: 99999h, backoff: 24h}"
        },
    ]

    private static func word(bytes: Int) -> String { String(repeating: "x", count: bytes) }
    private static func path(bytes: Int) -> String { "/" + self.word(bytes: bytes - 1) }
    private static func path(elements: Int) -> String { String(repeating: "/a", count: elements) }
}
