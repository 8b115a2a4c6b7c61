// SPDX-License-Identifier: Apache-2.0

/// Where an entry stands among those of its host: the smaller is tried first.
///
/// The Gateway API's order (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule), which leaves open where
/// regular expressions stand: here between exact paths and prefixes, the longer first. What it decides by a
/// document's age is decided by its name, so that the same documents always give the same order. A refinement stands where
/// its rule's match does.
struct Precedence: Comparable {
    private let pathKind: Int
    private let pathLength: Int
    private let hasMethod: Bool
    private let headers: Int
    private let queryParameters: Int
    private let route: RouteName
    private let ruleIndex: Int
    private let matchIndex: Int
    private let refinementIndex: Int

    /// - Parameter match: the rule's.
    init(_ entry: RouteEntry, of match: Match) {
        switch match.path {
        case .exact:
            self.pathKind = 0
            // No two exact paths match the same request: the other conditions decide.
            self.pathLength = 0
        case .regularExpression(let pattern):
            self.pathKind = 1
            self.pathLength = pattern.utf8.count
        case .prefix(let prefix), .textPrefix(let prefix):
            self.pathKind = 2
            self.pathLength = prefix.utf8.count
        }
        self.hasMethod = match.method != nil
        self.headers = match.headers.count
        self.queryParameters = match.queryParameters.count
        self.route = entry.route
        self.ruleIndex = entry.ruleIndex
        self.matchIndex = entry.matchIndex
        self.refinementIndex = entry.refinementIndex ?? .max
    }

    static func < (left: Precedence, right: Precedence) -> Bool {
        if left.pathKind != right.pathKind { return left.pathKind < right.pathKind }
        if left.pathLength != right.pathLength { return left.pathLength > right.pathLength }
        if left.hasMethod != right.hasMethod { return left.hasMethod }
        if left.headers != right.headers { return left.headers > right.headers }
        if left.queryParameters != right.queryParameters { return left.queryParameters > right.queryParameters }
        return (left.route, left.ruleIndex, left.matchIndex, left.refinementIndex)
            < (right.route, right.ruleIndex, right.matchIndex, right.refinementIndex)
    }
}
