// SPDX-License-Identifier: Apache-2.0

/// A job, as far as `/v1/jobs`, `/v1/job/:id` and events agree. See https://developer.hashicorp.com/nomad/api-docs/jobs
package struct NomadJob: Decodable, Hashable, Sendable {
    package var id: String
    package var name: String
    package var namespace: String
    /// "service", "batch", "system" or "sysbatch".
    package var type: String
    /// "pending", "running" or "dead".
    package var status: String
    package var isStopped: Bool
    /// Nil in the lists of old servers.
    package var version: UInt64?
    package var datacenters: [String]
    package var meta: [String: String]
    package var createIndex: UInt64
    package var modifyIndex: UInt64
    /// Rises when the specification changes, and not when the status does.
    package var jobModifyIndex: UInt64

    private enum Keys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case namespace = "Namespace"
        case type = "Type"
        case status = "Status"
        case isStopped = "Stop"
        case version = "Version"
        case datacenters = "Datacenters"
        case meta = "Meta"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
        case jobModifyIndex = "JobModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.name = try container.string(.name)
        self.namespace = try container.string(.namespace)
        self.type = try container.string(.type)
        self.status = try container.string(.status)
        self.isStopped = try container.bool(.isStopped)
        self.version = try container.decodeIfPresent(UInt64.self, forKey: .version)
        self.datacenters = try container.list(.datacenters)
        self.meta = try container.map(.meta)
        self.createIndex = try container.unsigned(.createIndex)
        self.modifyIndex = try container.unsigned(.modifyIndex)
        self.jobModifyIndex = try container.unsigned(.jobModifyIndex)
    }
}
