// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// The gateways of a route from tags: those that it names, or that the settings name for all, or the only one.
struct TagGateways {
    /// Those that there are.
    var known: [GatewayAddress] = []
    /// Whether `known` is where the route was, as there is nothing else.
    var areFormer = false
    /// Nil if all are known, and one is.
    var problem: String?
    var cure = ""

    /// - Parameter former: where a route that names the same was served.
    init(_ statement: RouteStatement, _ context: TagContext, former: [GatewayAddress]) {
        self.init(statement, context)
        guard self.known.isEmpty else { return }
        self.known = former.filter { Self.exists($0, in: context.policy) }
        self.areFormer = !self.known.isEmpty
    }

    private init(_ statement: RouteStatement, _ context: TagContext) {
        let policy = context.policy
        var addresses = statement.gateways ?? context.options.defaultGateways
        if addresses.isEmpty {
            guard policy.gateways.count == 1, let only = policy.gateways.keys.first else {
                self.problem =
                    policy.gateways.isEmpty
                    ? "there is no gateway" : "there are \(policy.gateways.count) gateways, and no tag says which"
                self.cure =
                    policy.gateways.isEmpty
                    ? "write a gateway document"
                    : "write gateway=<gateway>, or set tags.gateways for all services that name none"
                return
            }
            addresses = [GatewayAddress(gateway: only)]
        }
        let unknown = addresses.filter { !Self.exists($0, in: policy) }
        self.known = addresses.filter { Self.exists($0, in: policy) }
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
