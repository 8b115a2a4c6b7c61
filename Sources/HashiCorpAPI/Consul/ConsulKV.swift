// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A pair of `/v1/kv/:key`. See https://developer.hashicorp.com/consul/api-docs/kv
package struct ConsulKV: Decodable, Hashable, Sendable {
    package var key: String
    package var value: [UInt8]
    package var modifyIndex: UInt64

    private enum Keys: String, CodingKey {
        case key = "Key"
        case value = "Value"
        case modifyIndex = "ModifyIndex"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.key = try container.decode(String.self, forKey: .key)
        self.value = Array(try container.decodeIfPresent(Data.self, forKey: .value) ?? Data())
        self.modifyIndex = try container.unsigned(.modifyIndex)
    }
}
