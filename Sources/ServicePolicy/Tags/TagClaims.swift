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
    private var owners: [Claim: String] = [:]

    /// - Parameter hosts: nobody will ask about others.
    init(of policy: Policy, hosts: Set<String>) {
        self.gateways = policy.gateways
        for (name, route) in policy.routes {
            let own = (route.hostnames.isEmpty ? ["*"] : route.hostnames).filter(hosts.contains)
            guard !own.isEmpty else { continue }
            for claim in self.claims(on: own, route.rules.flatMap(\.matches), route.gateways) {
                // Of two documents, whichever: both come before all tags. For the message, the first.
                let owner = "route/\(name)"
                self.owners[claim] = min(self.owners[claim] ?? owner, owner)
            }
        }
    }

    /// Takes the hosts of which nobody has any of the requests.
    /// - Returns: those, and the others by who has them.
    mutating func claim(
        _ hosts: [String],
        matches: [Match],
        gateways: [Route.GatewayReference],
        by owner: String
    ) -> (won: [String], lost: [String: [String]]) {
        var won: [String] = []
        var lost: [String: [String]] = [:]
        for host in hosts {
            let claims = self.claims(on: [host], matches, gateways)
            if let other = claims.compactMap({ self.owners[$0] }).min() {
                lost[other, default: []].append(host)
            } else {
                won.append(host)
                for claim in claims { self.owners[claim] = owner }
            }
        }
        return (won, lost)
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
