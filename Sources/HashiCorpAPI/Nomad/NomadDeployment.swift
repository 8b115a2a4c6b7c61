// SPDX-License-Identifier: Apache-2.0

/// An element of `/v1/deployments`. See https://developer.hashicorp.com/nomad/api-docs/deployments
package struct NomadDeployment: Decodable, Hashable, Sendable {
    package struct Group: Decodable, Hashable, Sendable {
        package var isPromoted: Bool
    }

    /// A UUID.
    package var id: String
    package var namespace: String
    package var jobID: String
    package var jobVersion: UInt64
    package var groups: [String: Group]
    package var modifyIndex: UInt64
}

extension NomadDeployment {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case namespace = "Namespace"
        case jobID = "JobID"
        case jobVersion = "JobVersion"
        case groups = "TaskGroups"
        case modifyIndex = "ModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.namespace = try container.string(.namespace)
        self.jobID = try container.string(.jobID)
        self.jobVersion = try container.unsigned(.jobVersion)
        self.groups = try container.map(.groups)
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}

extension NomadDeployment.Group {
    private enum Keys: String, CodingKey {
        case isPromoted = "Promoted"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.isPromoted = try container.bool(.isPromoted)
    }
}
