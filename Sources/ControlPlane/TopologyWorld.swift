// SPDX-License-Identifier: Apache-2.0

package import Catalog
import EnvoyTranslation
import HashTreeCollections
package import Routing
import Synchronization
package import XDSProtocol
package import XDSServer

/// A topology as the xDS server sees it: a proxy's group is the gateways that select it, and a group's resources are the
/// translation of those gateways.
package final class TopologyWorld: World {
    private let topology: Topology
    /// What translation found, for the groups that were asked for.
    private let found = Mutex<[NodeGroup: [Diagnostic]]>([:])

    package init(_ topology: Topology) {
        self.topology = topology
    }

    package var diagnostics: [Diagnostic] {
        Array(Set(self.found.withLock { $0.values.flatMap(\.self) }))
            .sorted { ($0.origin, $0.code, $0.message) < ($1.origin, $1.code, $1.message) }
    }

    package func group(of node: Node, streams: StreamKind) -> NodeGroup? {
        let gateways = self.topology.gateways.values
            .filter { $0.proxies.selects(id: node.id, cluster: node.cluster, metadata: node.metadata) }
            .sorted { $0.name < $1.name }
        // A proxy that nothing selects is sent nothing: more likely a slip than the wish to empty it.
        guard !gateways.isEmpty else { return nil }
        // The variants of the aggregated stream differ in what can be had on demand, and else share every byte.
        let sharesAll = node.isProxyless || gateways.allSatisfy { $0.clusters == .all }
        return NodeGroup(
            members: gateways.map(\.name.rawValue),
            streams: streams == .aggregatedSotW && sharesAll ? .aggregated : streams,
            isProxyless: node.isProxyless
        )
    }

    package func resources(for group: NodeGroup) -> [TypeURL: Snapshot.Resources] {
        // An Envoy refuses a listener that is meant for a gRPC client, and the other way round.
        let gateways = group.members.compactMap { self.topology.gateways[GatewayName($0)] }.map { gateway in
            var gateway = gateway
            gateway.listeners.removeAll { ($0.listener.protocol == .proxyless) != group.isProxyless }
            // A gRPC client asks for every cluster by its name, whatever is said.
            if group.isProxyless { gateway.clusters = .all }
            return gateway
        }
        let translation = translate(gateways, configSource: ConfigSource(group.streams))
        self.found.withLock { $0[group] = translation.diagnostics }
        var resources: [TypeURL: Snapshot.Resources] = [:]
        for translated in translation.resources {
            let (type, resource) = (TypeURL(translated.kind), translated.encoded)
            resources[type, default: [:]][resource.name] = resource
        }
        return resources
    }
}

extension Node {
    /// Whether it is a gRPC library that speaks xDS itself, such as "gRPC C-core", and no proxy.
    fileprivate var isProxyless: Bool { self.userAgent.hasPrefix("gRPC") }
}

extension ConfigSource {
    package init(_ streams: StreamKind) {
        switch streams {
        case .aggregated: self = .ads
        case .aggregatedSotW: self = .sotwADS
        case .sotwPerType: self = .sotw(cluster: controlPlaneClusterName)
        case .deltaPerType: self = .delta(cluster: controlPlaneClusterName)
        }
    }
}
