// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

@testable import ServicePolicy

func tagged(
    _ name: String,
    _ tags: [String]...,
    canaries: [[String]] = [],
    health: Instance.Health = .passing
) -> Service {
    let all = tags.map { ($0, false) } + canaries.map { ($0, true) }
    return Service(
        name: ServiceName(name),
        instances: all.enumerated().map { offset, instance in
            Instance(
                id: InstanceID("\(name)-\(offset)"),
                address: "10.0.0.\(offset + 1)",
                port: 8080,
                tags: Set(instance.0),
                health: health,
                allocation: instance.1
                    ? Allocation(id: "a\(offset)", job: name, jobVersion: 1, group: name, isCanary: true) : nil,
                origin: Origin(file: "consul/\(name)")
            )
        },
        origin: Origin(file: "consul/\(name)")
    )
}

func tagGateway(_ name: String, _ listeners: String...) -> Gateway {
    Gateway(
        name: GatewayName(name),
        proxies: ProxySelector(clusters: [name]),
        listeners: listeners.enumerated().map { Gateway.Listener(name: $0.element, port: 10000 + UInt16($0.offset)) },
        origin: Origin(file: "gateways.yaml", line: 1)
    )
}

/// The gateways of `docs/tags.md`, and no more.
func tagBase(_ routes: Route...) -> Policy {
    let gateways = [tagGateway("edge", "http", "mesh"), tagGateway("internal", "http")]
    return Policy(
        gateways: Dictionary(uniqueKeysWithValues: gateways.map { ($0.name, $0) }),
        routes: Dictionary(uniqueKeysWithValues: routes.map { ($0.name, $0) })
    )
}

/// The gateway is `edge`.
func tagOptions(_ ownership: String...) throws -> TagOptions {
    TagOptions(
        defaultGateways: [GatewayAddress(gateway: GatewayName("edge"))],
        ownership: try HostOwnership(parsing: ownership)
    )
}

/// A `TagRouting` that can be asked within an expectation.
final class TaggedCatalog {
    private var routing: TagRouting

    init(_ options: TagOptions) {
        self.routing = TagRouting(options: options)
    }

    var policy: TagPolicy { self.routing.policy }
    var standing: [ServiceName: TagStanding] { self.routing.standing }

    /// With exactly these services.
    func decided(_ services: Service..., with policy: Policy = tagBase()) -> TagPolicy {
        self.replace(by: services)
        _ = self.decide(with: policy)
        return self.policy
    }

    func replace(by services: [Service]) {
        self.routing.replace(by: Catalog(services))
    }

    func update(_ services: [ServiceName: Service?]) {
        self.routing.update(services)
    }

    func decide(
        with policy: Policy,
        entries: ConfigEntries = ConfigEntries(),
        standing: ChainStanding = ChainStanding(),
        named: Set<ServiceName> = []
    ) -> Bool {
        self.routing.decide(with: policy, entries: entries, standing: standing, named: named)
    }

    func weighted(_ service: Service) -> Service {
        self.routing.weighted(service)
    }
}

extension TagPolicy {
    /// Its routes and what else it has, for people, in the words of `docs/tags.md`.
    var effects: [String] {
        self.routes.values.map(\.summary) + self.serviceDefaults.values.flatMap(\.summary)
    }

    var codes: [String] { self.diagnostics.map(\.code) }

    /// As the pipeline adds it.
    func added(to policy: Policy) -> Policy {
        var policy = policy
        policy.routes.merge(self.routes) { first, _ in first }
        policy.serviceDefaults.merge(self.serviceDefaults) { first, _ in first }
        policy.failovers.merge(self.failovers) { first, _ in first }
        return policy
    }
}

extension ServiceDefaults {
    fileprivate var summary: [String] {
        let usual = ServiceDefaults(service: self.service, origin: self.origin)
        return (self.protocol == usual.protocol ? [] : ["protocol \(self.protocol)"])
            + (self.loadBalancer == usual.loadBalancer ? [] : ["lb \(self.loadBalancer.rawValue)"])
            + (self.connectTimeout == usual.connectTimeout ? [] : ["connect timeout \(self.connectTimeout)"])
    }
}

extension Route {
    var summary: String {
        let service = self.name.rawValue.dropLast("@tags".count)
        let name = service.firstIndex(of: "/").map { "\(service[service.index(after: $0)...]): " } ?? ""
        let gateways = self.gateways.map(\.description)
        let hosts = self.hostnames.isEmpty ? "*" : self.hostnames.joined(separator: " ")
        return name + (gateways == ["edge"] ? "" : gateways.joined(separator: " ") + ": ")
            + self.rules.map { $0.summary(hosts) }.joined(separator: "; ")
    }
}

extension Route.Rule {
    fileprivate func summary(_ hosts: String) -> String {
        let matches = self.matches.map { match in
            let path =
                switch match.path {
                case .prefix(let prefix): prefix == "/" ? "/*" : "\(prefix)/*"
                case .textPrefix(let prefix): "\(prefix)*"
                case .exact(let path): path
                case .regularExpression(let expression): "~\(expression)"
                }
            let headers = match.headers.map { header in
                if case .exact(let value) = header.value { " \(header.name)=\(value)" } else { " \(header.name)" }
            }
            return (match.method.map { "\($0) " } ?? "") + hosts + path + headers.joined()
        }
        return matches.joined(separator: " or ") + " -> " + self.action.summary
    }
}

extension Route.Action {
    fileprivate var summary: String {
        switch self {
        case .redirect(let redirect):
            let path = if case .replaceFullPath(let path) = redirect.path { path } else { "" }
            return "redirect \(redirect.scheme ?? "")://\(redirect.hostname ?? "")"
                + (redirect.port.map { ":\($0)" } ?? "") + path
        case .forward(let forward):
            let backends = forward.backends.map { backend in
                let who = backend.subset.isCanary.map { $0 ? " canaries" : " others" } ?? ""
                return (forward.backends.count > 1 ? "\(backend.weight) " : "") + "\(backend.service)\(who)"
            }
            let path =
                switch forward.rewrite?.path {
                case .replacePrefixMatch(let path), .replacePrefixText(let path): " at \(path)"
                case .replaceFullPath(let path): " at =\(path)"
                case nil: ""
                }
            let retry = forward.retry.map { retry in
                " retries \(retry.attempts) on "
                    + (retry.retryOn + retry.codes.map(String.init)).joined(separator: ",")
            }
            return backends.joined(separator: ", ") + path + (forward.timeout.map { " timeout \($0)" } ?? "")
                + (retry ?? "")
        }
    }
}
