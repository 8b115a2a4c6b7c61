// SPDX-License-Identifier: Apache-2.0

/// A client node: an element of `/v1/nodes`. See https://developer.hashicorp.com/nomad/api-docs/nodes
package struct NomadNode: Decodable, Hashable, Sendable {
    /// A UUID.
    package var id: String
    package var name: String
    package var isDraining: Bool
    /// "eligible" or "ineligible".
    package var schedulingEligibility: String
    /// "initializing", "ready", "down" or "disconnected".
    package var status: String
    package var modifyIndex: UInt64

    private enum Keys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case isDraining = "Drain"
        case drainStrategy = "DrainStrategy"
        case schedulingEligibility = "SchedulingEligibility"
        case status = "Status"
        case modifyIndex = "ModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.name = try container.string(.name)
        // Whole nodes, as in events, have the strategy and may lack the flag.
        let hasStrategy = try container.decodeIfPresent(Anything.self, forKey: .drainStrategy) != nil
        self.isDraining = try container.bool(.isDraining) || hasStrategy
        self.schedulingEligibility = try container.string(.schedulingEligibility)
        self.status = try container.string(.status)
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}
