// SPDX-License-Identifier: Apache-2.0

import Catalog

extension Compiler {
    /// The host of routes that name none.
    private static let anyHost = "*"

    /// The routes of one listener, merged by hostname. `routes` have different names.
    mutating func virtualHosts(of routes: [Route]) -> [VirtualHost] {
        var entries: [String: [RouteEntry]] = [:]
        for route in routes {
            let routeEntries = route.entries
            for hostname in route.hostnames.isEmpty ? [Self.anyHost] : Set(route.hostnames) {
                entries[hostname, default: []] += routeEntries
            }
        }
        return entries.sorted { $0.key < $1.key }.map { hostname, entries in
            VirtualHost(
                hostname: hostname,
                entries: self.reachable(entries.sorted { Precedence($0) < Precedence($1) }, hostname: hostname)
            )
        }
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

extension Route {
    fileprivate var entries: [RouteEntry] {
        self.rules.enumerated().flatMap { ruleIndex, rule in
            // A rule that only moved within its file is the same rule to whoever compares topologies.
            let action = rule.action.withoutOrigins
            return rule.matches.enumerated().map { matchIndex, match in
                RouteEntry(
                    route: self.name,
                    ruleIndex: ruleIndex,
                    matchIndex: matchIndex,
                    match: match,
                    action: action,
                    requestHeaders: rule.requestHeaders,
                    responseHeaders: rule.responseHeaders
                )
            }
        }
    }
}
