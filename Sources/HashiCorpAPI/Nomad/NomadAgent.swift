// SPDX-License-Identifier: Apache-2.0

/// Who answers: what of `/v1/agent/self` matters to others.
/// See https://developer.hashicorp.com/nomad/api-docs/agent#query-self
package struct NomadAgent: Decodable, Hashable, Sendable {
    /// Such as "1.9.3"; empty if it does not say.
    package var version: String
    package var isEnterprise: Bool
    package var region: String
    package var datacenter: String
    package var name: String

    private struct Config: Decodable {
        var region: String?
        var datacenter: String?
        var name: String?
        var version: Version?

        private enum CodingKeys: String, CodingKey {
            case region = "Region"
            case datacenter = "Datacenter"
            case name = "NodeName"
            case version = "Version"
        }
    }

    /// An object; a text in servers before 0.9.
    private struct Version: Decodable {
        var version: String
        var metadata: String

        private enum Keys: String, CodingKey {
            case version = "Version"
            case metadata = "VersionMetadata"
        }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                self.version = text
                self.metadata = ""
                return
            }
            let container = try decoder.container(keyedBy: Keys.self)
            self.version = try container.string(.version)
            self.metadata = try container.string(.metadata)
        }
    }

    private enum Keys: String, CodingKey {
        case config
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let config = try container.decode(Config.self, forKey: .config)
        self.version = config.version?.version ?? ""
        self.isEnterprise = config.version?.metadata.contains("ent") ?? false || self.version.contains("+ent")
        self.region = config.region ?? ""
        self.datacenter = config.datacenter ?? ""
        self.name = config.name ?? ""
    }
}
