// SPDX-License-Identifier: Apache-2.0

/// An allocation: an element of `/v1/allocations`, the whole of `/v1/allocation/:id`, or an event's payload. Which
/// of its parts there are depends on where it comes from.
/// See https://developer.hashicorp.com/nomad/api-docs/allocations
package struct NomadAllocation: Decodable, Hashable, Sendable {
    /// What its deployment, if any, thinks of it.
    package struct DeploymentStatus: Decodable, Hashable, Sendable {
        /// Nil: not known yet.
        package var isHealthy: Bool?
        package var isCanary: Bool
    }

    package struct TaskState: Decodable, Hashable, Sendable {
        /// "pending", "running" or "dead".
        package var state: String
        package var hasFailed: Bool
        package var restarts: UInt64
    }

    /// A UUID.
    package var id: String
    /// Such as "job.group[0]".
    package var name: String
    package var namespace: String
    package var nodeID: String
    package var nodeName: String
    package var jobID: String
    /// Nil in an event, which leaves the job out.
    package var jobVersion: UInt64?
    package var jobType: String
    package var group: String
    /// "run", "stop" or "evict".
    package var desiredStatus: String
    /// "pending", "running", "complete", "failed", "lost" or "unknown".
    package var clientStatus: String
    /// Nil if no deployment made it, and in a list.
    package var deploymentID: String?
    package var deploymentStatus: DeploymentStatus?
    package var taskStates: [String: TaskState]
    /// Its node is drained of it. False in a list.
    package var isToMigrate: Bool
    /// The one that took its place.
    package var nextAllocation: String?
    package var createIndex: UInt64
    package var modifyIndex: UInt64
    /// Nanoseconds since 1970.
    package var createTime: Int64
    package var modifyTime: Int64
}

extension NomadAllocation {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case namespace = "Namespace"
        case nodeID = "NodeID"
        case nodeName = "NodeName"
        case jobID = "JobID"
        case jobVersion = "JobVersion"
        case jobType = "JobType"
        case job = "Job"
        case group = "TaskGroup"
        case desiredStatus = "DesiredStatus"
        case clientStatus = "ClientStatus"
        case deploymentID = "DeploymentID"
        case deploymentStatus = "DeploymentStatus"
        case desiredTransition = "DesiredTransition"
        case taskStates = "TaskStates"
        case nextAllocation = "NextAllocation"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
        case createTime = "CreateTime"
        case modifyTime = "ModifyTime"
    }

    private struct Job: Decodable {
        var version: UInt64?
        var type: String?

        private enum CodingKeys: String, CodingKey {
            case version = "Version"
            case type = "Type"
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
        self.name = try container.string(.name)
        self.namespace = try container.string(.namespace)
        self.nodeID = try container.string(.nodeID)
        self.nodeName = try container.string(.nodeName)
        self.jobID = try container.string(.jobID)
        self.jobVersion = try container.decodeIfPresent(UInt64.self, forKey: .jobVersion) ?? job?.version
        self.jobType = try container.decodeIfPresent(String.self, forKey: .jobType) ?? job?.type ?? ""
        self.group = try container.string(.group)
        self.desiredStatus = try container.string(.desiredStatus)
        self.clientStatus = try container.string(.clientStatus)
        self.deploymentID = try container.name(.deploymentID)
        self.deploymentStatus = try container.decodeIfPresent(DeploymentStatus.self, forKey: .deploymentStatus)
        self.taskStates = try container.map(.taskStates)
        let transition = try container.decodeIfPresent(Transition.self, forKey: .desiredTransition)
        self.isToMigrate = transition?.migrate ?? false
        self.nextAllocation = try container.name(.nextAllocation)
        self.createIndex = try container.unsigned(.createIndex)
        self.modifyIndex = try container.unsigned(.modifyIndex)
        self.createTime = try container.decodeIfPresent(Int64.self, forKey: .createTime) ?? 0
        self.modifyTime = try container.decodeIfPresent(Int64.self, forKey: .modifyTime) ?? 0
    }
}

extension NomadAllocation.DeploymentStatus {
    private enum Keys: String, CodingKey {
        case isHealthy = "Healthy"
        case isCanary = "Canary"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.isHealthy = try container.decodeIfPresent(Bool.self, forKey: .isHealthy)
        self.isCanary = try container.bool(.isCanary)
    }
}

extension NomadAllocation.TaskState {
    private enum Keys: String, CodingKey {
        case state = "State"
        case hasFailed = "Failed"
        case restarts = "Restarts"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.state = try container.string(.state)
        self.hasFailed = try container.bool(.hasFailed)
        self.restarts = try container.unsigned(.restarts)
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
