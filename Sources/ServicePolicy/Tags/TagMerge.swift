// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Decides who has the hosts that several want.
///
/// Documents come first, then services by their names, then the routes of a service by theirs. Who is first has a host
/// with given conditions; who comes later loses that host. It is never decided by who came first in time: a restart
/// would not know, and two replicas could disagree.
/// - Parameter policy: what documents say, as far as it is in force: a route that is refused would take a host and not
///   serve it.
func mergeTags(_ services: [ServiceName: PreparedTags], policy: Policy) -> TagPolicy {
    var merged = TagPolicy()
    merged.routes.reserveCapacity(services.count)
    var claims = TagClaims(of: policy, routes: services.values.lazy.flatMap(\.routes).map(\.route))
    for (service, prepared) in services.sorted(by: { $0.key < $1.key }) {
        merged.diagnostics += prepared.diagnostics
        merged.serviceDefaults[service] = prepared.serviceDefaults
        if !prepared.failovers.isEmpty { merged.failovers.merge(prepared.failovers) { first, _ in first } }
        for (name, route) in prepared.routes {
            let lost = claims.claim(route, by: "\(routeLabel(name)) of service/\(service)")
            guard !lost.isEmpty else {
                merged.routes[route.name] = route
                continue
            }
            merged.diagnostics += lost.sorted { $0.key < $1.key }.map { winner, hosts in
                .conflict(over: hosts, lostBy: routeLabel(name), to: winner, of: service, route.origin)
            }
            let hosts = Set(route.claimedHosts).subtracting(lost.values.joined())
            guard !hosts.isEmpty else { continue }
            merged.routes[route.name] = route
            merged.routes[route.name]?.hostnames = route.hostnames.filter(hosts.contains)
        }
    }
    merged.diagnostics = merged.diagnostics.inOrder
    return merged
}

extension Route {
    /// "*" is every host.
    var claimedHosts: [String] { self.hostnames.isEmpty ? ["*"] : self.hostnames }
}

extension Diagnostic {
    fileprivate static func conflict(
        over hosts: [String],
        lostBy label: String,
        to winner: String,
        of service: ServiceName,
        _ origin: Origin
    ) -> Diagnostic {
        Diagnostic(
            TagCode.conflict.severity,
            code: TagCode.conflict.rawValue,
            subject: "service/\(service.rawValue.printable)",
            message:
                "\(label) loses \(hosts.hostList): \(winner) has the same conditions for it, and comes first: documents "
                + "before services, and these by their names",
            cure:
                "take it out of one of the two, or tell them apart by path, method or headers; to say whose host it is, set "
                + "tags.hosts (such as web.example.com=web)",
            origin: origin
        )
    }
}
