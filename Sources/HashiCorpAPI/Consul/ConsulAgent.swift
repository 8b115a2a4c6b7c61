// SPDX-License-Identifier: Apache-2.0

/// Who answers: what of `/v1/agent/self` matters to others.
/// See https://developer.hashicorp.com/consul/api-docs/agent#read-configuration
package struct ConsulAgent: Decodable, Hashable, Sendable {
    /// Such as "1.8.7" or "1.17.2+ent".
    package var version: String
    package var datacenter: String
    package var nodeName: String
    package var nodeID: String

    /// Whether there are namespaces and partitions.
    package var isEnterprise: Bool { self.version.contains("+ent") }

    private enum Keys: String, CodingKey {
        case config = "Config"
    }

    private enum ConfigKeys: String, CodingKey {
        case version = "Version"
        case datacenter = "Datacenter"
        case nodeName = "NodeName"
        case nodeID = "NodeID"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
            .nestedContainer(keyedBy: ConfigKeys.self, forKey: .config)
        self.version = try container.string(.version)
        self.datacenter = try container.decode(String.self, forKey: .datacenter)
        self.nodeName = try container.string(.nodeName)
        self.nodeID = try container.string(.nodeID)
    }
}
