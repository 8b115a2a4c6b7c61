// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyAPI
import Routing
import SwiftProtobuf

extension Envoy_Config_Endpoint_V3_ClusterLoadAssignment {
    /// Also of a target without endpoints: an assignment that says "none" is an answer, silence is not, and a proxy
    /// that waits for one does not start.
    init(_ target: TargetID, _ endpoints: [LocalityEndpoints]) {
        self.init()
        self.clusterName = target.clusterName
        self.endpoints = endpoints.map { .init($0) }
        // Envoy would give a share to the next priority as soon as a part of this one drains. It shall when all is gone.
        if endpoints.contains(where: { $0.priority > 0 }) {
            self.policy.overprovisioningFactor = .init(Self.onlyWhenEmpty)
        }
    }

    /// Per cent: one endpoint in a thousand makes a priority whole.
    private static let onlyWhenEmpty: UInt32 = 100_000
}

extension Envoy_Config_Endpoint_V3_LocalityLbEndpoints {
    fileprivate init(_ group: LocalityEndpoints) {
        self.init()
        // Set even if nothing is known of it, and with a weight: gRPC clients refuse a group without a locality and
        // skip one without a weight. Envoy reads the weight only if it is told to balance by locality.
        self.priority = UInt32(clamping: group.priority)
        self.locality = .init(group.locality)
        self.loadBalancingWeight = .init(UInt32(clamping: group.endpoints.reduce(0) { $0 + $1.weight.value }))
        self.lbEndpoints = group.endpoints.map { .init($0) }
    }
}

extension Envoy_Config_Endpoint_V3_LbEndpoint {
    fileprivate init(_ endpoint: Endpoint) {
        self.init()
        self.endpoint.address = .init(address: endpoint.address, port: endpoint.port)
        self.loadBalancingWeight = .init(UInt32(endpoint.weight.value))
        if endpoint.isDraining { self.healthStatus = .draining }
    }
}

extension Envoy_Config_Core_V3_Locality {
    fileprivate init(_ locality: Locality) {
        self.init()
        self.region = locality.region
        self.zone = locality.zone
        self.subZone = locality.subZone
    }
}

extension Envoy_Config_Core_V3_Address {
    init(address: String, port: UInt16) {
        self.init()
        self.socketAddress.address = address
        self.socketAddress.portValue = UInt32(port)
    }
}
