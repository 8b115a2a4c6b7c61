// SPDX-License-Identifier: Apache-2.0

/// Chooses some of a service's instances. Every part that is given must hold; empty chooses all.
package struct Subset: Hashable, Sendable {
    /// An instance must have every one of these.
    package var tags: Set<String>
    /// An instance must have every one of these keys with this value.
    package var meta: [String: String]
    /// The node of an instance must have every one of these keys with this value.
    package var nodeMeta: [String: String]
    /// What tags and meta alone cannot say.
    package var filter: FilterExpression?
    /// Not those with a warning either.
    package var onlyPassing: Bool
    /// Only those of a deployment that nobody has promoted yet, or only the others.
    package var isCanary: Bool?
    /// An instance that is in a datacenter must be in one of these. Empty: in any.
    package var datacenters: Set<String>

    package static let all = Subset()

    package init(
        tags: Set<String> = [],
        meta: [String: String] = [:],
        nodeMeta: [String: String] = [:],
        filter: FilterExpression? = nil,
        onlyPassing: Bool = false,
        isCanary: Bool? = nil,
        datacenters: Set<String> = []
    ) {
        self.tags = tags
        self.meta = meta
        self.nodeMeta = nodeMeta
        self.filter = filter
        self.onlyPassing = onlyPassing
        self.isCanary = isCanary
        self.datacenters = datacenters
    }

    package var isAll: Bool {
        self.tags.isEmpty && self.meta.isEmpty && self.nodeMeta.isEmpty && self.filter == nil && !self.onlyPassing
            && self.isCanary == nil && self.datacenters.isEmpty
    }

    /// - Parameters:
    ///   - service: the instance's.
    ///   - matches: whether a regular expression (first) matches somewhere in a text (second).
    package func contains(
        _ instance: Instance,
        of service: ServiceName,
        matches: (String, String) -> Bool
    ) -> Bool {
        self.tags.isSubset(of: instance.tags) && self.meta.allSatisfy { instance.meta[$0.key] == $0.value }
            && self.nodeMeta.allSatisfy { instance.nodeMeta[$0.key] == $0.value }
            && (!self.onlyPassing || instance.health == .passing)
            && self.isCanary.map { $0 == instance.isCanary } ?? true
            && (self.datacenters.isEmpty || instance.datacenter.isEmpty
                || self.datacenters.contains(instance.datacenter))
            && self.filter.map { $0.selects(instance, of: service, matches: matches) } ?? true
    }
}

extension Subset {
    /// The instances that an expression selects. What of it tags and meta can say is said by them, so that whoever writes
    /// the same in another way means the same subset.
    package init(_ expression: FilterExpression?, onlyPassing: Bool = false) {
        self.init(onlyPassing: onlyPassing)
        var rest: [FilterExpression.Condition] = []
        for condition in expression?.condition.conjuncts ?? [] {
            switch condition {
            case .equal(.metaValue(let key), let value) where self.meta[key] ?? value == value:
                self.meta[key] = value
            case .equal(.nodeMetaValue(let key), let value) where self.nodeMeta[key] ?? value == value:
                self.nodeMeta[key] = value
            case .contains(.tags, let tag):
                self.tags.insert(tag)
            case .equal, .contains, .matches, .isEmpty, .all, .any, .not:
                rest.append(condition)
            }
        }
        self.filter = rest.first.map { FilterExpression(rest.count == 1 ? $0 : .all(rest)) }
    }
}

extension FilterExpression.Condition {
    /// The conditions of which every one must hold.
    fileprivate var conjuncts: [Self] {
        guard case .all(let conditions) = self else { return [self] }
        return conditions.flatMap(\.conjuncts)
    }
}
