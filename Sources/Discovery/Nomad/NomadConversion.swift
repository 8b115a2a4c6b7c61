// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

extension NomadServiceKey {
    init(_ row: NomadServiceRegistration) {
        self.init(namespace: row.namespace.isEmpty ? "default" : row.namespace, name: row.serviceName)
    }

    /// Where a service is from, for people.
    var origin: String { "nomad:\(self.namespace)/\(self.name)" }
}

extension Instance {
    /// Nil if it cannot be sent to.
    init?(_ row: NomadServiceRegistration, node: String, health: Health) {
        guard let port = UInt16(exactly: row.port), port > 0, !row.address.isEmpty else { return nil }
        self.init(
            id: InstanceID(row.id),
            address: row.address,
            port: port,
            tags: Set(row.tags),
            health: health,
            datacenter: row.datacenter,
            node: node,
            origin: Origin(file: "nomad:\(row.namespace)/\(row.serviceName)")
        )
    }
}
