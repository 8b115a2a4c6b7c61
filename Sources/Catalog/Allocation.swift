// SPDX-License-Identifier: Apache-2.0

/// What Nomad says of the allocation that an instance runs in.
/// See https://developer.hashicorp.com/nomad/api-docs/allocations
package struct Allocation: Hashable, Sendable, Codable {
    /// A UUID.
    package var id: String
    package var namespace: String
    package var job: String
    /// Of the job; rises with every change of it.
    package var jobVersion: UInt64
    package var group: String
    /// A UUID; nil if no deployment made it.
    package var deployment: String?
    package var isCanary: Bool
    package var nodeID: String

    package init(
        id: String,
        namespace: String = "default",
        job: String,
        jobVersion: UInt64,
        group: String,
        deployment: String? = nil,
        isCanary: Bool = false,
        nodeID: String = ""
    ) {
        self.id = id
        self.namespace = namespace
        self.job = job
        self.jobVersion = jobVersion
        self.group = group
        self.deployment = deployment
        self.isCanary = isCanary
        self.nodeID = nodeID
    }
}
