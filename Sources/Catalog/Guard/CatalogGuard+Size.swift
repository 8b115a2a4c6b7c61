// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// How much of a source is in force.
    package struct Size: Hashable, Sendable {
        package var services = 0
        package var instances = 0
        /// Of the instances, those that may get requests.
        package var routable = 0

        package init() {}
    }

    /// Each service counts for the source that it is taken from, with what is held of it. What is only remembered does not
    /// count.
    package var sizes: [SourceName: Size] {
        var sizes: [SourceName: Size] = [:]
        for (name, service) in self.catalog.services where !self.remembered.contains(name) {
            guard let owner = self.claims(to: name).owner else { continue }
            sizes[owner, default: Size()].services += 1
            sizes[owner, default: Size()].instances += service.instances.count
            sizes[owner, default: Size()].routable += service.instances.count(where: \.isRoutable)
        }
        return sizes
    }
}
