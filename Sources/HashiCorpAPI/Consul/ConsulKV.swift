// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A pair of `/v1/kv/:key`. See https://developer.hashicorp.com/consul/api-docs/kv
package struct ConsulKV: Decodable, Hashable, Sendable {
    package var key: String
    package var value: [UInt8]
    package var flags: UInt64
    package var createIndex: UInt64
    package var modifyIndex: UInt64
    /// How often the key was locked: of a lock, a fence.
    package var lockIndex: UInt64
    /// That holds the lock; nil if none does.
    package var session: String?

    private enum Keys: String, CodingKey {
        case key = "Key"
        case value = "Value"
        case flags = "Flags"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
        case lockIndex = "LockIndex"
        case session = "Session"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.key = try container.decode(String.self, forKey: .key)
        self.value = Array(try container.decodeIfPresent(Data.self, forKey: .value) ?? Data())
        self.flags = try container.unsigned(.flags)
        self.createIndex = try container.unsigned(.createIndex)
        self.modifyIndex = try container.unsigned(.modifyIndex)
        self.lockIndex = try container.unsigned(.lockIndex)
        self.session = try container.name(.session)
    }
}
