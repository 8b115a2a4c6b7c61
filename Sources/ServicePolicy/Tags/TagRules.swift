// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// The rules of a route from tags.
struct TagRules {
    private(set) var rules: [Route.Rule] = []
    private(set) var failovers: [TargetID: [TargetID]] = [:]

    init(_ route: ServiceTags.Route, settings: TagSettings, of tags: ServiceTags) {
        let statement = route.statement
        guard case .forward(let rewrite, let timeout, let retry) = statement.action else {
            if case .redirect(let redirect) = statement.action {
                self.rules = [Route.Rule(matches: statement.matches, action: .redirect(redirect), origin: tags.origin)]
            }
            return
        }
        func rule(_ matches: [Match], _ backends: [Route.Backend]) -> Route.Rule {
            Route.Rule(
                matches: matches,
                action: .forward(
                    Route.Forward(backends: backends, rewrite: rewrite, timeout: timeout, retry: retry)
                ),
                origin: tags.origin
            )
        }
        func backend(isCanary: Bool?, weight: Int = 1) -> Route.Backend {
            Route.Backend(
                service: tags.service,
                subset: Subset(isCanary: isCanary),
                weight: weight,
                origin: tags.origin
            )
        }
        if route.isOfCanaries {
            self.rules = [rule(statement.matches, [backend(isCanary: true)])]
            return
        }
        if let header = settings.canaryHeader {
            let matches = statement.matches.map { match in
                var match = match
                if !match.headers.contains(header) { match.headers.append(header) }
                return match
            }
            self.rules.append(rule(matches, [backend(isCanary: true)]))
        }
        switch (settings.canaryWeight, settings.canaryHeader) {
        case (nil, nil): self.rules.append(rule(statement.matches, [backend(isCanary: nil)]))
        case (nil, _?): self.rules.append(rule(statement.matches, [backend(isCanary: false)]))
        case (let weight?, _):
            let backends = [
                backend(isCanary: false, weight: 100 - weight), backend(isCanary: true, weight: weight),
            ]
            self.rules.append(rule(statement.matches, backends))
        }
        if settings.canaryWeight != nil || settings.canaryHeader != nil {
            let canaries = TargetID(service: tags.service, subset: Subset(isCanary: true))
            let others = TargetID(service: tags.service, subset: Subset(isCanary: false))
            self.failovers = [canaries: [others], others: [canaries]]
        }
    }
}

extension ServiceDefaults {
    /// Nil if the tags say nothing of them.
    init?(_ settings: TagSettings, of tags: ServiceTags) {
        guard settings.protocol != nil || settings.loadBalancer != nil || settings.connectTimeout != nil else {
            return nil
        }
        self.init(service: tags.service, origin: tags.origin)
        self.protocol = settings.protocol ?? self.protocol
        self.loadBalancer = settings.loadBalancer ?? self.loadBalancer
        self.connectTimeout = settings.connectTimeout ?? self.connectTimeout
    }
}
