// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import HashTreeCollections
import Routing
import XDSProtocol

/// What the proxies of a group are to hold, encoded, and what of it may differ from what they were to hold before.
///
/// A resource is made, encoded and hashed when its content changes, and at no other time. The maps of resources share with
/// the ones before whatever is the same in both.
struct GroupResources: Sendable {
    let translation: Translation
    private(set) var resources: [TypeURL: Snapshot.Resources]
    /// Nil if there was nothing before.
    private(set) var changes: ChangeSet?

    init(_ translation: Translation) {
        self.translation = translation
        self.resources = [:]
        for (kind, entries) in translation.entries {
            let type = TypeURL(kind)
            for translated in entries.values {
                let resource = translated.encoded
                self.resources[type, default: [:]][resource.name] = resource
            }
        }
    }

    /// With other endpoints of `targets`, and nothing else.
    init(_ previous: GroupResources, endpointsOf targets: some Sequence<Target>) {
        var translation = previous.translation
        let names = translation.replaceEndpoints(of: targets)
        self.translation = translation
        self.resources = previous.resources
        var edited = self.resources.removeValue(forKey: .endpoints) ?? [:]
        var changed: Set<ResourceName> = []
        for name in names {
            guard let resource = translation.entries[.endpoints]?[name]?.encoded else { continue }
            if edited.insert(resource) { changed.insert(resource.name) }
        }
        if !edited.isEmpty { self.resources[.endpoints] = edited }
        // A cluster comes from where its endpoints come from.
        for name in names {
            guard let cluster = translation.entries[.cluster]?[name],
                previous.translation.entries[.cluster]?[name]?.origins != cluster.origins
            else { continue }
            self.resources[.cluster]?.move(cluster)
        }
        self.changes = ChangeSet()
        if !changed.isEmpty { self.changes?.names[.endpoints] = changed }
    }

    init(_ translation: Translation, after previous: GroupResources) {
        self.translation = translation
        self.resources = previous.resources
        self.changes = ChangeSet()
        for kind in TranslatedResource.Kind.allCases {
            let before = previous.translation.entries[kind] ?? [:]
            let now = translation.entries[kind] ?? [:]
            let type = TypeURL(kind)
            // Out of the dictionary while it is edited, or it would be copied.
            var edited = self.resources.removeValue(forKey: type) ?? [:]
            let changed = edited.replace(before, by: now)
            if !edited.isEmpty { self.resources[type] = edited }
            if !changed.isEmpty { self.changes?.names[type] = changed }
        }
    }
}

extension Snapshot.Resources {
    /// - Returns: the names of what is not the same to a proxy.
    fileprivate mutating func replace(
        _ before: [String: TranslatedResource],
        by now: [String: TranslatedResource]
    ) -> Set<ResourceName> {
        var changed: Set<ResourceName> = []
        for (name, translated) in now {
            if let last = before[name], last.isSame(as: translated) {
                guard last.origins != translated.origins else { continue }
                self.move(translated)
            } else if self.insert(translated.encoded) {
                changed.insert(ResourceName(name))
            }
        }
        for name in before.keys where now[name] == nil {
            self[ResourceName(name)] = nil
            changed.insert(ResourceName(name))
        }
        return changed
    }

    /// What is the same to a proxy, and told otherwise where it comes from.
    fileprivate mutating func move(_ translated: TranslatedResource) {
        let name = ResourceName(translated.name)
        self[name] = self[name]?.moved(to: translated.namedOrigins)
    }

    /// - Returns: whether it is another one. What was decided anew may come to the same bytes.
    fileprivate mutating func insert(_ resource: Resource) -> Bool {
        let last = self.updateValue(resource, forKey: resource.name)
        return last != resource || last?.timeToLive != resource.timeToLive || last?.isOnDemand != resource.isOnDemand
    }
}
