// SPDX-License-Identifier: Apache-2.0

/// What a source has not found out: of that it says nothing, neither that it is there nor that it is gone.
package struct Unheard: Hashable, Sendable {
    /// Those that have not answered yet.
    package var datacenters: Set<String>
    /// Services that are listed and could not be read, and in which datacenters; in none: wherever they are.
    package var services: [ServiceName: Set<String>]
    /// Of these, what the source refuses to show and has shown before: an operator can say that it is gone.
    package var hidden: Set<ServiceName>

    package init(
        datacenters: Set<String> = [],
        services: [ServiceName: Set<String>] = [:],
        hidden: Set<ServiceName> = []
    ) {
        self.datacenters = datacenters
        self.services = services
        self.hidden = hidden
    }

    package var isEmpty: Bool { self.datacenters.isEmpty && self.services.isEmpty }

    /// What is said of a service, with what was known before of what is not heard.
    ///
    /// - Parameter said: nil: where it was heard, there is no such service.
    func complete(_ said: Service?, with known: Service) -> Service? {
        guard !self.isEmpty else { return said }
        let places = self.services[known.name]
        if said == nil, places?.isEmpty == true { return known }
        let kept = known.instances.filter { instance in
            self.datacenters.contains(instance.datacenter)
                || places.map { $0.isEmpty || $0.contains(instance.datacenter) } ?? false
        }
        guard !kept.isEmpty else { return said }
        guard let said else { return Service(name: known.name, instances: kept, origin: known.origin) }
        var instances = said.instances
        var taken = Set(instances.map(\.id))
        for var instance in kept {
            // As the source itself would name it beside the other.
            if taken.contains(instance.id) { instance.id = InstanceID("\(instance.datacenter)/\(instance.id)") }
            if taken.insert(instance.id).inserted { instances.append(instance) }
        }
        return Service(name: said.name, instances: instances, origin: said.origin)
    }
}
