// SPDX-License-Identifier: Apache-2.0

/// An entry of `/v1/health/service/:service`: an instance, the node it runs on, and the checks of both.
/// See https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service
package struct ConsulServiceInstance: Decodable, Hashable, Sendable {
    package struct Node: Decodable, Hashable, Sendable {
        /// Empty for nodes that were registered from outside.
        package var id: String
        package var name: String
        package var address: String
        package var datacenter: String
        /// Such as "wan".
        package var taggedAddresses: [String: String]
        package var meta: [String: String]
        package var locality: Locality?
        package var partition: String
        /// The cluster that it was imported from; empty for this one.
        package var peer: String
    }

    package struct Service: Decodable, Hashable, Sendable {
        package var id: String
        package var name: String
        package var tags: [String]
        /// Empty: the node's.
        package var address: String
        /// Such as "lan_ipv4" or "wan".
        package var taggedAddresses: [String: TaggedAddress]
        package var meta: [String: String]
        package var port: Int
        package var weights: Weights
        /// Such as "connect-proxy"; empty for what is no part of the mesh.
        package var kind: String
        package var locality: Locality?
        package var namespace: String
        package var partition: String
    }

    package struct TaggedAddress: Decodable, Hashable, Sendable {
        package var address: String
        package var port: Int
    }

    package struct Weights: Decodable, Hashable, Sendable {
        package var passing: Int
        package var warning: Int
    }

    package struct Locality: Decodable, Hashable, Sendable {
        package var region: String
        package var zone: String
    }

    package var node: Node
    package var service: Service
    package var checks: [ConsulCheck]
}

/// One check of a node or a service, without its output.
package struct ConsulCheck: Decodable, Hashable, Sendable {
    package var node: String
    package var id: String
    package var name: String
    /// "passing", "warning", "critical" or "maintenance".
    package var status: String
    /// Empty: the node's.
    package var serviceID: String
    package var serviceName: String
}

extension ConsulServiceInstance {
    private enum Keys: String, CodingKey {
        case node = "Node"
        case service = "Service"
        case checks = "Checks"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.node = try container.decode(Node.self, forKey: .node)
        self.service = try container.decode(Service.self, forKey: .service)
        self.checks = try container.list(.checks)
    }
}

extension ConsulServiceInstance.Node {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case name = "Node"
        case address = "Address"
        case datacenter = "Datacenter"
        case taggedAddresses = "TaggedAddresses"
        case meta = "Meta"
        case locality = "Locality"
        case partition = "Partition"
        case peer = "PeerName"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.string(.id)
        self.name = try container.string(.name)
        self.address = try container.string(.address)
        self.datacenter = try container.string(.datacenter)
        self.taggedAddresses = try container.map(.taggedAddresses)
        self.meta = try container.map(.meta)
        self.locality = try container.decodeIfPresent(ConsulServiceInstance.Locality.self, forKey: .locality)
        self.partition = try container.string(.partition)
        self.peer = try container.string(.peer)
    }
}

extension ConsulServiceInstance.Service {
    private enum Keys: String, CodingKey {
        case id = "ID"
        case name = "Service"
        case tags = "Tags"
        case address = "Address"
        case taggedAddresses = "TaggedAddresses"
        case meta = "Meta"
        case port = "Port"
        case weights = "Weights"
        case kind = "Kind"
        case locality = "Locality"
        case namespace = "Namespace"
        case partition = "Partition"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.name = try container.decode(String.self, forKey: .name)
        self.tags = try container.list(.tags)
        self.address = try container.string(.address)
        self.taggedAddresses = try container.map(.taggedAddresses)
        self.meta = try container.map(.meta)
        self.port = try container.integer(.port)
        self.weights =
            try container.decodeIfPresent(ConsulServiceInstance.Weights.self, forKey: .weights)
            ?? ConsulServiceInstance.Weights(passing: 1, warning: 1)
        self.kind = try container.string(.kind)
        self.locality = try container.decodeIfPresent(ConsulServiceInstance.Locality.self, forKey: .locality)
        self.namespace = try container.string(.namespace)
        self.partition = try container.string(.partition)
    }
}

extension ConsulServiceInstance.TaggedAddress {
    private enum Keys: String, CodingKey {
        case address = "Address"
        case port = "Port"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.address = try container.string(.address)
        self.port = try container.integer(.port)
    }
}

extension ConsulServiceInstance.Weights {
    private enum Keys: String, CodingKey {
        case passing = "Passing"
        case warning = "Warning"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.passing = try container.decodeIfPresent(Int.self, forKey: .passing) ?? 1
        self.warning = try container.decodeIfPresent(Int.self, forKey: .warning) ?? 1
    }
}

extension ConsulServiceInstance.Locality {
    private enum Keys: String, CodingKey {
        case region = "Region"
        case zone = "Zone"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.region = try container.string(.region)
        self.zone = try container.string(.zone)
    }
}

extension ConsulCheck {
    private enum Keys: String, CodingKey {
        case node = "Node"
        case id = "CheckID"
        case name = "Name"
        case status = "Status"
        case serviceID = "ServiceID"
        case serviceName = "ServiceName"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.node = try container.string(.node)
        self.id = try container.decode(String.self, forKey: .id)
        self.name = try container.string(.name)
        self.status = try container.decode(String.self, forKey: .status)
        self.serviceID = try container.string(.serviceID)
        self.serviceName = try container.string(.serviceName)
    }
}
