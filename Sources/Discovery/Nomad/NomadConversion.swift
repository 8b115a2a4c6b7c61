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
    /// Also of one that cannot be sent to: what is let in is decided later, and told.
    init(_ row: NomadServiceRegistration, node: String, health: Health) {
        self.init(
            id: InstanceID(row.id),
            address: row.address,
            // None that there is: 0 is let in nowhere.
            port: UInt16(exactly: row.port) ?? 0,
            tags: Set(row.tags),
            health: health,
            datacenter: row.datacenter,
            node: node,
            origin: Origin(file: "nomad:\(row.namespace)/\(row.serviceName)")
        )
    }
}
