// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import Testing

@testable import EnvoyTranslation

struct PathSubstitutionTests {
    @Test(arguments: [
        (PathRewrite.replacePrefixMatch("/b"), Match.PathMatch.prefix("/a"), PathSubstitution.prefix("/b")),
        (.replacePrefixMatch("/b/"), .prefix("/a"), .prefix("/b")),
        (.replacePrefixMatch("/b"), .prefix("/"), .prefix("/b/")),
        (.replacePrefixMatch("/"), .prefix("/"), .prefix("/")),
        (.replacePrefixMatch("/"), .prefix("/a"), .removal(pattern: "^/[^/]+/*")),
        (.replacePrefixMatch(""), .prefix("/a/b.c"), .removal(pattern: "^/[^/]+/[^/]+/*")),
        (.replacePrefixMatch("/b"), .exact("/a"), .whole("/b")),
        (.replacePrefixMatch("/b"), .regularExpression("/a.*"), .whole("/b")),
        (.replaceFullPath("/b/"), .prefix("/a"), .whole("/b/")),
    ])
    func `a slash stands once between what replaces a prefix and the rest`(
        rewrite: PathRewrite,
        match: Match.PathMatch,
        substitution: PathSubstitution
    ) {
        #expect(PathSubstitution(rewrite, of: match) == substitution)
    }

    @Test func `the twenty elements that a document may remove are within Envoy's limit`() {
        #expect(PathRewrite.maximumRemovedElements == 20)
        let prefix = Match.PathMatch.prefix(String(repeating: "/element", count: PathRewrite.maximumRemovedElements))
        guard case .removal(let pattern) = PathSubstitution(.replacePrefixMatch("/"), of: prefix) else {
            Issue.record("not a removal")
            return
        }
        #expect(RegularExpression.refusal(of: pattern) == nil)
    }

    @Test(arguments: [("/a", "/a"), ("/\\1", "/\\\\1"), ("/\\\u{301}", "/\\\\\u{301}")])
    func `a backslash in a new path is no reference to a group`(path: String, substitution: String) {
        let rewrite = Envoy_Type_Matcher_V3_RegexMatchAndSubstitute(wholePathWith: path)
        #expect(Array(rewrite.substitution.unicodeScalars) == Array(substitution.unicodeScalars))
    }
}
