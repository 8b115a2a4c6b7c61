// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ConfigEntries {
    /// How proxies talk to each service that a policy leads to. Of a service that has a document that counts alone.
    ///
    /// Of what an entry may say in several places counts: `service-resolver`, `service-defaults`, `proxy-defaults`.
    func settings(
        for policy: Policy,
        documents: [ServiceName: ServiceDefaults]
    ) -> (defaults: [ServiceName: ServiceDefaults], diagnostics: Set<Diagnostic>) {
        var defaults = documents
        var diagnostics: Set<Diagnostic> = []
        for service in policy.servicesLedTo {
            if let document = documents[service] {
                if let key = self.shadowedKey(of: service, by: document) {
                    diagnostics.insert(.shadowed(key, of: service, by: document))
                }
            } else {
                defaults[service] = self.settings(of: service)
                if let origin = self.originOfTCP(service) {
                    diagnostics.insert(.notHTTP(service, origin: origin))
                }
            }
        }
        return (defaults, diagnostics)
    }

    /// Nil if that is what is so without entries.
    func settings(of service: ServiceName) -> ServiceDefaults? {
        let own = self.serviceDefaults[service]
        let resolver = self.resolvers[service]
        let `protocol` = own?.protocol ?? (own?.isTCP == true ? nil : self.proxyDefaults?.protocol)
        let connectTimeout = resolver?.connectTimeout ?? own?.connectTimeout
        let origin = own?.origin ?? resolver?.origin ?? self.proxyDefaults?.origin
        var settings = ServiceDefaults(service: service, origin: origin ?? Origin(file: ""))
        settings.protocol = `protocol` ?? settings.protocol
        settings.connectTimeout = connectTimeout ?? settings.connectTimeout
        settings.loadBalancer = resolver?.loadBalancer ?? settings.loadBalancer
        settings.loadBalancerOptions = resolver?.loadBalancerOptions ?? settings.loadBalancerOptions
        settings.circuitBreaker = own?.circuitBreaker ?? settings.circuitBreaker
        let plain = ServiceDefaults(service: service, origin: settings.origin)
        return settings == plain ? nil : settings
    }

    /// The first entry that says something else of it than what counts alone.
    private func shadowedKey(
        of service: ServiceName,
        by document: ServiceDefaults
    ) -> (key: ConfigEntry.Key, origin: Origin)? {
        let own = self.serviceDefaults[service]
        let resolver = self.resolvers[service]
        if let own,
            own.protocol ?? document.protocol != document.protocol
                || (resolver?.connectTimeout == nil
                    && own.connectTimeout ?? document.connectTimeout != document.connectTimeout)
                || (own.circuitBreaker != .init() && own.circuitBreaker != document.circuitBreaker)
        {
            return (ConfigEntry.Key(kind: "service-defaults", name: service.rawValue), own.origin)
        }
        if let resolver,
            resolver.connectTimeout ?? document.connectTimeout != document.connectTimeout
                || resolver.loadBalancer ?? document.loadBalancer != document.loadBalancer
                || (resolver.loadBalancerOptions != .init()
                    && resolver.loadBalancerOptions != document.loadBalancerOptions)
        {
            return (ConfigEntry.Key(kind: "service-resolver", name: service.rawValue), resolver.origin)
        }
        return nil
    }

    private func originOfTCP(_ service: ServiceName) -> Origin? {
        if let own = self.serviceDefaults[service], own.isTCP { return own.origin }
        guard self.serviceDefaults[service]?.protocol == nil, let all = self.proxyDefaults, all.isTCP else {
            return nil
        }
        return all.origin
    }
}

extension Policy {
    /// In no order.
    fileprivate var servicesLedTo: Set<ServiceName> {
        var services: Set<ServiceName> = []
        for route in self.routes.values {
            for rule in route.rules {
                for case .forward(let forward) in [rule.action] + rule.refinements.map(\.action) {
                    services.formUnion(forward.backends.map(\.service))
                }
            }
        }
        return services
    }
}

extension Diagnostic {
    fileprivate static func shadowed(
        _ entry: (key: ConfigEntry.Key, origin: Origin),
        of service: ServiceName,
        by document: ServiceDefaults
    ) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB332",
            subject: entry.key.description,
            message:
                "it has no effect: the document service-defaults/\(service) (\(document.origin)) counts alone for protocol, "
                + "timeouts, load balancer and limits of the service",
            cure: "write them in the document, or remove the document",
            origin: entry.origin
        )
    }

    fileprivate static func notHTTP(_ service: ServiceName, origin: Origin) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB335",
            subject: "service-defaults/\(service)",
            message:
                "the protocol of the service is tcp, and only HTTP is proxied for now: it is spoken to in HTTP/1.1",
            cure: "write Protocol = \"http\", \"http2\" or \"grpc\", or no route to the service",
            origin: origin
        )
    }
}
