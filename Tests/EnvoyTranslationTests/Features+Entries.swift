// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing

/// What only Consul's config entries make.
extension Feature {
    static let entries = [
        Feature(
            name: "text-prefixes",
            kinds: [.routeConfiguration],
            sample: .rules(
                forward(
                    Route.Forward(
                        backends: [backend("web")],
                        rewrite: Rewrite(path: .replacePrefixText("/new")),
                        idleTimeout: .seconds(60)
                    ),
                    [Match(path: .textPrefix("/old/")), Match(path: .prefix("/a")), Match(path: .exact("/e"))]
                )
            )
        ),
        Feature(
            name: "header-conditions",
            kinds: [.routeConfiguration],
            sample: .rules(
                forward(
                    Route.Forward(backends: [backend("web")]),
                    [
                        Match(headers: [
                            .init(name: "x-prefix", value: .prefix("a")), .init(name: "x-suffix", value: .suffix("b")),
                            .init(name: "x-contains", value: .contains("c")),
                            .init(name: "x-other", value: .exact("d"), isInverted: true),
                            .init(name: "x-absent", value: .present, isInverted: true),
                        ])
                    ]
                )
            )
        ),
        Feature(
            name: "refinements",
            kinds: [.cluster, .routeConfiguration],
            sample: .rules(
                Route.Rule(
                    matches: [Match(path: .prefix("/a"))],
                    action: .forward(Route.Forward(backends: [backend("web")])),
                    refinements: [
                        Route.Refinement(
                            matchIndex: 0,
                            match: Match(path: .textPrefix("/a/admin"), method: "GET"),
                            action: .forward(
                                Route.Forward(backends: [backend("web", Subset(meta: ["role": "admin"]))])
                            ),
                            requestHeaders: HeaderModifier(set: [.init(name: "x-admin", value: "1")]),
                            origin: Origin(file: "service-router/web")
                        ),
                        Route.Refinement(
                            matchIndex: 0,
                            match: Match(path: .exact("/a")),
                            action: .forward(Route.Forward(backends: [backend("web")], timeout: .seconds(1))),
                            origin: Origin(file: "service-router/web")
                        ),
                    ],
                    origin: Origin(file: "routes.yaml")
                )
            )
        ),
        Feature(
            name: "backend-headers",
            kinds: [.routeConfiguration],
            sample: .rules(
                forward(
                    Route.Forward(backends: [
                        Route.Backend(
                            service: ServiceName("web"),
                            requestHeaders: HeaderModifier(
                                set: [.init(name: "x-part", value: "1%")],
                                remove: ["x-inner"]
                            ),
                            responseHeaders: HeaderModifier(add: [.init(name: "x-by", value: "a")], remove: ["server"]),
                            origin: Origin(file: "routes.yaml")
                        )
                    ])
                )
            )
        ),
        Feature(
            name: "hash-policies",
            kinds: [.cluster, .routeConfiguration],
            sample: {
                var sample = Sample.rules(
                    forward(
                        Route.Forward(
                            backends: [backend("web")],
                            hashPolicies: [
                                HashPolicy(.header("x-user"), isTerminal: true),
                                HashPolicy(.cookie("c", path: "/", lifetime: .seconds(3600))),
                                HashPolicy(.cookie("session", path: "", lifetime: .zero)),
                                HashPolicy(.cookie("theirs", path: "", lifetime: nil)),
                                HashPolicy(.queryParameter("q")), HashPolicy(.sourceAddress),
                            ]
                        )
                    )
                )
                sample.defaults = [
                    ServiceDefaults(
                        service: ServiceName("web"),
                        loadBalancer: .ringHash,
                        loadBalancerOptions: .init(minimumRingSize: 1024, maximumRingSize: 4096, choiceCount: 3),
                        origin: Origin(file: "defaults.yaml")
                    )
                ]
                return sample
            }()
        ),
        Feature(
            name: "choice-count",
            kinds: [.cluster],
            sample: .serviceDefaults(
                ServiceDefaults(
                    service: ServiceName("web"),
                    loadBalancer: .leastRequest,
                    loadBalancerOptions: .init(choiceCount: 3),
                    origin: Origin(file: "defaults.yaml")
                )
            )
        ),
        Feature(
            name: "failover",
            kinds: [.cluster, .endpoints],
            sample: {
                var sample = Sample.rules(forward(Route.Forward(backends: [backend("web")])))
                sample.services.append(service("backup", [instance("b", port: 9009)]))
                sample.failovers = [TargetID(service: ServiceName("web")): [TargetID(service: ServiceName("backup"))]]
                return sample
            }()
        ),
    ]
}
