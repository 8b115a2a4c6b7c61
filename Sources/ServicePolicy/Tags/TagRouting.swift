// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What the tags of a changing catalog come to. Reads only services whose tags changed, decides anew only about those,
/// and only merges all if something that matters did.
///
/// - What is said badly costs its own route or setting, whose last good version stays in force. What is said well and
///   refused (a host that is not the service's, or another's) does not.
/// - While a service has no instances, or only canaries, what its other instances said and nobody speaks of stays in
///   force.
package struct TagRouting: Sendable {
    private let options: TagOptions
    private let reader: TagReader
    private var inputs: [ServiceName: TagInput] = [:]
    /// Of the services that are not silent.
    private var services: [ServiceName: ServiceTags] = [:]
    private var prepared: [ServiceName: PreparedTags] = [:]
    /// Of `services`, those about which nothing has been decided yet, and those that are no more.
    private var changed: Set<ServiceName> = []
    private var context: TagContext?
    /// The newest that was decided.
    package private(set) var policy = TagPolicy()

    package init(options: TagOptions = TagOptions()) {
        self.options = options
        self.reader = TagReader(options)
    }

    /// What each service said when it last said it well.
    var standing: [ServiceName: TagStanding] { self.prepared.mapValues(\.standing) }

    /// - Parameter services: those that changed, or all; nil: it is gone.
    package mutating func update(_ services: [ServiceName: Service?]) {
        for (name, service) in services {
            let input = service.map(self.reader.input)
            guard self.inputs[name] != input else { continue }
            self.inputs[name] = input
            let tags = input.map(self.reader.read).flatMap { $0.isSilent ? nil : $0 }
            guard self.services[name] != tags else { continue }
            self.services[name] = tags
            self.changed.insert(name)
        }
    }

    /// All services that there are: what is not in `catalog` is gone.
    package mutating func replace(by catalog: Catalog) {
        var services = catalog.services.mapValues(Optional.some)
        for name in self.inputs.keys where catalog[name] == nil { services.updateValue(nil, forKey: name) }
        self.update(services)
    }

    /// - Parameters:
    ///   - policy: what documents say, as far as it is in force. Its gateways are the ones there are.
    ///   - entries: what Consul's config entries say.
    ///   - standing: what goes on while they cannot be followed.
    ///   - named: services that documents describe: their tags make no routes.
    /// - Returns: whether `self.policy` is another one.
    package mutating func decide(
        with policy: Policy,
        entries: ConfigEntries = ConfigEntries(),
        standing: ChainStanding = ChainStanding(),
        named: Set<ServiceName> = []
    ) -> Bool {
        var context = TagContext(policy: policy, entries: entries, named: named, options: self.options)
        // Not compared: only other entries begin what it is asked for.
        context.standing = standing
        let isSame = self.context?.isSame(forEachServiceAs: context) ?? false
        if isSame, self.changed.isEmpty, self.context?.policy.routes == policy.routes { return false }
        self.context = context
        for name in isSame ? self.changed : Set(self.services.keys).union(self.changed) {
            self.prepared[name] = self.services[name].map { tags in
                TagPreparation.prepared(tags, in: context, previous: self.prepared[name]?.standing)
            }
        }
        self.changed = []
        let before = self.policy
        self.policy = mergeTags(self.prepared, policy: policy)
        return self.policy != before
    }

    /// With the weights that its tags say: what goes into the catalog.
    package func weighted(_ service: Service) -> Service {
        self.reader.weighted(service)
    }
}
