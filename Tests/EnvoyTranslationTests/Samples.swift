// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing

/// A policy and what is running, as one test wants them.
struct Sample: Sendable {
    var gateways: [Gateway] = [gateway("edge")]
    var routes: [Route] = []
    var defaults: [ServiceDefaults] = []
    var failovers: [TargetID: [TargetID]] = [:]
    var raw: [RawResource] = []
    var services: [Service] = [service("web", [instance("web-1", port: 9001)])]

    /// As it would go to a proxy that every gateway selects.
    func translation(_ configSource: ConfigSource = .ads, previous: Translation? = nil) -> Translation {
        let policy = Policy(
            gateways: Dictionary(uniqueKeysWithValues: self.gateways.map { ($0.name, $0) }),
            routes: Dictionary(uniqueKeysWithValues: self.routes.map { ($0.name, $0) }),
            serviceDefaults: Dictionary(uniqueKeysWithValues: self.defaults.map { ($0.service, $0) }),
            rawResources: Dictionary(uniqueKeysWithValues: self.raw.map { ($0.name, $0) }),
            failovers: self.failovers
        )
        let (topology, _) = compile(catalog: Catalog(self.services), policy: policy)
        return translate(Array(topology.gateways.values), configSource: configSource, previous: previous)
    }

    func translated(
        _ configSource: ConfigSource = .ads
    ) -> (resources: [TranslatedResource], diagnostics: [Diagnostic]) {
        let translation = self.translation(configSource)
        return (translation.resources, translation.diagnostics)
    }
}

extension Sample {
    /// One route to `web`, with `rules`.
    static func rules(_ rules: Route.Rule...) -> Sample {
        Sample(routes: [route("web", rules: rules)])
    }

    /// Prefix "/a" to `web` with one rewrite, and prefix "/" and exact "/e" with the same.
    static func rewrite(_ rewrite: Rewrite) -> Sample {
        .rules(
            forward(
                Route.Forward(backends: [backend("web")], rewrite: rewrite),
                [Match(path: .prefix("/a")), Match(path: .prefix("/")), Match(path: .exact("/e"))]
            )
        )
    }

    static func redirect(_ redirect: Redirect) -> Sample {
        .rules(
            Route.Rule(matches: [Match(path: .prefix("/a"))], action: .redirect(redirect), origin: Origin(file: "r"))
        )
    }

    static func serviceDefaults(_ defaults: ServiceDefaults) -> Sample {
        var sample = Sample.rules(forward(Route.Forward(backends: [backend("web")])))
        sample.defaults = [defaults]
        return sample
    }
}

func gateway(
    _ name: String,
    listeners: [Gateway.Listener] = [Gateway.Listener(name: "http", port: 10000)],
    virtualHosts: Gateway.Delivery = .all,
    clusters: Gateway.Delivery = .all
) -> Gateway {
    Gateway(
        name: GatewayName(name),
        proxies: ProxySelector(),
        listeners: listeners,
        virtualHosts: virtualHosts,
        clusters: clusters,
        origin: Origin(file: "\(name).yaml", line: 1)
    )
}

func proxyless(_ name: String = "grpc") -> Gateway.Listener {
    Gateway.Listener(name: name, port: nil, protocol: .proxyless)
}

func service(_ name: String, _ instances: [Instance] = []) -> Service {
    Service(name: ServiceName(name), instances: instances, origin: Origin(file: "\(name).yaml", line: 1))
}

func instance(
    _ id: String,
    address: String = "127.0.0.1",
    port: UInt16,
    weight: Weight = .default,
    tags: Set<String> = [],
    locality: Locality = Locality()
) -> Instance {
    Instance(
        id: InstanceID(id),
        address: address,
        port: port,
        weight: weight,
        tags: tags,
        locality: locality,
        origin: Origin(file: "services.yaml")
    )
}

func route(
    _ name: String,
    hostnames: [String] = ["web.example.com"],
    gateways: [String] = ["edge"],
    rules: [Route.Rule] = [forward(Route.Forward(backends: [backend("web")]))]
) -> Route {
    Route(
        name: RouteName(name),
        hostnames: hostnames,
        gateways: gateways.map {
            Route.GatewayReference(gateway: GatewayName($0), origin: Origin(file: "routes.yaml"))
        },
        rules: rules,
        origin: Origin(file: "routes.yaml")
    )
}

func forward(_ action: Route.Forward, _ matches: [Match] = []) -> Route.Rule {
    Route.Rule(matches: matches, action: .forward(action), origin: Origin(file: "routes.yaml"))
}

func backend(_ service: String, _ subset: Subset = .all, weight: Int = 1) -> Route.Backend {
    Route.Backend(
        service: ServiceName(service),
        subset: subset,
        weight: weight,
        origin: Origin(file: "routes.yaml")
    )
}
