// SPDX-License-Identifier: Apache-2.0

/// An element of `/v1/deployments`. See https://developer.hashicorp.com/nomad/api-docs/deployments
package struct NomadDeployment: Decodable, Hashable, Sendable {
    package struct Group: Decodable, Hashable, Sendable {
        package var desiredCanaries: Int
        /// Allocations.
        package var placedCanaries: [String]
        package var isPromoted: Bool
        package var autoRevert: Bool
        package var desiredTotal: Int
        package var placedAllocations: Int
        package var healthyAllocations: Int
        package var unhealthyAllocations: Int
    }

    /// A UUID.
    package var id: String
    package var namespace: String
    package var jobID: String
    package var jobVersion: UInt64
    package var groups: [String: Group]
    /// "initializing", "running", "paused", "successful", "failed", "cancelled", "pending", "blocked" or "unblocking".
    package var status: String
    package var statusDescription: String
    package var createIndex: UInt64
    package var modifyIndex: UInt64
}

extension NomadDeployment {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case namespace = "Namespace"
        case jobID = "JobID"
        case jobVersion = "JobVersion"
        case groups = "TaskGroups"
        case status = "Status"
        case statusDescription = "StatusDescription"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.namespace = try container.string(.namespace)
        self.jobID = try container.string(.jobID)
        self.jobVersion = try container.unsigned(.jobVersion)
        self.groups = try container.map(.groups)
        self.status = try container.string(.status)
        self.statusDescription = try container.string(.statusDescription)
        self.createIndex = try container.unsigned(.createIndex)
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}

extension NomadDeployment.Group {
    private enum Keys: String, CodingKey {
        case desiredCanaries = "DesiredCanaries"
        case placedCanaries = "PlacedCanaries"
        case isPromoted = "Promoted"
        case autoRevert = "AutoRevert"
        case desiredTotal = "DesiredTotal"
        case placedAllocations = "PlacedAllocs"
        case healthyAllocations = "HealthyAllocs"
        case unhealthyAllocations = "UnhealthyAllocs"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.desiredCanaries = try container.integer(.desiredCanaries)
        self.placedCanaries = try container.list(.placedCanaries)
        self.isPromoted = try container.bool(.isPromoted)
        self.autoRevert = try container.bool(.autoRevert)
        self.desiredTotal = try container.integer(.desiredTotal)
        self.placedAllocations = try container.integer(.placedAllocations)
        self.healthyAllocations = try container.integer(.healthyAllocations)
        self.unhealthyAllocations = try container.integer(.unhealthyAllocations)
    }
}
