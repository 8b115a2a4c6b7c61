// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import XDSProtocol

/// What a hostile client's server has to offer: resources of every type that come, go and change, some with a time to
/// live and some on demand.
struct HostileWorld {
    /// A resource and what it was made from, which a response must give back.
    struct Entry: Sendable {
        let type: TypeURL
        let resource: Resource
        let message: [UInt8]
    }

    static let types = TypeURL.known + [.other("type.googleapis.com/x"), .other("")]
    static let names: [ResourceName] = [
        "a", "b", "", "\u{E9}", "rc", "rc/x.example.com", "rc/*.example.com", "rc/*.com", "rc/*", "rc/", "rc/a",
        "other/x.example.com",
    ]

    /// Made once: hashing is most of the cost. The first of a name is plain, the others expire, are on demand, or both.
    static let pool: [TypeURL: [ResourceName: [Entry]]] = Dictionary(
        uniqueKeysWithValues: types.map { type in
            (type, Dictionary(uniqueKeysWithValues: names.map { ($0, Self.entries(type, $0)) }))
        }
    )

    static let byVersion: [ResourceVersion: Entry] = Dictionary(
        uniqueKeysWithValues: pool.values.flatMap(\.values).joined().map { ($0.resource.version, $0) }
    )

    private static func entries(_ type: TypeURL, _ name: ResourceName) -> [Entry] {
        (0..<5).map { index in
            let message = Array(repeating: UInt8(index), count: index * 40)
            let resource = Resource(
                type: type,
                name: name,
                message: message,
                timeToLive: [2, 4].contains(index) ? .milliseconds(1_500 * index) : nil,
                isOnDemand: index > 2
            )
            return Entry(type: type, resource: resource, message: message)
        }
    }

    private(set) var snapshot = Snapshot(generation: 0)

    /// - Returns: what to tell of the change: nothing, exactly what it is, or more than it is.
    mutating func change(using generator: inout SeededGenerator) -> ChangeSet? {
        var next = Snapshot(generation: self.snapshot.generation + 1, resources: self.snapshot.resources)
        let isLarge = generator.chance(1, of: 8)
        for _ in 0..<Int.random(in: 0...(isLarge ? 60 : 4), using: &generator) {
            let type = Self.types.randomElement(using: &generator) ?? .cluster
            let name = Self.names.randomElement(using: &generator) ?? "a"
            let entry = generator.chance(1, of: 4) ? nil : Self.pool[type]?[name]?.randomElement(using: &generator)
            next.resources[type, default: [:]][name] = entry?.resource
        }
        if generator.chance(1, of: 30) { next.resources = [:] }
        var changes = next.differences(from: self.snapshot)
        self.snapshot = next
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return nil
        case 1:
            let type = Self.types.randomElement(using: &generator) ?? .cluster
            changes.formUnion(ChangeSet(names: [type: Set(Self.names.shuffled(using: &generator).prefix(3))]))
            return changes
        default: return changes
        }
    }
}
