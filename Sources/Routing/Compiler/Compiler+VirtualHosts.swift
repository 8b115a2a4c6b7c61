// SPDX-License-Identifier: Apache-2.0

import Catalog

extension Compiler {
    /// The routes of one listener, merged by hostname. `routes` have different names.
    mutating func virtualHosts(of routes: [Route]) -> [VirtualHost] {
        var entries: [String: [RankedEntry]] = [:]
        for route in routes {
            let routeEntries = route.entries
            for hostname in route.hosts { entries[hostname, default: []] += routeEntries }
        }
        return entries.sorted { $0.key < $1.key }.map { hostname, entries in
            VirtualHost(
                hostname: hostname,
                entries: self.reachable(
                    entries.sorted { $0.precedence < $1.precedence }.map(\.entry),
                    hostname: hostname
                )
            )
        }
    }

    /// By hostname.
    static func origins(of routes: [Route]) -> [String: Set<Origin>] {
        var origins: [String: Set<Origin>] = [:]
        for route in routes {
            let all = route.allOrigins
            for hostname in route.hosts { origins[hostname, default: []].formUnion(all) }
        }
        return origins
    }

    /// Without the entries that no request can reach, because one that is tried earlier matches the same requests.
    private mutating func reachable(_ entries: [RouteEntry], hostname: String) -> [RouteEntry] {
        var winners: [Matched: RouteEntry] = [:]
        return entries.filter { entry in
            guard let winner = winners.updateValue(entry, forKey: Matched(entry.match)) else { return true }
            winners[Matched(entry.match)] = winner
            self.reportUnreachable(entry, winner: winner, hostname: hostname)
            return false
        }
    }

    private mutating func reportUnreachable(_ entry: RouteEntry, winner: RouteEntry, hostname: String) {
        // A refinement that covers its whole rule is meant so.
        if entry.route == winner.route, entry.ruleIndex == winner.ruleIndex, entry.matchIndex == winner.matchIndex {
            return
        }
        guard let rule = self.policy.routes[entry.route]?.rules[entry.ruleIndex] else { return }
        self.diagnostics.insert(
            Diagnostic(
                .warning,
                code: "SB205",
                subject: "route/\(entry.route)",
                message: "match \(entry.matchIndex + 1) of rule \(entry.ruleIndex + 1) is never reached for host "
                    + "'\(hostname)': route/\(winner.route) has the same in rule \(winner.ruleIndex + 1)",
                cure: "take one of the two out, or tell them apart by path, method, headers or query parameters",
                origin: rule.origin
            )
        )
    }
}

/// An entry and where it stands.
private struct RankedEntry {
    let precedence: Precedence
    let entry: RouteEntry
}

extension Route {
    fileprivate var hosts: Set<String> { self.hostnames.isEmpty ? ["*"] : Set(self.hostnames) }

    /// Its own, and of what else decides where its requests go and what they look like.
    fileprivate var allOrigins: Set<Origin> {
        var origins: Set<Origin> = [self.origin]
        for rule in self.rules {
            let refinements = rule.refinements
            let backends = ([rule.action] + refinements.map(\.action)).flatMap(\.backends)
            for origin in backends.map(\.origin) + refinements.map(\.origin) where origin.file != self.origin.file {
                origins.insert(origin)
            }
        }
        return origins
    }

    /// The refinements of a match stand where the match does, in their own order and before it.
    fileprivate var entries: [RankedEntry] {
        self.rules.enumerated().flatMap { ruleIndex, rule in
            // A rule that only moved within its file makes the same messages.
            let action = rule.action.withoutOrigins
            return rule.matches.enumerated().flatMap { matchIndex, match in
                let own = RouteEntry(
                    route: self.name,
                    ruleIndex: ruleIndex,
                    matchIndex: matchIndex,
                    match: match,
                    action: action,
                    requestHeaders: rule.requestHeaders,
                    responseHeaders: rule.responseHeaders
                )
                let refinements = rule.refinements.enumerated().filter { $0.element.matchIndex == matchIndex }
                    .map { RouteEntry(own, $0.element, at: $0.offset) }
                return (refinements + [own]).map { RankedEntry(precedence: Precedence($0, of: match), entry: $0) }
            }
        }
    }
}

extension RouteEntry {
    fileprivate init(_ own: RouteEntry, _ refinement: Route.Refinement, at index: Int) {
        self = own
        self.refinementIndex = index
        self.match = refinement.match
        self.action = refinement.action.withoutOrigins
        self.requestHeaders = refinement.requestHeaders
        self.responseHeaders = refinement.responseHeaders
    }
}
