// SPDX-License-Identifier: Apache-2.0

package import Routing

extension Translation {
    /// Puts other endpoints in the place of those that are there: what `translate` would make of targets that differ in
    /// nothing else.
    ///
    /// - Returns: the names of the resources that are not as before.
    package mutating func replaceEndpoints(of targets: some Sequence<Target>) -> Set<String> {
        // Out of the dictionary while it is edited, or it would be copied.
        guard var entries = self.entries.removeValue(forKey: .endpoints) else { return [] }
        defer { self.entries[.endpoints] = entries }
        var changed: Set<String> = []
        for target in targets {
            let name = target.id.clusterName
            // Who wrote a resource of that name in Envoy's own words has it.
            guard let last = entries[name], case .endpoints(target.id, let endpoints) = last.content else { continue }
            let origins = [target.origin].compactMap(\.self)
            self.entries[.cluster]?[name]?.origins = origins
            guard endpoints != target.endpoints || last.origins != origins else { continue }
            entries[name] = TranslatedResource(
                name: name,
                content: .endpoints(target.id, target.endpoints),
                origins: origins,
                timeToLive: last.timeToLive,
                isOnDemand: last.isOnDemand
            )
            changed.insert(name)
        }
        return changed
    }
}
