// SPDX-License-Identifier: Apache-2.0

/// A service and the instances that a source knows of it. A known service may have none.
package struct Service: Hashable, Sendable, Codable {
    package var name: ServiceName
    /// In the order of their IDs, so that equal services compare equal.
    package let instances: [Instance]
    package var origin: Origin

    package init(name: ServiceName, instances: [Instance], origin: Origin) {
        self.name = name
        self.instances = instances.sorted { $0.id < $1.id }
        self.origin = origin
    }
}

/// Every service that is known, from all sources.
package struct Catalog: Hashable, Sendable {
    package private(set) var services: [ServiceName: Service]

    package init(services: [ServiceName: Service] = [:]) {
        self.services = services
    }

    package init(_ services: some Sequence<Service>) {
        self.services = Dictionary(services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package mutating func replace(_ services: [Service]) {
        for service in services { self.services[service.name] = service }
    }

    package subscript(name: ServiceName) -> Service? {
        self.services[name]
    }
}
