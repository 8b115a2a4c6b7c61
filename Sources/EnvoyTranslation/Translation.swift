// SPDX-License-Identifier: Apache-2.0

package import Catalog
import EnvoyAPI
package import Routing

/// What the proxies that all of `gateways` select are to hold.
///
/// Equal inputs give equal messages, in the order of their kinds and names: their encoding is their version. What
/// two gateways cannot both have on one proxy, the one with the smaller name has.
package func translate(
    _ gateways: [GatewayTopology],
    configSource: ConfigSource = .ads
) -> (resources: [TranslatedResource], diagnostics: [Diagnostic]) {
    let gateways = gateways.sorted { $0.name < $1.name }
    let hasProxyless = gateways.contains { $0.listeners.contains { $0.listener.protocol == .proxyless } }
    var translation = Translation(configSource: configSource, clusterClient: hasProxyless ? .grpc : .proxy)
    for gateway in gateways {
        for (_, target) in gateway.targets.sorted(by: { $0.key.clusterName < $1.key.clusterName }) {
            translation.add(target, of: gateway)
        }
        for listener in gateway.listeners {
            translation.add(listener, of: gateway)
        }
    }
    // After all that is translated: an untranslated resource never takes the place of one.
    for gateway in gateways {
        for raw in gateway.rawResources {
            translation.add(raw)
        }
    }
    return (
        TranslatedResource.Kind.allCases.flatMap { kind in
            (translation.resources[kind] ?? [:]).values.sorted { $0.name < $1.name }
        },
        translation.diagnostics
    )
}

/// One run of `translate`.
private struct Translation {
    let configSource: ConfigSource
    /// The one that knows less, if there may be both: a target has one cluster.
    let clusterClient: RouteClient
    var resources: [TranslatedResource.Kind: [String: TranslatedResource]] = [:]
    var diagnostics: [Diagnostic] = []
    /// The listener that has each socket.
    private var sockets: [String: String] = [:]
    private var rawResources: Set<String> = []

    init(configSource: ConfigSource, clusterClient: RouteClient) {
        self.configSource = configSource
        self.clusterClient = clusterClient
    }

    /// Gateways that lead to the same target lead to the same cluster.
    mutating func add(_ target: Target, of gateway: GatewayTopology) {
        let name = target.id.clusterName
        guard self.resources[.cluster]?[name] == nil else { return }
        if !self.clusterClient.knows(target.loadBalancer) {
            self.diagnostics.append(.unknownLoadBalancer(of: target, in: gateway))
        }
        let cluster = Envoy_Config_Cluster_V3_Cluster(
            target,
            configSource: self.configSource,
            for: self.clusterClient
        )
        self.insert(.init(kind: .cluster, name: name, message: cluster, origin: target.origin))
        let assignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment(target)
        self.insert(.init(kind: .endpoints, name: name, message: assignment, origin: target.origin))
    }

    mutating func add(_ listener: ListenerTopology, of gateway: GatewayTopology) {
        let name = gateway.resourceName(of: listener)
        let messages =
            if let port = listener.listener.port {
                self.listener(name: name, address: listener.listener.address, port: port, of: gateway)
            } else {
                self.proxylessListeners(of: listener, routeConfiguration: name, of: gateway)
            }
        guard !messages.isEmpty else { return }
        for message in messages {
            self.insert(.init(kind: .listener, name: message.name, message: message, origin: gateway.origin))
        }
        let routes = Envoy_Config_Route_V3_RouteConfiguration(name: name, listener)
        self.insert(.init(kind: .routeConfiguration, name: name, message: routes, origin: gateway.origin))
    }

    /// One, or none if its socket is taken: Envoy would refuse the second.
    private mutating func listener(
        name: String,
        address: String,
        port: UInt16,
        of gateway: GatewayTopology
    ) -> [Envoy_Config_Listener_V3_Listener] {
        let socket = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        if let holder = self.sockets[socket] {
            self.diagnostics.append(
                .taken(
                    "listener '\(name)' is left out: its address \(socket) is listener '\(holder)''s",
                    cure: "give it another address or port, or let the gateways select different proxies",
                    by: gateway
                )
            )
            return []
        }
        self.sockets[socket] = name
        return [.init(name: name, address: address, port: port, configSource: self.configSource)]
    }

    /// One for every hostname: that is what a client asks for. It cannot ask for a wildcard.
    private mutating func proxylessListeners(
        of listener: ListenerTopology,
        routeConfiguration: String,
        of gateway: GatewayTopology
    ) -> [Envoy_Config_Listener_V3_Listener] {
        listener.virtualHosts.map(\.hostname).filter { !$0.hasPrefix("*") }.compactMap { hostname in
            if self.resources[.listener]?[hostname] != nil {
                self.diagnostics.append(
                    .taken(
                        "hostname '\(hostname)' of proxyless listener '\(routeConfiguration)' is left out: "
                            + "another listener serves it to the same clients",
                        cure: "attach its routes to one proxyless listener",
                        by: gateway
                    )
                )
                return nil
            }
            return .init(proxylessHostname: hostname, routeConfiguration: routeConfiguration)
        }
    }

    mutating func add(_ raw: RawResource) {
        guard self.rawResources.insert(raw.name).inserted else { return }
        switch TranslatedResource.make(raw) {
        case .success(let resource):
            if self.resources[resource.kind]?[resource.name] != nil {
                let failure = RawResourceFailure("another resource is named '\(resource.name)'")
                self.diagnostics.append(.unusable(raw, failure))
            } else {
                self.insert(resource)
            }
        case .failure(let failure):
            self.diagnostics.append(.unusable(raw, failure))
        }
    }

    private mutating func insert(_ resource: TranslatedResource) {
        self.resources[resource.kind, default: [:]][resource.name] = resource
    }
}

extension Diagnostic {
    fileprivate static func taken(_ message: String, cure: String, by gateway: GatewayTopology) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB204",
            subject: "gateway/\(gateway.name)",
            message: message,
            cure: cure,
            origin: gateway.origin
        )
    }

    fileprivate static func unknownLoadBalancer(of target: Target, in gateway: GatewayTopology) -> Diagnostic {
        Diagnostic(
            .warning,
            code: "SB210",
            subject: "service-defaults/\(target.id.service)",
            message: "cluster '\(target.id.clusterName)' of gateway '\(gateway.name)' uses round_robin: "
                + "gRPC clients of a proxyless listener do not know \(target.loadBalancer.rawValue)",
            cure: "use round_robin or ring_hash, or give the clients a gateway without other proxies",
            origin: target.origin ?? gateway.origin
        )
    }
}
