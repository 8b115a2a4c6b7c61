// SPDX-License-Identifier: Apache-2.0

/// An allocation: an element of `/v1/allocations`, the whole of `/v1/allocation/:id`, or an event's payload. Which
/// of its parts there are depends on where it comes from.
/// See https://developer.hashicorp.com/nomad/api-docs/allocations
package struct NomadAllocation: Decodable, Hashable, Sendable {
    /// A UUID.
    package var id: String
    package var namespace: String
    package var nodeID: String
    package var jobID: String
    /// Nil in an event, which leaves the job out.
    package var jobVersion: UInt64?
    package var group: String
    /// "run", "stop" or "evict".
    package var desiredStatus: String
    /// "pending", "running", "complete", "failed", "lost" or "unknown".
    package var clientStatus: String
    /// Nil if no deployment made it, and in a list.
    package var deploymentID: String?
    /// Its deployment placed it as one, promoted or not.
    package var isCanary: Bool
    /// Its node is drained of it. False in a list.
    package var isToMigrate: Bool
    package var modifyIndex: UInt64
}

extension NomadAllocation {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case namespace = "Namespace"
        case nodeID = "NodeID"
        case jobID = "JobID"
        case jobVersion = "JobVersion"
        case job = "Job"
        case group = "TaskGroup"
        case desiredStatus = "DesiredStatus"
        case clientStatus = "ClientStatus"
        case deploymentID = "DeploymentID"
        case deploymentStatus = "DeploymentStatus"
        case desiredTransition = "DesiredTransition"
        case modifyIndex = "ModifyIndex"
    }

    private struct Job: Decodable {
        var version: UInt64?

        private enum CodingKeys: String, CodingKey {
            case version = "Version"
        }
    }

    private struct DeploymentStatus: Decodable {
        var canary: Bool?

        private enum CodingKeys: String, CodingKey {
            case canary = "Canary"
        }
    }

    private struct Transition: Decodable {
        var migrate: Bool?

        private enum CodingKeys: String, CodingKey {
            case migrate = "Migrate"
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let job = try container.decodeIfPresent(Job.self, forKey: .job)
        self.id = try container.decode(String.self, forKey: .id)
        self.namespace = try container.string(.namespace)
        self.nodeID = try container.string(.nodeID)
        self.jobID = try container.string(.jobID)
        self.jobVersion = try container.decodeIfPresent(UInt64.self, forKey: .jobVersion) ?? job?.version
        self.group = try container.string(.group)
        self.desiredStatus = try container.string(.desiredStatus)
        self.clientStatus = try container.string(.clientStatus)
        self.deploymentID = try container.name(.deploymentID)
        let status = try container.decodeIfPresent(DeploymentStatus.self, forKey: .deploymentStatus)
        self.isCanary = status?.canary ?? false
        let transition = try container.decodeIfPresent(Transition.self, forKey: .desiredTransition)
        self.isToMigrate = transition?.migrate ?? false
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}

/// The newest result of one check: a value of the map that `/v1/allocation/:id/checks` answers.
/// See https://developer.hashicorp.com/nomad/api-docs/allocations#read-allocation-checks
package struct NomadAllocationCheck: Decodable, Hashable, Sendable {
    package var id: String
    /// "healthiness" counts for health, "readiness" does not.
    package var mode: String
    /// "success", "failure" or "pending".
    package var status: String
    package var group: String
    package var task: String
    package var service: String
    /// Its name.
    package var check: String
    /// Seconds since 1970.
    package var timestamp: Int64

    private enum Keys: String, CodingKey {
        case id = "ID"
        case mode = "Mode"
        case status = "Status"
        case group = "Group"
        case task = "Task"
        case service = "Service"
        case check = "Check"
        case timestamp = "Timestamp"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.string(.id)
        self.mode = try container.string(.mode)
        self.status = try container.decode(String.self, forKey: .status)
        self.group = try container.string(.group)
        self.task = try container.string(.task)
        self.service = try container.string(.service)
        self.check = try container.string(.check)
        self.timestamp = try container.decodeIfPresent(Int64.self, forKey: .timestamp) ?? 0
    }
}
