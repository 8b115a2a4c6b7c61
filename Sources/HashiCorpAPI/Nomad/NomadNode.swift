// SPDX-License-Identifier: Apache-2.0

/// A client node: an element of `/v1/nodes`. See https://developer.hashicorp.com/nomad/api-docs/nodes
package struct NomadNode: Decodable, Hashable, Sendable {
    /// A UUID.
    package var id: String
    package var name: String
    package var modifyIndex: UInt64

    private enum Keys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case modifyIndex = "ModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.id = try container.decode(String.self, forKey: .id)
        self.name = try container.string(.name)
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}
