// SPDX-License-Identifier: Apache-2.0

/// Reads what Go leaves out or writes as null when it is the zero value.
extension KeyedDecodingContainer {
    func string(_ key: Key) throws -> String {
        try self.decodeIfPresent(String.self, forKey: key) ?? ""
    }

    func integer(_ key: Key) throws -> Int {
        try self.decodeIfPresent(Int.self, forKey: key) ?? 0
    }

    func unsigned(_ key: Key) throws -> UInt64 {
        try self.decodeIfPresent(UInt64.self, forKey: key) ?? 0
    }

    func bool(_ key: Key) throws -> Bool {
        try self.decodeIfPresent(Bool.self, forKey: key) ?? false
    }

    func list<Element: Decodable>(_ key: Key) throws -> [Element] {
        try self.decodeIfPresent([Element].self, forKey: key) ?? []
    }

    func map<Value: Decodable>(_ key: Key) throws -> [String: Value] {
        try self.decodeIfPresent([String: Value].self, forKey: key) ?? [:]
    }

    /// A text that is nil if it is missing or empty.
    func name(_ key: Key) throws -> String? {
        let text = try self.string(key)
        return text.isEmpty ? nil : text
    }
}
