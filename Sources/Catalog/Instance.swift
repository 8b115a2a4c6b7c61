// SPDX-License-Identifier: Apache-2.0

/// One running copy of a service.
package struct Instance: Hashable, Sendable {
    /// Consul's three states of a check.
    package enum Health: String, Hashable, Sendable, CaseIterable {
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
        self.origin = origin
    }

    /// Whether new requests may go to it.
    package var isRoutable: Bool {
        self.health != .critical && self.weight.value > 0
    }
}

/// An instance's share among its service's instances, 0...65535 as in Consul. Default 1; 0 means no new requests.
package struct Weight: Hashable, Sendable {
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
package struct Locality: Hashable, Comparable, Sendable {
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
