// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// What people and other sources say, which comes before what tags say.
struct TagContext {
    /// What documents say.
    var policy: Policy
    var entries: ConfigEntries
    /// Services that documents describe: their tags make no routes.
    var named: Set<ServiceName>
    var options: TagOptions

    /// Whether what services come to, each for itself, is the same.
    func isSame(forEachServiceAs other: TagContext) -> Bool {
        self.policy.gateways == other.policy.gateways && self.policy.serviceDefaults == other.policy.serviceDefaults
            && self.entries == other.entries && self.named == other.named && self.options == other.options
    }
}

extension ConfigEntries {
    /// An entry that decides where the requests of a service go, which a share for canaries would pass by.
    func splittingKey(of service: ServiceName) -> ConfigEntry.Key? {
        let kind: String? =
            if self.routers[service] != nil {
                "service-router"
            } else if self.splitters[service] != nil {
                "service-splitter"
            } else if let resolver = self.resolvers[service],
                resolver.redirect != nil || resolver.defaultSubset != nil || !resolver.failover.isEmpty
            {
                "service-resolver"
            } else {
                nil
            }
        return kind.map { ConfigEntry.Key(kind: $0, name: service.rawValue) }
    }

    /// What tags say of a service's defaults, with the word of the entries wherever they have one.
    func overruling(
        _ defaults: ServiceDefaults,
        _ settings: TagSettings
    ) -> (defaults: ServiceDefaults, overruled: [TagSetting]) {
        guard let said = self.settings(of: defaults.service) else { return (defaults, []) }
        let own = self.serviceDefaults[defaults.service]
        let resolver = self.resolvers[defaults.service]
        var result = defaults
        var overruled: [TagSetting] = []
        result.circuitBreaker = said.circuitBreaker
        if own?.protocol ?? (own?.isTCP == true ? nil : self.proxyDefaults?.protocol) != nil {
            result.protocol = said.protocol
            if settings.protocol.map({ $0 != said.protocol }) ?? false { overruled.append(.protocol) }
        }
        if resolver?.connectTimeout ?? own?.connectTimeout != nil {
            result.connectTimeout = said.connectTimeout
            if settings.connectTimeout.map({ $0 != said.connectTimeout }) ?? false { overruled.append(.connectTimeout) }
        }
        if resolver?.loadBalancer != nil {
            result.loadBalancer = said.loadBalancer
            if settings.loadBalancer.map({ $0 != said.loadBalancer }) ?? false { overruled.append(.loadBalancer) }
        }
        return (result, overruled)
    }
}
