// SPDX-License-Identifier: Apache-2.0

/// An element of `/v1/services`: the services of one namespace.
/// See https://developer.hashicorp.com/nomad/api-docs/services
package struct NomadServiceList: Decodable, Hashable, Sendable {
    package struct Service: Decodable, Hashable, Sendable {
        package var name: String
        package var tags: [String]
    }

    package var namespace: String
    package var services: [Service]
}

/// A registration of Nomad's own service discovery: an element of `/v1/service/:name`. It says nothing of health.
package struct NomadServiceRegistration: Decodable, Hashable, Sendable {
    /// Such as "_nomad-task-<allocation>-<task>-<service>-<port label>".
    package var id: String
    package var serviceName: String
    package var namespace: String
    package var nodeID: String
    package var datacenter: String
    package var jobID: String
    package var allocationID: String
    package var tags: [String]
    package var address: String
    package var port: Int
    package var createIndex: UInt64
    package var modifyIndex: UInt64
}

extension NomadServiceList {
    private enum Keys: String, CodingKey {
        case namespace = "Namespace"
        case services = "Services"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.namespace = try container.string(.namespace)
        self.services = try container.list(.services)
    }
}

extension NomadServiceList.Service {
    private enum Keys: String, CodingKey {
        case name = "ServiceName"
        case tags = "Tags"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.name = try container.decode(String.self, forKey: .name)
        // Registrations have them, too: what is wrong with them is not worth the name.
        self.tags = (try? container.list(.tags)) ?? []
    }
}

extension NomadServiceRegistration {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case serviceName = "ServiceName"
        case namespace = "Namespace"
        case nodeID = "NodeID"
        case datacenter = "Datacenter"
        case jobID = "JobID"
        case allocationID = "AllocID"
        case tags = "Tags"
        case address = "Address"
        case port = "Port"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.serviceName = try container.decode(String.self, forKey: .serviceName)
        self.namespace = try container.string(.namespace)
        self.nodeID = try container.string(.nodeID)
        self.datacenter = try container.string(.datacenter)
        self.jobID = try container.string(.jobID)
        self.allocationID = try container.string(.allocationID)
        self.tags = try container.list(.tags)
        self.address = try container.string(.address)
        self.port = try container.integer(.port)
        self.createIndex = try container.unsigned(.createIndex)
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}
