// SPDX-License-Identifier: Apache-2.0

import Routing

/// Who has which requests: of a host on a listener, those that fulfil given conditions. First come, first served.
struct TagClaims {
    private struct Claim: Hashable {
        var gateway: GatewayName
        var listener: String
        var host: String
        var matched: Matched
    }

    private let gateways: [GatewayName: Gateway]
    /// The hosts that only one route wants: nearly all.
    private let uncontested: Set<String>
    private var owners: [Claim: String] = [:]

    /// - Parameter routes: all that will claim.
    init(of policy: Policy, routes: some Sequence<Route>) {
        self.gateways = policy.gateways
        var wanted: Set<String> = []
        var contested: Set<String> = []
        for route in routes {
            for host in route.claimedHosts where !wanted.insert(host).inserted { contested.insert(host) }
        }
        var ofDocuments: [(RouteName, Route, hosts: [String])] = []
        for (name, route) in policy.routes {
            let own = route.claimedHosts.filter(wanted.contains)
            guard !own.isEmpty else { continue }
            contested.formUnion(own)
            ofDocuments.append((name, route, own))
        }
        self.uncontested = wanted.subtracting(contested)
        for (name, route, own) in ofDocuments {
            for claim in self.claims(on: own, route.rules.flatMap(\.matches), route.gateways) {
                // Of two documents, whichever: both come before all tags. For the message, the first.
                let owner = "route/\(name)"
                self.owners[claim] = min(self.owners[claim] ?? owner, owner)
            }
        }
    }

    /// Takes the hosts of which nobody has any of the requests.
    /// - Returns: the others, by who has them.
    mutating func claim(_ route: Route, by owner: String) -> [String: [String]] {
        var lost: [String: [String]] = [:]
        for host in route.claimedHosts where !self.uncontested.contains(host) {
            let claims = self.claims(on: [host], route.rules.flatMap(\.matches), route.gateways)
            if let other = claims.compactMap({ self.owners[$0] }).min() {
                lost[other, default: []].append(host)
            } else {
                for claim in claims { self.owners[claim] = owner }
            }
        }
        return lost
    }

    private func claims(on hosts: [String], _ matches: [Match], _ gateways: [Route.GatewayReference]) -> Set<Claim> {
        var claims: Set<Claim> = []
        for reference in gateways {
            for listener in self.gateways[reference.gateway]?.listeners ?? []
            where reference.listener.map({ $0 == listener.name }) ?? true {
                for host in hosts {
                    for match in matches {
                        claims.insert(
                            Claim(
                                gateway: reference.gateway,
                                listener: listener.name,
                                host: host,
                                matched: Matched(match)
                            )
                        )
                    }
                }
            }
        }
        return claims
    }
}
