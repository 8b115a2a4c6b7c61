// SPDX-License-Identifier: Apache-2.0

/// One running copy of a service.
package struct Instance: Hashable, Sendable, Codable {
    /// Consul's three states of a check.
    package enum Health: String, Hashable, Sendable, CaseIterable, Codable {
        case passing
        /// Routed to like `passing`: a warning is for people.
        case warning
        /// Not routed to.
        case critical
    }

    package var id: InstanceID
    /// An IPv4 or IPv6 address literal: Envoy's endpoint discovery takes no host names.
    package var address: String
    /// 1...65535.
    package var port: UInt16
    package var weight: Weight
    package var tags: Set<String>
    package var meta: [String: String]
    package var health: Health
    package var locality: Locality
    /// The datacenter of the catalog that has it; empty where there are none, as in files.
    package var datacenter: String
    /// The machine it runs on, by the name that its catalog knows; empty if unknown.
    package var node: String
    package var nodeMeta: [String: String]
    /// What Nomad knows of it; nil if it is not Nomad's, or Nomad has not been heard.
    package var allocation: Allocation?
    /// It is about to stop: it keeps what it has and gets nothing new while another instance can take it.
    package var isDraining: Bool
    package var origin: Origin

    package init(
        id: InstanceID,
        address: String,
        port: UInt16,
        weight: Weight = .default,
        tags: Set<String> = [],
        meta: [String: String] = [:],
        health: Health = .passing,
        locality: Locality = Locality(),
        datacenter: String = "",
        node: String = "",
        nodeMeta: [String: String] = [:],
        allocation: Allocation? = nil,
        isDraining: Bool = false,
        origin: Origin
    ) {
        self.id = id
        self.address = address
        self.port = port
        self.weight = weight
        self.tags = tags
        self.meta = meta
        self.health = health
        self.locality = locality
        self.datacenter = datacenter
        self.node = node
        self.nodeMeta = nodeMeta
        self.allocation = allocation
        self.isDraining = isDraining
        self.origin = origin
    }

    /// Of a deployment that nobody has promoted yet: Nomad says so, or the tag `canary` does.
    package var isCanary: Bool {
        self.allocation?.isCanary ?? false || self.tags.contains("canary")
    }

    /// Whether new requests may go to it.
    package var isRoutable: Bool {
        self.health != .critical && self.weight.value > 0
    }
}

/// An instance's share among its service's instances, 0...65535 as in Consul. Default 1; 0 means no new requests.
package struct Weight: Hashable, Sendable, Codable {
    package static let range = 0...65535
    package static let `default` = Weight(uncheckedValue: 1)

    package let value: Int

    /// Nil outside `range`.
    package init?(_ value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }

    private init(uncheckedValue: Int) {
        self.value = uncheckedValue
    }
}

/// Where an instance runs. Empty strings where unknown, as in Envoy's `Locality`.
package struct Locality: Hashable, Comparable, Sendable, Codable {
    package var region: String
    package var zone: String
    package var subZone: String

    package init(region: String = "", zone: String = "", subZone: String = "") {
        self.region = region
        self.zone = zone
        self.subZone = subZone
    }

    package static func < (left: Locality, right: Locality) -> Bool {
        (left.region, left.zone, left.subZone) < (right.region, right.zone, right.subZone)
    }
}
