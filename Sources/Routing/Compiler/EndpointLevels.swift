// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Arranges a target's instances: who gets requests, and who only if there is nobody else.
struct EndpointLevels {
    /// By the name of a datacenter: the smaller is used first. One that is not named is as good as the first.
    private let ranks: [String: Int]

    init(policy: Policy) {
        self.ranks = Dictionary(
            policy.datacenters.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// - Parameter instances: of one target; critical ones too.
    func endpoints(of instances: [Instance]) -> [LocalityEndpoints] {
        self.levels(of: [instances])
    }

    /// - Parameter alternatives: of a target, then of each that stands in where the ones before have nobody.
    func levels(of alternatives: [[Instance]]) -> [LocalityEndpoints] {
        let levels = alternatives.flatMap { instances in
            Dictionary(grouping: instances.filter(\.isRoutable)) { self.ranks[$0.datacenter] ?? 0 }
                .sorted { $0.key < $1.key }.map(\.value)
        }
        // An address and port counts once. Of two instances that share it Envoy would keep the first, and a gRPC client
        // would refuse the whole resource. One that drains may be there for a while beside the one that took its place.
        let isAnyDraining = levels.contains { $0.contains(where: \.isDraining) }
        let lasting = isAnyDraining ? Set(levels.joined().lazy.filter { !$0.isDraining }.map(SocketAddress.init)) : []
        var seen: Set<SocketAddress> = []
        let distinct = levels.map { level in
            level.filter { instance in
                let address = SocketAddress(instance)
                return !(instance.isDraining && lasting.contains(address)) && seen.insert(address).inserted
            }
        }.filter { !$0.isEmpty }
        let hasLasting = !isAnyDraining || !lasting.isEmpty
        return distinct.enumerated().flatMap { priority, instances in
            Dictionary(grouping: instances, by: \.locality).sorted { $0.key < $1.key }.map { locality, instances in
                LocalityEndpoints(
                    priority: priority,
                    locality: locality,
                    endpoints: instances.map { Endpoint($0, isDraining: hasLasting && $0.isDraining) }
                )
            }
        }
    }
}

extension Endpoint {
    fileprivate init(_ instance: Instance, isDraining: Bool) {
        self.init(
            address: instance.address,
            port: instance.port,
            weight: instance.weight,
            isDraining: isDraining
        )
    }
}

private struct SocketAddress: Hashable {
    let address: String
    let port: UInt16

    init(_ instance: Instance) {
        self.address = instance.address
        self.port = instance.port
    }
}
