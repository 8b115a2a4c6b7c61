// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// A policy and entries, as one test wants them.
struct ChainSample {
    var policy: Policy
    var entries: [ConfigEntry]
    /// Of what was applied before.
    var standing = ChainStanding()

    init(rules: [Route.Rule] = [chainRule()], datacenters: [String] = [], _ entries: [ConfigEntry]) {
        let gateway = Gateway(
            name: GatewayName("edge"),
            proxies: ProxySelector(),
            listeners: [Gateway.Listener(name: "http", port: 10000)],
            origin: Origin(file: "gateways.yaml")
        )
        let route = Route(
            name: RouteName("shop"),
            gateways: [Route.GatewayReference(gateway: gateway.name, origin: Origin(file: "routes.yaml"))],
            rules: rules,
            origin: Origin(file: "routes.yaml")
        )
        self.policy = Policy(
            gateways: [gateway.name: gateway],
            routes: [route.name: route],
            datacenters: datacenters
        )
        self.entries = entries
    }

    var read: ConfigEntryReader {
        var reader = ConfigEntryReader()
        _ = reader.apply(self.entries)
        return reader
    }

    var applied: AppliedChains {
        applyChains(to: self.policy, entries: self.read.entries, previous: self.standing)
    }

    /// - Parameter entries: those that there are now.
    mutating func change(to entries: [ConfigEntry]) {
        self.standing = self.applied.standing
        self.entries = entries
    }

    /// Of the first rule, those of its refinements first: "condition -> what happens".
    var lines: [String] {
        guard let rule = self.applied.policy.routes[RouteName("shop")]?.rules[0] else { return [] }
        return rule.refinements.map { "\($0.match.line) -> \($0.action.line)" } + ["-> \(rule.action.line)"]
    }

    func topology(_ services: [Service] = []) -> Topology {
        compile(catalog: Catalog(services), policy: self.applied.policy).topology
    }
}

func chainRule(
    _ matches: [Match] = [],
    to services: [String] = ["web"],
    rewrite: PathRewrite? = nil,
    timeout: Duration? = nil,
    retry: Retry? = nil
) -> Route.Rule {
    Route.Rule(
        matches: matches,
        action: .forward(
            Route.Forward(
                backends: services.map {
                    Route.Backend(service: ServiceName($0), origin: Origin(file: "routes.yaml", line: 9))
                },
                rewrite: rewrite.map { Rewrite(path: $0) },
                timeout: timeout,
                retry: retry
            )
        ),
        origin: Origin(file: "routes.yaml", line: 8)
    )
}

extension Match {
    fileprivate var line: String {
        let path =
            switch self.path {
            case .exact(let path): "=\(path)"
            case .prefix(let prefix): "\(prefix)/*"
            case .textPrefix(let prefix): "\(prefix)*"
            case .regularExpression(let pattern): "~\(pattern)"
            }
        let values = (self.headers + self.queryParameters).map { "\($0.isInverted ? "!" : "")\($0.name) \($0.value)" }
        return ([self.method, path].compactMap { $0 } + values).joined(separator: " ")
    }
}

extension Route.Action {
    fileprivate var line: String {
        guard case .forward(let forward) = self else { return "redirect" }
        let backends = forward.backends.map { $0.weight == 1 ? $0.target.line : "\($0.target.line)@\($0.weight)" }
        let rewrite = forward.rewrite?.path.map { path in
            switch path {
            case .replaceFullPath(let path): "full \(path)"
            case .replacePrefixMatch(let path): "prefix \(path)"
            case .replacePrefixText(let text): "text \(text)"
            }
        }
        let parts = [
            rewrite, forward.timeout.map { "\($0)" }, forward.retry.map { "\($0.attempts)x \($0.retryOn) \($0.codes)" },
        ]
        return ([backends.joined(separator: ", ")] + parts.compactMap { $0 }).joined(separator: "; ")
    }
}

extension TargetID {
    var line: String {
        let subset = self.subset
        return self.service.rawValue + subset.tags.sorted().map { "#\($0)" }.joined()
            + subset.meta.sorted { $0.key < $1.key }.map { "[\($0.key)=\($0.value)]" }.joined()
            + (subset.onlyPassing ? "!" : "")
            + (subset.datacenters.isEmpty ? "" : "@" + subset.datacenters.sorted().joined(separator: "+"))
            + (subset.filter.map { "{\($0)}" } ?? "")
    }
}

extension Sequence<Diagnostic> {
    /// What a test is about, without the wording.
    var findings: [String] { self.map { "\($0.severity) \($0.code) \($0.subject ?? "")" } }
}

func chainInstance(
    _ id: String,
    port: UInt16,
    meta: [String: String] = [:],
    datacenter: String = "",
    health: Instance.Health = .passing
) -> Instance {
    Instance(
        id: InstanceID(id),
        address: "10.0.0.1",
        port: port,
        meta: meta,
        health: health,
        datacenter: datacenter,
        origin: Origin(file: "consul")
    )
}

func chainService(_ name: String, _ instances: [Instance]) -> Service {
    Service(name: ServiceName(name), instances: instances, origin: Origin(file: "consul"))
}
