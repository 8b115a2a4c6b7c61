// SPDX-License-Identifier: Apache-2.0

/// What a source has not found out: of that it says nothing, neither that it is there nor that it is gone.
package struct Unheard: Hashable, Sendable {
    /// Some instances of a service.
    package struct Share: Hashable, Sendable {
        package static let all = Share(isAll: true)

        private let isAll: Bool
        /// All that are there.
        package var datacenters: Set<String>
        package var instances: Set<InstanceID>

        package init(datacenters: Set<String> = [], instances: Set<InstanceID> = []) {
            self.init(isAll: false, datacenters: datacenters, instances: instances)
        }

        private init(isAll: Bool, datacenters: Set<String> = [], instances: Set<InstanceID> = []) {
            self.isAll = isAll
            self.datacenters = datacenters
            self.instances = instances
        }

        /// Nil: they have nothing in common.
        func common(with other: Share) -> Share? {
            if self.isAll { return other }
            if other.isAll { return self }
            let common = Share(
                datacenters: self.datacenters.intersection(other.datacenters),
                instances: self.instances.intersection(other.instances)
            )
            return common == Share() ? nil : common
        }

        package func has(_ instance: Instance) -> Bool {
            self.isAll || self.datacenters.contains(instance.datacenter) || self.instances.contains(instance.id)
        }
    }

    /// Those that have not answered yet.
    package var datacenters: Set<String>
    /// Services that are listed and could not be read, and in which datacenters; in none: wherever they are.
    package var services: [ServiceName: Set<String>]
    /// What the source refuses to show and has shown before, whether it repeats it or not: an operator can say that it is
    /// gone.
    package var hidden: [ServiceName: Share]

    package init(
        datacenters: Set<String> = [],
        services: [ServiceName: Set<String>] = [:],
        hidden: [ServiceName: Share] = [:]
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

extension Service {
    /// Nil: nothing is left.
    func without(_ share: Unheard.Share) -> Service? {
        let rest = self.instances.filter { !share.has($0) }
        return rest.isEmpty ? nil : Service(name: self.name, instances: rest, origin: self.origin)
    }
}
