// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// One run of `translate`.
struct Translator {
    var translation = Translation()
    private let configSource: ConfigSource
    /// The one that knows less, if there may be both: a target has one cluster.
    private let clusterClient: RouteClient
    /// Those whose proxies hold every cluster from the start.
    private let eagerGateways: [GatewayTopology]
    let gateways: Set<GatewayName>
    /// The names of documents.
    private var addedRaw: Set<String> = []
    private(set) var unusable: [UnusableResource] = []
    /// The listener that has each socket.
    private var sockets: [String: String] = [:]

    init(_ gateways: [GatewayTopology], configSource: ConfigSource) {
        let hasProxyless = gateways.contains { $0.listeners.contains { $0.listener.protocol == .proxyless } }
        self.configSource = configSource
        self.gateways = Set(gateways.map(\.name))
        self.clusterClient = hasProxyless ? .grpc : .proxy
        self.eagerGateways =
            configSource.onDemandClusters == nil ? gateways : gateways.filter { $0.clusters == .all }
    }

    mutating func add(_ gateway: GatewayTopology) {
        if gateway.clusters == .onDemand, self.configSource.onDemandClusters == nil {
            self.translation.diagnostics.append(.noClustersOnDemand(in: gateway))
        }
        for target in gateway.targets.values {
            self.add(target, of: gateway)
        }
        for listener in gateway.listeners {
            self.add(listener, of: gateway)
        }
    }

    /// Gateways that lead to the same target lead to the same cluster.
    private mutating func add(_ target: Target, of gateway: GatewayTopology) {
        let name = target.id.clusterName
        guard self.translation.entries[.cluster]?[name] == nil else { return }
        if !self.clusterClient.knows(target.settings.loadBalancer) {
            self.translation.diagnostics.append(.unknownLoadBalancer(of: target, in: gateway))
        }
        let isOnDemand = !self.eagerGateways.contains { $0.targets[target.id] != nil }
        for content: TranslatedResource.Content in [
            .cluster(target.settings, self.configSource, self.clusterClient),
            .endpoints(target.id, target.endpoints),
        ] {
            self.insert(
                .init(name: name, content: content, origins: [target.origin].compactMap(\.self), isOnDemand: isOnDemand)
            )
        }
    }

    private mutating func add(_ listener: ListenerTopology, of gateway: GatewayTopology) {
        let name = gateway.resourceName(of: listener)
        let virtualHosts: Gateway.Delivery
        if let port = listener.listener.port {
            guard self.addSocketListener(name: name, listener.listener.address, port, of: gateway) else { return }
            virtualHosts = gateway.virtualHosts
        } else {
            guard self.addProxylessListeners(of: listener, routeConfiguration: name, of: gateway) else { return }
            virtualHosts = .all
        }
        switch virtualHosts {
        case .all:
            let client = RouteClient(listener.listener.protocol)
            self.insert(
                name,
                .routeConfiguration(name: name, listener.virtualHosts, client),
                of: gateway,
                and: Set(listener.origins.values.joined())
            )
        case .onDemand:
            self.insert(name, .onDemandRouteConfiguration(name: name), of: gateway)
            for virtualHost in listener.virtualHosts {
                self.insert(
                    virtualHost.resourceName(in: name),
                    .virtualHost(virtualHost, routeConfiguration: name),
                    of: gateway,
                    and: listener.origins[virtualHost.hostname] ?? []
                )
            }
        }
    }

    /// - Returns: false if its socket is taken: Envoy would refuse the second.
    private mutating func addSocketListener(
        name: String,
        _ address: String,
        _ port: UInt16,
        of gateway: GatewayTopology
    ) -> Bool {
        let socket = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        if let holder = self.sockets[socket] {
            self.translation.diagnostics.append(
                .taken(
                    "listener '\(name)' is left out: its address \(socket) is listener '\(holder)''s",
                    cure: "give it another address or port, or let the gateways select different proxies",
                    by: gateway
                )
            )
            return false
        }
        self.sockets[socket] = name
        let listener = SocketListener(
            name: name,
            address: address,
            port: port,
            configSource: self.configSource,
            virtualHosts: gateway.virtualHosts,
            clusters: gateway.clusters
        )
        self.insert(name, .listener(listener), of: gateway)
        return true
    }

    /// One for every hostname: that is what a client asks for. It cannot ask for a wildcard.
    /// - Returns: false if there is none.
    private mutating func addProxylessListeners(
        of listener: ListenerTopology,
        routeConfiguration: String,
        of gateway: GatewayTopology
    ) -> Bool {
        var isAny = false
        for hostname in listener.virtualHosts.map(\.hostname) where !hostname.hasPrefix("*") {
            if self.translation.entries[.listener]?[hostname] != nil {
                self.translation.diagnostics.append(
                    .taken(
                        "hostname '\(hostname)' of proxyless listener '\(routeConfiguration)' is left out: "
                            + "another listener serves it to the same clients",
                        cure: "attach its routes to one proxyless listener",
                        by: gateway
                    )
                )
                continue
            }
            let content = TranslatedResource.Content.proxylessListener(
                hostname: hostname,
                routeConfiguration: routeConfiguration
            )
            self.insert(hostname, content, of: gateway)
            isAny = true
        }
        return isAny
    }

    /// - Parameter raw: of every gateway that it is for.
    mutating func add(_ raw: RawResource) {
        guard self.addedRaw.insert(raw.name).inserted, let reading = self.translation.standing.readings[raw.name] else {
            return
        }
        switch reading.result {
        case .success(let resource) where self.translation[resource.reference] == nil: self.insert(raw: resource)
        case .success(let resource):
            let failure = RawResourceFailure("another resource is named '\(resource.name)'")
            self.unusable.append(UnusableResource(raw: raw, failure: failure, isNameTaken: true))
        case .failure(let failure):
            self.unusable.append(UnusableResource(raw: raw, failure: failure, isNameTaken: false))
        }
    }

    /// After all that can be used as it is: what was good of the others, where it takes no name from these.
    ///
    /// - Parameter previous: what the same proxies are to hold until now.
    mutating func addLastGood(previous: Translation?) {
        for index in self.unusable.indices {
            let raw = self.unusable[index].raw
            let standing = self.translation.standing
            let readable = standing.readings[raw.name]?.readable(for: self.gateways)
            let published = standing.lastGood(of: raw.name, for: self.gateways, previous: previous)
            let known = ([readable].compactMap(\.self) + published).map { $0.moved(to: raw.origin) }
            if let usable = known.first(where: { self.translation[$0.reference] == nil }) {
                self.insert(raw: usable)
            } else {
                self.unusable[index].waiting = known
            }
        }
    }

    private mutating func insert(raw resource: TranslatedResource) {
        self.insert(resource)
        self.translation.rawKeys.append(resource.reference)
    }

    /// - Parameter origins: of what it is made of beside the gateway.
    private mutating func insert(
        _ name: String,
        _ content: TranslatedResource.Content,
        of gateway: GatewayTopology,
        and origins: Set<Origin> = []
    ) {
        self.insert(.init(name: name, content: content, origins: [gateway.origin] + origins.sorted()))
    }

    private mutating func insert(_ resource: TranslatedResource) {
        self.translation.entries[resource.kind, default: [:]][resource.name] = resource
    }
}
