// SPDX-License-Identifier: Apache-2.0

import Routing

/// Two conditions on one path that no single one of Envoy's says.
struct InexpressiblePath: Error, Equatable {}

/// The paths that both a rule and a route of a router match, and what the router's route makes of them.
///
/// A service's router speaks of the paths that the service gets to see. Where the rule rewrites paths, these are not those of
/// the request: a rule that sends "/shop" to the service as "/" and a router's prefix "/cart" make the prefix "/shop/cart".
struct PathConjunction: Equatable {
    var path: Match.PathMatch
    /// In place of the rule's.
    var rewrite: PathRewrite?

    init(_ path: Match.PathMatch, _ rewrite: PathRewrite?) {
        self.path = path
        self.rewrite = rewrite
    }

    /// - Parameters:
    ///   - rewrite: the rule's.
    ///   - replacement: what the router puts in place of the exact path or the prefix that it matched. Not empty.
    /// - Returns: all of them: together they match what both do. Empty if nothing can match both.
    static func all(
        _ rule: Match.PathMatch,
        rewrite: PathRewrite?,
        and router: ServiceRouter.Path,
        replacement: String?
    ) throws(InexpressiblePath) -> [PathConjunction] {
        switch (rule, rewrite) {
        case (_, .replaceFullPath(let path)),
            (.exact, .replacePrefixMatch(let path)), (.exact, .replacePrefixText(let path)),
            (.regularExpression, .replacePrefixMatch(let path)), (.regularExpression, .replacePrefixText(let path)):
            // Whatever the request's path is, the service sees this.
            guard router.matches(path) else { return [] }
            return [PathConjunction(rule, router.rewritten(path, replacement).map { .replaceFullPath($0) } ?? rewrite)]
        case (.exact(let path), nil):
            guard router.matches(path) else { return [] }
            return [PathConjunction(rule, router.rewritten(path, replacement).map { .replaceFullPath($0) })]
        case (.regularExpression(let pattern), nil):
            return try Self.all(ofExpression: pattern, and: router, replacement: replacement)
        case (.prefix("/"), .replacePrefixMatch(let path)):
            let text = path.hasSuffix("/") ? path : path + "/"
            return try TextPrefix(rule, "/", seenAs: text, rewrite).all(and: router, replacement: replacement)
        case (.prefix("/"), nil):
            return try TextPrefix(rule, "/", seenAs: "/", rewrite).all(and: router, replacement: replacement)
        case (.prefix("/"), .replacePrefixText(let text)):
            return try TextPrefix(rule, "/", seenAs: text, rewrite).all(and: router, replacement: replacement)
        case (.textPrefix(let prefix), .replacePrefixMatch(let text)),
            (.textPrefix(let prefix), .replacePrefixText(let text)):
            return try TextPrefix(rule, prefix, seenAs: text, rewrite).all(and: router, replacement: replacement)
        case (.textPrefix(let prefix), nil):
            return try TextPrefix(rule, prefix, seenAs: prefix, rewrite).all(and: router, replacement: replacement)
        case (.prefix(let prefix), nil):
            return try ElementPrefix(prefix, seenAs: prefix, nil).all(and: router, replacement: replacement)
        case (.prefix(let prefix), .replacePrefixMatch(let path)):
            var text = path[...]
            while text.hasSuffix("/") { text = text.dropLast() }
            return try ElementPrefix(prefix, seenAs: String(text), rewrite).all(and: router, replacement: replacement)
        case (.prefix(let prefix), .replacePrefixText(let text)):
            return try ElementPrefix(prefix, seenAs: text, rewrite).all(and: router, replacement: replacement)
        }
    }

    private static func all(
        ofExpression pattern: String,
        and router: ServiceRouter.Path,
        replacement: String?
    ) throws(InexpressiblePath) -> [PathConjunction] {
        let own = PathConjunction(.regularExpression(pattern), nil)
        switch router {
        case .any: return [own]
        case .exact(let path):
            guard RegularExpression.matches(pattern, whole: path) else { return [] }
            return [PathConjunction(.exact(path), replacement.map { .replaceFullPath($0) })]
        case .prefix("/") where replacement == nil || replacement == "/": return [own]
        case .regularExpression(pattern): return [own]
        case .prefix, .regularExpression: throw InexpressiblePath()
        }
    }
}

extension ServiceRouter.Path {
    func matches(_ path: String) -> Bool {
        switch self {
        case .any: true
        case .exact(let exact): path == exact
        case .prefix(let prefix): path.hasPrefix(prefix)
        case .regularExpression(let pattern): RegularExpression.matches(pattern, whole: path)
        }
    }

    /// What becomes of a path that it matches; nil if nothing.
    fileprivate func rewritten(_ path: String, _ replacement: String?) -> String? {
        guard let replacement else { return nil }
        return switch self {
        case .any, .regularExpression: nil
        case .exact: replacement
        case .prefix(let prefix): replacement + path.dropFirst(prefix.count)
        }
    }
}

/// Every path that begins with some characters, of which the service sees others, before the same rest.
private struct TextPrefix {
    let rule: Match.PathMatch
    let prefix: String
    let seen: String
    let rewrite: PathRewrite?

    init(_ rule: Match.PathMatch, _ prefix: String, seenAs seen: String, _ rewrite: PathRewrite?) {
        self.rule = rule
        self.prefix = prefix
        self.seen = seen
        self.rewrite = rewrite
    }

    func all(
        and router: ServiceRouter.Path,
        replacement: String?
    ) throws(InexpressiblePath) -> [PathConjunction] {
        let isRewritten = self.rewrite != nil
        switch router {
        case .any: return [PathConjunction(self.rule, self.rewrite)]
        case .exact(let path):
            guard path.hasPrefix(self.seen) else { return [] }
            let whole = replacement ?? (isRewritten ? path : nil)
            let original = self.prefix + path.dropFirst(self.seen.count)
            return [PathConjunction(.exact(original), whole.map { .replaceFullPath($0) })]
        case .prefix(let prefix) where self.seen.hasPrefix(prefix):
            let text = replacement.map { $0 + self.seen.dropFirst(prefix.count) }
            return [PathConjunction(self.rule, text.map { .replacePrefixText($0) } ?? self.rewrite)]
        case .prefix(let prefix):
            guard prefix.hasPrefix(self.seen) else { return [] }
            let text = replacement ?? (isRewritten ? prefix : nil)
            let original = self.prefix + prefix.dropFirst(self.seen.count)
            return [PathConjunction(.textPrefix(original), text.map { .replacePrefixText($0) })]
        case .regularExpression(let pattern):
            guard self.prefix == "/", self.seen == "/" else { throw InexpressiblePath() }
            return [PathConjunction(.regularExpression(pattern), nil)]
        }
    }
}

/// A prefix by whole path elements, other than "/". Of a path that is the prefix and a rest, which is empty or begins with a
/// slash, the service sees other characters and the same rest; a slash if both are empty.
private struct ElementPrefix {
    let prefix: String
    let seen: String
    let rewrite: PathRewrite?

    init(_ prefix: String, seenAs seen: String, _ rewrite: PathRewrite?) {
        self.prefix = prefix
        self.seen = seen
        self.rewrite = rewrite
    }

    private var own: PathConjunction { PathConjunction(.prefix(self.prefix), self.rewrite) }

    func all(
        and router: ServiceRouter.Path,
        replacement: String?
    ) throws(InexpressiblePath) -> [PathConjunction] {
        switch router {
        case .any: return [self.own]
        case .regularExpression: throw InexpressiblePath()
        case .exact(let path): return self.all(exact: path, replacement)
        case .prefix(let prefix):
            return self.seen.isEmpty && prefix == "/" ? self.root(replacement) : self.all(prefix: prefix, replacement)
        }
    }

    private func all(exact path: String, _ replacement: String?) -> [PathConjunction] {
        let whole = (replacement ?? (self.rewrite == nil ? nil : path)).map { PathRewrite.replaceFullPath($0) }
        if self.seen.isEmpty, path == "/" {
            return [PathConjunction(.exact(self.prefix), whole), PathConjunction(.exact(self.prefix + "/"), whole)]
        }
        guard let tail = self.tail(of: path) else { return [] }
        return [PathConjunction(.exact(self.prefix + tail), whole)]
    }

    private func all(prefix: String, _ replacement: String?) -> [PathConjunction] {
        if self.seen.hasPrefix(prefix) {
            let text = replacement.map { $0 + self.seen.dropFirst(prefix.count) }
            return [PathConjunction(.prefix(self.prefix), text.map { .replacePrefixText($0) } ?? self.rewrite)]
        }
        guard let tail = self.tail(of: prefix), !tail.isEmpty else { return [] }
        let text = replacement ?? (self.rewrite == nil ? nil : prefix)
        return [PathConjunction(.textPrefix(self.prefix + tail), text.map { .replacePrefixText($0) })]
    }

    /// The router's prefix is "/", and the service sees the rest alone.
    private func root(_ replacement: String?) -> [PathConjunction] {
        guard let replacement, replacement != "/" else { return [self.own] }
        return [
            PathConjunction(.textPrefix(self.prefix + "/"), .replacePrefixText(replacement)),
            PathConjunction(.exact(self.prefix), .replaceFullPath(replacement)),
        ]
    }

    /// What follows the seen characters at the beginning of a path: empty, or with a slash first.
    private func tail(of path: String) -> Substring? {
        guard path.hasPrefix(self.seen) else { return nil }
        let tail = path.dropFirst(self.seen.count)
        return tail.isEmpty || tail.hasPrefix("/") ? tail : nil
    }
}
