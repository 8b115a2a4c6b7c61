// SPDX-License-Identifier: Apache-2.0

package import Catalog
import EnvoyTranslation
package import Routing
import Synchronization
package import XDSProtocol
package import XDSServer

/// A topology as the xDS server sees it: a proxy's group is the gateways that select it, and a group's resources are the
/// translation of those gateways.
///
/// A world starts from the one that was published before it, and works on what differs.
package final class TopologyWorld: World {
    private let topology: Topology
    package let keepsGroups: Bool
    /// Of the world before: of the groups that it was asked for. Not that world itself, which would keep the one before it.
    private let before: [NodeGroup: GroupResources]
    /// If nothing but the endpoints of these differs from the world before.
    private let changedTargets: Set<TargetID>?
    /// Of the groups that were asked for.
    private let made = Mutex<[NodeGroup: GroupResources]>([:])
    /// Of all groups, those too that nobody is in for now.
    private let standing: Mutex<RawStanding>
    /// Called when translation found something for a group that was just asked for, by whoever asked.
    private let onFindings: @Sendable () -> Void

    /// - Parameters:
    ///   - previous: the world that was published last and that this one follows.
    ///   - changedTargets: if nothing but their endpoints differs from `previous`.
    package init(
        _ topology: Topology,
        previous: TopologyWorld? = nil,
        changedTargets: Set<TargetID>? = nil,
        onFindings: @escaping @Sendable () -> Void = {}
    ) {
        self.topology = topology
        self.onFindings = onFindings
        self.changedTargets = previous == nil ? nil : changedTargets
        var standing = previous?.standing.withLock(\.self) ?? RawStanding()
        // Endpoints change all the time, and raw resources not with them: to go over those would be for nothing.
        if self.changedTargets == nil { standing.read(topology.gateways.values.flatMap(\.rawResources)) }
        self.standing = Mutex(standing)
        self.keepsGroups =
            self.changedTargets != nil || previous?.topology.selection == topology.selection
        self.before = previous?.made.withLock(\.self) ?? [:]
    }

    /// What translation found, for the groups that were asked for.
    package var diagnostics: [Diagnostic] {
        Set(self.made.withLock { $0.values.flatMap(\.translation.diagnostics) }).inOrder
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
        self.made(for: group).resources
    }

    package func changes(for group: NodeGroup) -> ChangeSet? {
        self.made(for: group).changes
    }

    package func forget(_ group: NodeGroup) {
        self.made.withLock { $0[group] = nil }
    }

    /// Made once. Not under the lock: whoever asks for another group need not wait.
    private func made(for group: NodeGroup) -> GroupResources {
        if let made = self.made.withLock({ $0[group] }) { return made }
        let before = self.before[group]
        if let before, let changedTargets {
            let gateways = self.gateways(of: group)
            let targets = changedTargets.compactMap { id in gateways.lazy.compactMap { $0.targets[id] }.first }
            let made = GroupResources(before, endpointsOf: targets)
            self.made.withLock { $0[group] = made }
            return made
        }
        let translation = translate(
            self.gateways(of: group),
            configSource: ConfigSource(group.streams),
            previous: before?.translation,
            standing: self.standing.withLock(\.self)
        )
        self.standing.withLock { $0.note(translation, for: Set(group.members.map { GatewayName($0) })) }
        let made = before.map { GroupResources(translation, after: $0) } ?? GroupResources(translation)
        self.made.withLock { $0[group] = made }
        if !translation.diagnostics.isEmpty { self.onFindings() }
        return made
    }

    private func gateways(of group: NodeGroup) -> [GatewayTopology] {
        group.members.compactMap { self.topology.gateways[GatewayName($0)] }.map { gateway in
            var gateway = gateway
            // An Envoy refuses a listener that is meant for a gRPC client, and the other way round.
            gateway.listeners.removeAll { ($0.listener.protocol == .proxyless) != group.isProxyless }
            // A gRPC client asks for every cluster by its name, whatever is said.
            if group.isProxyless { gateway.clusters = .all }
            return gateway
        }
    }
}

extension Topology {
    /// All that the group of a proxy depends on.
    fileprivate var selection: [GatewayName: Selection] {
        self.gateways.mapValues { Selection(proxies: $0.proxies, clusters: $0.clusters) }
    }

    fileprivate struct Selection: Equatable {
        let proxies: ProxySelector
        let clusters: Gateway.Delivery
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
