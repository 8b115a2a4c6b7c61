// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
package import XDSProtocol

extension Resource {
    /// A resource whose content is a text.
    package convenience init(_ type: TypeURL, _ name: String, _ content: String) {
        self.init(type: type, name: ResourceName(name), message: Array(content.utf8))
    }
}

extension Snapshot {
    /// From type to name to content.
    package init(_ generation: UInt64, _ contents: [TypeURL: [String: String]]) {
        self.init(generation: generation)
        for (type, resources) in contents {
            var named: Snapshot.Resources = [:]
            for (name, content) in resources { named[ResourceName(name)] = Resource(type, name, content) }
            self.resources[type] = named
        }
    }
}

extension ResourceName: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Nonce: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) {
        self.init(value)
    }
}
