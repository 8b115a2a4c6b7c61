// SPDX-License-Identifier: Apache-2.0

/// What Nomad tells a task of itself.
/// See https://developer.hashicorp.com/nomad/docs/runtime/environment
package struct NomadTaskEnvironment: Hashable, Sendable {
    /// `NOMAD_ALLOC_ID`, a UUID.
    package var allocationID: String
    /// `NOMAD_ALLOC_NAME`, such as "job.group[0]".
    package var allocationName: String?
    /// `NOMAD_ALLOC_INDEX`.
    package var allocationIndex: Int?
    /// `NOMAD_JOB_ID`.
    package var jobID: String?
    /// `NOMAD_JOB_NAME`.
    package var jobName: String?
    /// `NOMAD_GROUP_NAME`.
    package var group: String?
    /// `NOMAD_TASK_NAME`.
    package var task: String?
    /// `NOMAD_DC`.
    package var datacenter: String?
    /// `NOMAD_SECRETS_DIR`.
    package var secretsDirectory: String?
    /// `NOMAD_META_<key>`, by key.
    package var meta: [String: String]
    /// `NOMAD_ADDR_<label>`, `NOMAD_ALLOC_ADDR_<label>`, `NOMAD_UPSTREAM_ADDR_<service>` and their like, by the whole
    /// name.
    private var ports: [String: String]

    /// Nil if there is no allocation.
    package init?(_ environment: [String: String]) {
        let variables = EnvironmentVariables(environment)
        guard let allocation = variables["NOMAD_ALLOC_ID"] else { return nil }
        self.allocationID = allocation
        self.allocationName = variables["NOMAD_ALLOC_NAME"]
        self.allocationIndex = variables["NOMAD_ALLOC_INDEX"].flatMap { Int($0) }
        self.jobID = variables["NOMAD_JOB_ID"]
        self.jobName = variables["NOMAD_JOB_NAME"]
        self.group = variables["NOMAD_GROUP_NAME"]
        self.task = variables["NOMAD_TASK_NAME"]
        self.datacenter = variables["NOMAD_DC"]
        self.secretsDirectory = variables["NOMAD_SECRETS_DIR"]
        self.meta = [:]
        self.ports = [:]
        for (name, value) in environment {
            if name.hasPrefix("NOMAD_META_") {
                self.meta[String(name.dropFirst("NOMAD_META_".count))] = value
            } else if Self.portPrefixes.contains(where: { name.hasPrefix($0) }) {
                self.ports[name] = value
            }
        }
    }

    /// `NOMAD_SHORT_ALLOC_ID`.
    package var shortAllocationID: String { String(self.allocationID.prefix(8)) }

    /// Host and port that the task listens on for a label (`NOMAD_ADDR_<label>`).
    package func address(_ label: String) -> String? { self.ports["NOMAD_ADDR_\(label)"] }
    /// `NOMAD_IP_<label>`.
    package func ip(_ label: String) -> String? { self.ports["NOMAD_IP_\(label)"] }
    /// `NOMAD_PORT_<label>`: inside of the task's network.
    package func port(_ label: String) -> UInt16? { self.ports["NOMAD_PORT_\(label)"].flatMap { UInt16($0) } }
    /// `NOMAD_HOST_PORT_<label>`: outside of it.
    package func hostPort(_ label: String) -> UInt16? { self.ports["NOMAD_HOST_PORT_\(label)"].flatMap { UInt16($0) } }
    /// `NOMAD_ALLOC_ADDR_<label>`: inside of the allocation's network.
    package func allocationAddress(_ label: String) -> String? { self.ports["NOMAD_ALLOC_ADDR_\(label)"] }
    /// `NOMAD_UPSTREAM_ADDR_<service>`.
    package func upstream(_ service: String) -> String? { self.ports["NOMAD_UPSTREAM_ADDR_\(service)"] }
    /// `NOMAD_ENVOY_ADMIN_ADDR_<service>`.
    package func envoyAdmin(_ service: String) -> String? { self.ports["NOMAD_ENVOY_ADMIN_ADDR_\(service)"] }
    /// `NOMAD_ENVOY_READY_ADDR_<service>`.
    package func envoyReady(_ service: String) -> String? { self.ports["NOMAD_ENVOY_READY_ADDR_\(service)"] }

    private static let portPrefixes = [
        "NOMAD_IP_", "NOMAD_PORT_", "NOMAD_ADDR_", "NOMAD_HOST_PORT_", "NOMAD_ALLOC_ADDR_", "NOMAD_ALLOC_IP_",
        "NOMAD_UPSTREAM_", "NOMAD_ENVOY_ADMIN_ADDR_", "NOMAD_ENVOY_READY_ADDR_",
    ]
}
