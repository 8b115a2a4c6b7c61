// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What the tags of a changing catalog come to: reads only services whose tags changed, and decides anew only if something
/// that it depends on did.
package struct TagRouting: Sendable {
    private let options: TagOptions
    private let reader: TagReader
    private var inputs: [ServiceName: TagInput] = [:]
    /// Of the services that are not silent.
    private var services: [ServiceName: ServiceTags] = [:]
    private var isStale = true
    private var basis: (policy: Policy, named: Set<ServiceName>)?
    /// The newest that was decided.
    package private(set) var policy = TagPolicy()

    package init(options: TagOptions = TagOptions()) {
        self.options = options
        self.reader = TagReader(options)
    }

    /// - Parameter services: those that changed, or all; nil: it is gone.
    package mutating func update(_ services: [ServiceName: Service?]) {
        for (name, service) in services {
            let input = service.map(self.reader.input)
            guard self.inputs[name] != input else { continue }
            self.inputs[name] = input
            let tags = input.map(self.reader.read).flatMap { $0.isSilent ? nil : $0 }
            guard self.services[name] != tags else { continue }
            self.services[name] = tags
            self.isStale = true
        }
    }

    /// All services that there are: what is not in `catalog` is gone.
    package mutating func replace(by catalog: Catalog) {
        var services = catalog.services.mapValues(Optional.some)
        for name in self.inputs.keys where catalog[name] == nil { services.updateValue(nil, forKey: name) }
        self.update(services)
    }

    /// - Parameters:
    ///   - policy: what documents and config entries say.
    ///   - named: services that documents describe: their tags make no routes.
    /// - Returns: whether `self.policy` is another one.
    package mutating func decide(with policy: Policy, named: Set<ServiceName> = []) -> Bool {
        if !self.isStale, let basis, basis.policy == policy, basis.named == named { return false }
        let before = self.policy
        self.policy = mergeTags(
            self.services,
            policy: policy,
            options: self.options,
            named: named,
            previous: self.basis == nil ? nil : before
        )
        self.basis = (policy, named)
        self.isStale = false
        return self.policy != before
    }

    /// With the weights that its tags say: what goes into the catalog.
    package func weighted(_ service: Service) -> Service {
        self.reader.weighted(service)
    }
}
