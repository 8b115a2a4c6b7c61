// SPDX-License-Identifier: Apache-2.0

import Catalog

extension Compiler {
    /// Everything that the listeners' routes lead to, backends of weight 0 too: they are warm before they get a share.
    mutating func targets(of listeners: [ListenerTopology]) -> [TargetID: Target] {
        var targets: [TargetID: Target] = [:]
        for listener in listeners {
            for virtualHost in listener.virtualHosts {
                for case .forward(let forward) in virtualHost.entries.lazy.map(\.action) {
                    for backend in forward.backends {
                        if targets[backend.target] == nil {
                            targets[backend.target] = self.target(backend.target)
                        }
                    }
                }
            }
        }
        return targets
    }

    private mutating func target(_ id: TargetID) -> Target {
        if let target = self.targets[id] { return target }
        let service = self.catalog[id.service]
        let target = Target(
            id: id,
            settings: self.policy.serviceDefaults[id.service]
                ?? ServiceDefaults(service: id.service, origin: Origin(file: "")),
            endpoints: EndpointLevels(policy: self.policy).levels(
                of: ([id] + (self.policy.failovers[id] ?? [])).map { alternative in
                    self.catalog[alternative.service]?.instances.filter(alternative.selects) ?? []
                }
            ),
            origin: service?.origin
        )
        self.targets[id] = target
        return target
    }

    /// Warns of rules that select nothing or nobody.
    mutating func checkBackends() {
        var empty: [TargetID: Bool] = [:]
        for (_, route) in self.policy.routes {
            for rule in route.rules {
                for case .forward(let forward) in [rule.action] + rule.refinements.map(\.action) {
                    if forward.backends.allSatisfy({ $0.weight == 0 }) {
                        self.diagnostics.insert(.allWeightsZero(in: rule, of: route))
                    }
                    // That there is no canary is how it is most of the time.
                    for backend in forward.backends where !backend.subset.isAll && backend.subset.isCanary == nil {
                        let id = backend.target
                        let isEmpty = empty[id] ?? self.selectsNone(id)
                        empty[id] = isEmpty
                        if isEmpty {
                            self.diagnostics.insert(.subsetSelectsNone(backend, of: route))
                        }
                    }
                }
            }
        }
    }

    /// Of a service that has some: one without instances is no fault of the subset.
    private func selectsNone(_ id: TargetID) -> Bool {
        guard self.policy.failovers[id] == nil, let service = self.catalog[id.service], !service.instances.isEmpty
        else { return false }
        return !service.instances.contains(where: id.selects)
    }
}

extension Diagnostic {
    fileprivate static func allWeightsZero(in rule: Route.Rule, of route: Route) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB209",
            subject: route.subject,
            message: "every backend of the rule has weight 0: its requests are answered with 503",
            cure: "give a backend a weight of at least 1",
            origin: rule.origin
        )
    }

    fileprivate static func subsetSelectsNone(_ backend: Route.Backend, of route: Route) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB206",
            subject: route.subject,
            message: "the subset selects none of the instances of service '\(backend.service)': "
                + "its share of the requests is answered with 503",
            cure: "correct the subset, or give an instance what it asks for",
            origin: backend.origin
        )
    }
}
