// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

func service(_ name: String, _ instances: [Instance] = []) -> Service {
    Service(name: ServiceName(name), instances: instances, origin: Origin(file: "services.yaml", line: 1))
}

func instance(
    _ id: String,
    address: String = "127.0.0.1",
    port: UInt16 = 9001,
    weight: Weight = .default,
    tags: Set<String> = [],
    health: Instance.Health = .passing,
    isDraining: Bool = false,
    zone: String = ""
) -> Instance {
    Instance(
        id: InstanceID(id),
        address: address,
        port: port,
        weight: weight,
        tags: tags,
        health: health,
        locality: Locality(zone: zone),
        isDraining: isDraining,
        origin: Origin(file: "services.yaml", line: 2)
    )
}

func gateway(_ name: String, listeners: [String] = ["http"]) -> Gateway {
    Gateway(
        name: GatewayName(name),
        proxies: ProxySelector(),
        listeners: listeners.enumerated().map {
            Gateway.Listener(name: $0.element, port: 10000 + UInt16($0.offset))
        },
        origin: Origin(file: "gateways.yaml", line: 1)
    )
}

/// `line` is where the document starts: its gateways and rules are on lines of their own below.
func route(
    _ name: String,
    hostnames: [String] = [],
    gateways: [String] = ["edge"],
    rules: [Route.Rule]? = nil,
    to service: String = "web",
    line: Int = 1
) -> Route {
    Route(
        name: RouteName(name),
        hostnames: hostnames,
        gateways: gateways.enumerated().map { offset, reference in
            let parts = reference.split(separator: "/").map(String.init)
            return Route.GatewayReference(
                gateway: GatewayName(parts[0]),
                listener: parts.count > 1 ? parts[1] : nil,
                origin: Origin(file: "\(name).yaml", line: line + 1 + offset)
            )
        },
        rules: rules ?? [rule(to: [backend(service, line: line + 10)], line: line + 9)],
        origin: Origin(file: "\(name).yaml", line: line)
    )
}

func rule(_ matches: [Match] = [], to backends: [Route.Backend] = [backend("web")], line: Int = 9) -> Route.Rule {
    Route.Rule(
        matches: matches,
        action: .forward(Route.Forward(backends: backends)),
        origin: Origin(file: "route.yaml", line: line)
    )
}

func backend(_ service: String, tags: Set<String> = [], weight: Int = 1, line: Int = 10) -> Route.Backend {
    Route.Backend(
        service: ServiceName(service),
        subset: Subset(tags: tags),
        weight: weight,
        origin: Origin(file: "route.yaml", line: line)
    )
}

func policy(gateways: [Gateway] = [gateway("edge")], routes: [Route] = [], raw: [RawResource] = []) -> Policy {
    Policy(
        gateways: Dictionary(uniqueKeysWithValues: gateways.map { ($0.name, $0) }),
        routes: Dictionary(uniqueKeysWithValues: routes.map { ($0.name, $0) }),
        rawResources: Dictionary(uniqueKeysWithValues: raw.map { ($0.name, $0) })
    )
}

extension Sequence<Diagnostic> {
    /// Code, place and what it is about: what a test is about, without the wording.
    var findings: [String] {
        self.map { "\($0.severity.rawValue) \($0.code) \($0.origin) \($0.subject ?? "")" }
    }
}
