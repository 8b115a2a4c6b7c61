// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing
import Testing

/// One feature: what is written, and which of the resources that it gives are kept as a golden file of its name.
struct Feature: Sendable, CustomTestStringConvertible {
    let name: String
    let kinds: Set<TranslatedResource.Kind>
    let sample: Sample
    var configSource = ConfigSource.ads

    var testDescription: String { self.name }
}

extension Feature {
    static let all = whole + onDemand + matches + actions + clusters + entries

    private static let whole = [
        Feature(name: "whole", kinds: Set(TranslatedResource.Kind.allCases), sample: Sample(routes: [route("web")])),
        Feature(
            name: "whole-delta-per-type",
            kinds: [.cluster, .listener],
            sample: Sample(routes: [route("web")]),
            configSource: .delta(cluster: "signalbox")
        ),
        Feature(
            name: "whole-sotw-per-type",
            kinds: [.cluster, .listener],
            sample: Sample(routes: [route("web")]),
            configSource: .sotw(cluster: "signalbox")
        ),
        Feature(
            name: "proxyless",
            kinds: [.listener, .routeConfiguration],
            sample: Sample(
                gateways: [gateway("edge", listeners: [proxyless()])],
                routes: [
                    route(
                        "web",
                        hostnames: ["web.example.com", "*.example.org"],
                        rules: [
                            forward(
                                Route.Forward(backends: [backend("web")], timeout: .seconds(3)),
                                [
                                    Match(path: .prefix("/pkg.Service")),
                                    Match(path: .prefix("/pkg.Service/Method")),
                                    Match(),
                                ]
                            )
                        ]
                    )
                ]
            )
        ),
    ]

    private static let onDemand = [
        Feature(
            name: "on-demand",
            kinds: Set(TranslatedResource.Kind.allCases),
            sample: Sample(
                gateways: [gateway("edge", virtualHosts: .onDemand, clusters: .onDemand)],
                routes: [
                    route("web", hostnames: ["web.example.com", "*.example.com"]), route("rest", hostnames: []),
                ]
            )
        ),
        Feature(
            name: "on-demand-virtual-hosts-sotw-per-type",
            kinds: [.listener, .routeConfiguration],
            sample: Sample(gateways: [gateway("edge", virtualHosts: .onDemand)], routes: [route("web")]),
            configSource: .sotw(cluster: "signalbox")
        ),
        Feature(
            name: "on-demand-clusters-delta-per-type",
            kinds: [.listener, .routeConfiguration],
            sample: Sample(gateways: [gateway("edge", clusters: .onDemand)], routes: [route("web")]),
            configSource: .delta(cluster: "signalbox")
        ),
    ]

    private static let matches = [
        Feature(
            name: "matches",
            kinds: [.routeConfiguration],
            sample: .rules(
                forward(
                    Route.Forward(backends: [backend("web")]),
                    [
                        Match(path: .exact("/exact")),
                        Match(path: .regularExpression("/r[0-9]+")),
                        Match(path: .prefix("/prefix")),
                        Match(method: "POST"),
                        Match(headers: [
                            .init(name: "x-exact", value: .exact("yes")),
                            .init(name: "x-regex", value: .regularExpression("[a-z]+")),
                            .init(name: "x-present", value: .present),
                        ]),
                        Match(queryParameters: [
                            .init(name: "exact", value: .exact("1")),
                            .init(name: "regex", value: .regularExpression("[0-9]")),
                            .init(name: "present", value: .present),
                        ]),
                    ]
                )
            )
        ),
        Feature(
            name: "hostnames",
            kinds: [.routeConfiguration],
            sample: Sample(routes: [
                route("web", hostnames: ["web.example.com", "*.example.com"]), route("rest", hostnames: []),
            ])
        ),
    ]

    private static let actions = [
        Feature(
            name: "weights",
            kinds: [.cluster, .endpoints, .routeConfiguration],
            sample: Sample(
                routes: [
                    route(
                        "web",
                        rules: [
                            forward(
                                Route.Forward(backends: [
                                    backend("web", Subset(tags: ["stable"]), weight: 90),
                                    backend("web", Subset(tags: ["canary"]), weight: 10),
                                ])
                            )
                        ]
                    )
                ],
                services: [
                    service(
                        "web",
                        [
                            instance("web-1", port: 9001, tags: ["stable"]),
                            instance("web-2", port: 9002, tags: ["canary"]),
                        ]
                    )
                ]
            )
        ),
        Feature(
            name: "weights-all-zero",
            kinds: [.routeConfiguration],
            sample: .rules(forward(Route.Forward(backends: [backend("web", weight: 0), backend("web", weight: 0)])))
        ),
        Feature(
            name: "rewrite-prefix",
            kinds: [.routeConfiguration],
            sample: .rewrite(Rewrite(path: .replacePrefixMatch("/b/")))
        ),
        Feature(
            name: "rewrite-prefix-to-root",
            kinds: [.routeConfiguration],
            sample: .rewrite(Rewrite(path: .replacePrefixMatch("/")))
        ),
        Feature(
            name: "rewrite-full-path-and-hostname",
            kinds: [.routeConfiguration],
            sample: .rewrite(Rewrite(hostname: "inner.example.com", path: .replaceFullPath("/full\\1")))
        ),
        Feature(
            name: "redirect-scheme",
            kinds: [.routeConfiguration],
            sample: .redirect(Redirect(scheme: "https", statusCode: 301))
        ),
        Feature(
            name: "redirect-hostname-port-and-full-path",
            kinds: [.routeConfiguration],
            sample: .redirect(
                Redirect(
                    scheme: "https",
                    hostname: "new.example.com",
                    port: 8443,
                    path: .replaceFullPath("/new"),
                    statusCode: 308
                )
            )
        ),
        Feature(
            name: "redirect-prefix-to-root",
            kinds: [.routeConfiguration],
            sample: .redirect(Redirect(path: .replacePrefixMatch("/")))
        ),
        Feature(
            name: "headers",
            kinds: [.routeConfiguration],
            sample: .rules(
                Route.Rule(
                    action: .forward(Route.Forward(backends: [backend("web")])),
                    requestHeaders: HeaderModifier(
                        set: [.init(name: "x-set", value: "100%"), .init(name: "x-accent", value: "%\u{301}a%")],
                        add: [.init(name: "x-add", value: "")],
                        remove: ["x-remove"]
                    ),
                    responseHeaders: HeaderModifier(
                        set: [.init(name: "x-response-set", value: "a")],
                        add: [.init(name: "x-response-add", value: "b")],
                        remove: ["x-response-remove"]
                    ),
                    origin: Origin(file: "routes.yaml")
                )
            )
        ),
        Feature(
            name: "timeout-and-retry",
            kinds: [.routeConfiguration],
            sample: .rules(
                forward(
                    Route.Forward(
                        backends: [backend("web")],
                        timeout: .milliseconds(1500),
                        retry: Retry(
                            attempts: 2,
                            codes: [502, 503],
                            perTryTimeout: .milliseconds(500),
                            backoff: .milliseconds(10)
                        )
                    ),
                    [Match(path: .prefix("/retry"))]
                ),
                forward(
                    Route.Forward(backends: [backend("web")], timeout: .zero, retry: Retry(attempts: 0)),
                    [Match(path: .prefix("/never"))]
                )
            )
        ),
    ]

    private static let clusters =
        ServiceDefaults.LoadBalancerPolicy.allCases.map { policy in
            Feature(
                name: "load-balancer-\(policy.rawValue)",
                kinds: [.cluster],
                sample: .serviceDefaults(
                    ServiceDefaults(
                        service: ServiceName("web"),
                        loadBalancer: policy,
                        origin: Origin(file: "defaults.yaml")
                    )
                )
            )
        } + [
            Feature(
                name: "protocol-grpc-and-limits",
                kinds: [.cluster],
                sample: .serviceDefaults(
                    ServiceDefaults(
                        service: ServiceName("web"),
                        protocol: .grpc,
                        connectTimeout: .milliseconds(250),
                        circuitBreaker: .init(
                            maxConnections: 1,
                            maxPendingRequests: 2,
                            maxConcurrentRequests: 3,
                            maxConcurrentRetries: 4
                        ),
                        origin: Origin(file: "defaults.yaml")
                    )
                )
            ),
            Feature(
                name: "endpoints",
                kinds: [.endpoints],
                sample: Sample(
                    routes: [
                        route(
                            "web",
                            rules: [forward(Route.Forward(backends: [backend("web"), backend("empty", weight: 1)]))]
                        )
                    ],
                    services: [
                        service("empty"),
                        service(
                            "web",
                            [
                                instance("a", address: "::1", port: 1, weight: Weight(3) ?? .default),
                                instance("b", port: 2, weight: Weight(4) ?? .default),
                                instance("c", port: 3, locality: Locality(region: "r", zone: "z", subZone: "s")),
                            ]
                        ),
                    ]
                )
            ),
        ]
}
