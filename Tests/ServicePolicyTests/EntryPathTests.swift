// SPDX-License-Identifier: Apache-2.0

import Routing
import Testing

@testable import ServicePolicy

/// The conjunction of a rule's path and a router's, against what a proxy would do with every short path.
struct EntryPathTests {
    private static let rules: [Match.PathMatch] = [
        .prefix("/"), .prefix("/a"), .prefix("/a/b"), .exact("/"), .exact("/a"), .exact("/a/b"), .textPrefix("/"),
        .textPrefix("/a"), .textPrefix("/a/"), .regularExpression("/a.*"), .regularExpression("/[ab]/[ab]"),
    ]

    private static let rewrites: [PathRewrite?] = [
        nil, .replaceFullPath("/a"), .replaceFullPath("/b/a"), .replacePrefixMatch("/"), .replacePrefixMatch("/b"),
        .replacePrefixMatch("/a/"), .replacePrefixText("/b"), .replacePrefixText("/a/b"),
    ]

    private static let routers: [(ServiceRouter.Path, [String?])] = [
        (.any, [nil]), (.exact("/"), [nil, "/x"]), (.exact("/a"), [nil, "/", "/x"]), (.exact("/b/a"), [nil, "/x"]),
        (.prefix("/"), [nil, "/", "/x", "/x/"]), (.prefix("/a"), [nil, "/", "/x"]), (.prefix("/a/"), [nil, "/"]),
        (.prefix("/b/"), [nil, "/x/"]), (.prefix("/b/a"), [nil, "/x"]), (.regularExpression("/a.*"), [nil]),
        (.regularExpression("/[ab]/[ab]"), [nil]),
    ]

    /// Without two slashes in a row: a proxy makes them one before it looks for a route.
    private static let paths: [String] = {
        var all = ["/"]
        var last = ["/"]
        for _ in 0..<6 {
            last = last.flatMap { path in ["/", "a", "b"].map { path + $0 } }.filter { !$0.contains("//") }
            all += last
        }
        return all
    }()

    @Test func `a request goes where the router sends what the service sees of it`() throws {
        var compared = 0
        for rule in Self.rules {
            for rewrite in Self.rewrites {
                for (router, replacements) in Self.routers {
                    for replacement in replacements {
                        compared += try self.compare(rule, rewrite, router, replacement)
                    }
                }
            }
        }
        #expect(compared > 100_000)
    }

    private func compare(
        _ rule: Match.PathMatch,
        _ rewrite: PathRewrite?,
        _ router: ServiceRouter.Path,
        _ replacement: String?
    ) throws -> Int {
        let parts: [PathConjunction]
        do {
            parts = try PathConjunction.all(rule, rewrite: rewrite, and: router, replacement: replacement)
        } catch {
            #expect(rule.isExpression || router.isExpression, "\(rule) and \(router) can be expressed")
            return 0
        }
        for path in Self.paths {
            let isOfRule = rule.matches(path)
            let seen = rewrite.map { $0.applied(to: path, matchedBy: rule) } ?? path
            let expected = isOfRule && router.matches(seen) ? router.rewritten(seen, by: replacement) : nil
            let part = parts.first { $0.path.matches(path) }
            let actual = part.map { part in
                part.rewrite.map { $0.applied(to: path, matchedBy: part.path) } ?? path
            }
            if actual != expected {
                Issue.record(
                    """
                    \(path): \(actual ?? "no match") instead of \(expected ?? "no match"), by \(rule) \
                    \(String(describing: rewrite)) and \(router) \(replacement ?? "") = \(parts)
                    """
                )
            }
        }
        return Self.paths.count
    }
}

extension ServiceRouter.Path {
    fileprivate var isExpression: Bool { if case .regularExpression = self { true } else { false } }

    /// What Envoy does for a router of Consul: `prefix_rewrite`.
    fileprivate func rewritten(_ path: String, by replacement: String?) -> String {
        guard let replacement else { return path }
        return switch self {
        case .prefix(let prefix): replacement + path.dropFirst(prefix.count)
        case .exact, .any, .regularExpression: replacement
        }
    }
}

extension Match.PathMatch {
    fileprivate var isExpression: Bool { if case .regularExpression = self { true } else { false } }

    /// As a proxy does.
    fileprivate func matches(_ path: String) -> Bool {
        switch self {
        case .prefix("/"): true
        case .prefix(let prefix): path == prefix || path.hasPrefix(prefix + "/")
        case .textPrefix(let prefix): path.hasPrefix(prefix)
        case .exact(let exact): path == exact
        case .regularExpression(let pattern): RegularExpression.matches(pattern, whole: path)
        }
    }
}

extension PathRewrite {
    /// As a proxy does with what `PathSubstitution` says.
    fileprivate func applied(to path: String, matchedBy match: Match.PathMatch) -> String {
        switch (self, match) {
        case (.replaceFullPath(let full), _): return full
        case (.replacePrefixMatch(let full), .exact), (.replacePrefixMatch(let full), .regularExpression),
            (.replacePrefixText(let full), .exact), (.replacePrefixText(let full), .regularExpression):
            return full
        case (.replacePrefixText(let text), .prefix(let prefix)),
            (.replacePrefixText(let text), .textPrefix(let prefix)),
            (.replacePrefixMatch(let text), .textPrefix(let prefix)):
            return text + path.dropFirst(prefix.count)
        case (.replacePrefixMatch(let replacement), .prefix(let prefix)):
            var replacement = replacement
            while replacement.hasSuffix("/") { replacement.removeLast() }
            let rest = prefix == "/" ? path[...] : path.dropFirst(prefix.count)
            return replacement.isEmpty && rest.isEmpty ? "/" : replacement + rest
        }
    }
}
