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
    /// What decides where requests go while the entries cannot be followed.
    var standing = ChainStanding()

    /// Whether what services come to, each for itself, is the same.
    func isSame(forEachServiceAs other: TagContext) -> Bool {
        self.policy.gateways == other.policy.gateways && self.policy.serviceDefaults == other.policy.serviceDefaults
            && self.entries == other.entries && self.named == other.named && self.options == other.options
    }

    /// The entry that decides where the requests of a service go.
    func decidingKey(of service: ServiceName) -> ConfigEntry.Key? {
        var chains = ChainCompiler(entries: self.entries, policy: self.policy, previous: self.standing)
        return chains.decidingKey(of: service)
    }
}

extension ConfigEntries {
    /// What tags say of a service's defaults, with the word of the service's own entries wherever they have one, be it
    /// what is so by default. `proxy-defaults` comes after what tags say.
    func overruling(
        _ defaults: ServiceDefaults,
        _ settings: TagSettings
    ) -> (defaults: ServiceDefaults, overruled: [TagSetting]) {
        let own = self.serviceDefaults[defaults.service]
        let resolver = self.resolvers[defaults.service]
        var result = defaults
        var overruled: [TagSetting] = []
        if let said = own?.protocol {
            result.protocol = said
            if settings.protocol.map({ $0 != said }) ?? false { overruled.append(.protocol) }
        } else if settings.protocol == nil, own?.isTCP != true, let said = self.proxyDefaults?.protocol {
            result.protocol = said
        }
        if let said = resolver?.connectTimeout ?? own?.connectTimeout {
            result.connectTimeout = said
            if settings.connectTimeout.map({ $0 != said }) ?? false { overruled.append(.connectTimeout) }
        }
        if let said = resolver?.loadBalancer {
            result.loadBalancer = said
            if settings.loadBalancer.map({ $0 != said }) ?? false { overruled.append(.loadBalancer) }
        }
        // Tags have no word for these.
        result.loadBalancerOptions = resolver?.loadBalancerOptions ?? result.loadBalancerOptions
        result.circuitBreaker = own?.circuitBreaker ?? result.circuitBreaker
        return (result, overruled)
    }
}
