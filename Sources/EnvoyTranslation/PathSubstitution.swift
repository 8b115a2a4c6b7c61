// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Routing
import SwiftProtobuf

/// What a rewrite does to the path of a request that matched, in terms that Envoy has a field for.
///
/// Follows the Gateway API's table, where "/" stands between what replaces a prefix and the rest exactly once.
/// See https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier
enum PathSubstitution: Equatable {
    /// This path, whatever the request's was.
    case whole(String)
    /// This in place of the prefix, byte for byte.
    case prefix(String)
    /// Nothing in place of the prefix: what matches the pattern becomes "/".
    case removal(pattern: String)

    init(_ rewrite: PathRewrite, of match: Match.PathMatch) {
        switch (rewrite, match) {
        case (.replacePrefixText(let text), .prefix), (.replacePrefixText(let text), .textPrefix),
            (.replacePrefixMatch(let text), .textPrefix):
            self = .prefix(text)
        case (.replaceFullPath(let path), _), (.replacePrefixMatch(let path), .exact),
            (.replacePrefixMatch(let path), .regularExpression), (.replacePrefixText(let path), .exact),
            (.replacePrefixText(let path), .regularExpression):
            // What an exact path or a regular expression matches is the whole path.
            self = .whole(path)
        case (.replacePrefixMatch(let replacement), .prefix(let prefix)):
            var replacement = replacement[...]
            while replacement.last == "/" { replacement.removeLast() }
            if prefix == "/" {
                self = .prefix(replacement + "/")
            } else if replacement.isEmpty {
                // As a plain prefix "/" would make "//b" of "/a/b", and "" would make nothing of "/a". By the number
                // of its elements and not by its text, for Envoy limits the size of an expression.
                let elements = prefix.utf8.count { $0 == UInt8(ascii: "/") }
                self = .removal(pattern: "^" + String(repeating: "/[^/]+", count: elements) + "/*")
            } else {
                self = .prefix(String(replacement))
            }
        }
    }
}

extension Envoy_Type_Matcher_V3_RegexMatchAndSubstitute {
    init(pattern: String, substitution: String) {
        self.init()
        self.pattern.regex = pattern
        self.substitution = substitution
    }

    /// Envoy replaces every match: the anchors make it one.
    init(wholePathWith path: String) {
        self.init(pattern: "^/.*$", substitution: path.doubling("\\"))
    }
}
