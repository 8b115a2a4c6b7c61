// SPDX-License-Identifier: Apache-2.0

import Catalog

/// A document that names others, which may not exist.
protocol ReferringDocument: Equatable {
    /// For diagnostics: "kind/name".
    var subject: String { get }
    var gatewayReferences: [Route.GatewayReference] { get }
    var backends: [Route.Backend] { get }
    /// What it says without where it says so: a document that only moved within its file is unchanged.
    var withoutOrigins: Self { get }
}

extension Route: ReferringDocument {
    var subject: String { "route/\(self.name)" }

    var gatewayReferences: [GatewayReference] { self.gateways }

    package var backends: [Backend] {
        self.rules.flatMap(\.action.backends)
    }

    var withoutOrigins: Route {
        var route = self
        route.origin = .nowhere
        for index in route.gateways.indices {
            route.gateways[index].origin = .nowhere
        }
        for index in route.rules.indices {
            route.rules[index].origin = .nowhere
            route.rules[index].action = route.rules[index].action.withoutOrigins
            for refinement in route.rules[index].refinements.indices {
                let action = route.rules[index].refinements[refinement].action
                route.rules[index].refinements[refinement].action = action.withoutOrigins
                route.rules[index].refinements[refinement].origin = .nowhere
            }
        }
        return route
    }
}

extension Route.Action {
    var backends: [Route.Backend] {
        guard case .forward(let forward) = self else { return [] }
        return forward.backends
    }

    var withoutOrigins: Route.Action {
        guard case .forward(var forward) = self else { return self }
        for backend in forward.backends.indices {
            forward.backends[backend].origin = .nowhere
        }
        return .forward(forward)
    }
}

extension RawResource: ReferringDocument {
    var subject: String { "envoy-resource/\(self.name)" }

    var gatewayReferences: [Route.GatewayReference] {
        self.gateways.map { Route.GatewayReference(gateway: $0, origin: self.origin) }
    }

    var backends: [Route.Backend] { [] }

    var withoutOrigins: RawResource {
        var resource = self
        resource.origin = .nowhere
        return resource
    }
}

extension Route.GatewayReference {
    func attaches(to gateway: Gateway) -> Bool {
        gateway.name == self.gateway && gateway.listeners.contains(where: self.attaches)
    }

    /// Of a listener of the gateway that is named.
    func attaches(to listener: Gateway.Listener) -> Bool {
        self.listener.map { $0 == listener.name } ?? true
    }
}

extension Origin {
    fileprivate static let nowhere = Origin(file: "")
}
