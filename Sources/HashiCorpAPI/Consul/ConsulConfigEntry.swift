// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A config entry, read as far as to tell which it is.
/// See https://developer.hashicorp.com/consul/api-docs/config
package struct ConsulConfigEntry: Hashable, Sendable {
    package var kind: String
    package var name: String
    package var modifyIndex: UInt64
    /// Empty where there are no namespaces.
    package var namespace: String
    /// The JSON object as it came, byte for byte.
    package var json: [UInt8]
}

extension ConsulConfigEntry {
    /// The part of an entry that all kinds have.
    private struct Head: Decodable, Sendable {
        var kind: String
        var name: String
        var modifyIndex: UInt64
        var namespace: String

        private enum Keys: String, CodingKey {
            case kind = "Kind"
            case name = "Name"
            case modifyIndex = "ModifyIndex"
            case namespace = "Namespace"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            self.kind = try container.decode(String.self, forKey: .kind)
            self.name = try container.decode(String.self, forKey: .name)
            self.modifyIndex = try container.unsigned(.modifyIndex)
            self.namespace = try container.string(.namespace)
        }
    }

    /// An element of the list, which knows nothing of its bytes: those are found apart.
    private struct Element: Decodable, Sendable {
        var head: Result<Head, any Error>
        /// Of one that cannot be read.
        var name: String?

        private enum Keys: String, CodingKey {
            case name = "Name"
        }

        init(from decoder: any Decoder) {
            self.head = Result { try Head(from: decoder) }
            guard case .failure = self.head, let container = try? decoder.container(keyedBy: Keys.self) else { return }
            self.name = try? container.decode(String.self, forKey: .name)
        }
    }

    /// The entries of `/v1/config/:kind`.
    ///
    /// - Returns: also the names of those that cannot be read, as far as they have any.
    package static func list(
        _ response: APIResponse
    ) throws(APIError) -> (entries: [ConsulConfigEntry], unreadable: Unreadable, names: Set<String>) {
        // This also proves that the body is a JSON array, which the search for the elements relies on.
        let listing = try response.list(of: Element.self)
        let bytes = Array(response.body.readableBytesView)
        let places = JSONArrayElements.ranges(in: bytes)
        var entries: [ConsulConfigEntry] = []
        var unreadable = Unreadable()
        var names: Set<String> = []
        for (position, (element, place)) in zip(listing.elements, places).enumerated() {
            do {
                let head = try element.head.get()
                entries.append(
                    ConsulConfigEntry(
                        kind: head.kind,
                        name: head.name,
                        modifyIndex: head.modifyIndex,
                        namespace: head.namespace,
                        json: Array(bytes[place])
                    )
                )
            } catch {
                unreadable.add(element.name.map { "\"\($0)\"" } ?? "element \(position)", error)
                if let name = element.name { names.insert(name) }
            }
        }
        return (entries, unreadable, names)
    }
}
