// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// The gateways of a route from tags: those that it names, or that the settings name for all, or the only one.
struct TagGateways {
    /// Those that there are.
    var known: [Route.GatewayReference] = []
    /// Nil if all are known, and one is.
    var problem: String?
    var cure = ""

    init(_ statement: RouteStatement, _ context: TagContext, _ origin: Origin) {
        let policy = context.policy
        var addresses = statement.gateways ?? context.options.defaultGateways
        if addresses.isEmpty {
            guard policy.gateways.count == 1, let only = policy.gateways.keys.first else {
                self.problem =
                    policy.gateways.isEmpty
                    ? "there is no gateway" : "there are \(policy.gateways.count) gateways, and no tag says which"
                self.cure =
                    policy.gateways.isEmpty
                    ? "write a gateway document" : "write gateway=<gateway>, or set a default for all services"
                return
            }
            addresses = [GatewayAddress(gateway: only)]
        }
        let unknown = addresses.filter { !Self.exists($0, in: policy) }
        self.known = addresses.filter { Self.exists($0, in: policy) }.map {
            Route.GatewayReference(gateway: $0.gateway, listener: $0.listener, origin: origin)
        }
        guard !unknown.isEmpty else { return }
        let names = unknown.prefix(5).map { $0.description.excerpt }.joined(separator: ", ")
        self.problem = "there is no gateway or listener \(names)" + (unknown.count > 5 ? " and others" : "")
        let all = policy.gateways.values.flatMap { gateway in
            [gateway.name.rawValue] + gateway.listeners.map { "\(gateway.name)/\($0.name)" }
        }
        self.cure =
            Spelling.nearest(to: String(unknown[0].description.prefix(64)), among: all.sorted())
            .map { "did you mean \($0)?" } ?? "correct the name, or write a gateway document of that name"
    }

    private static func exists(_ address: GatewayAddress, in policy: Policy) -> Bool {
        guard let gateway = policy.gateways[address.gateway] else { return false }
        return address.listener.map { name in gateway.listeners.contains { $0.name == name } } ?? true
    }
}
