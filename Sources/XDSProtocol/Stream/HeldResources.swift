// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

/// What a client holds of one type, told by where it differs from the snapshot. The snapshot's map is shared by all streams
/// of a group, so a stream that is in step remembers nothing of its own, however much it holds.
///
/// Only to be asked about names that the subscription covers: of others the answer is what the snapshot has.
struct HeldResources: Sendable {
    struct Held: Sendable, Equatable {
        /// Nil if nobody knows: the client named a version that we cannot have made, or refused a response with it.
        var version: ResourceVersion?
        /// What a state-of-the-world response must repeat when the newest was refused. Nil if learned from a reconnect.
        var resource: Resource?
    }

    /// What the client holds but for the exceptions; nil: nothing.
    private var base: Snapshot.Resources?
    /// Nil inside: nothing is held under that name.
    private(set) var exceptions: [ResourceName: Held?] = [:]
    /// Of the versions of all that is held.
    private(set) var sum = ResourceVersion.Sum()

    /// Whether nothing is held for certain.
    var isEmpty: Bool { self.base == nil && self.exceptions.isEmpty }
    /// Whether something was accepted, so that `move` can tell what differs.
    var hasBase: Bool { self.base != nil }

    subscript(name: ResourceName) -> Held? {
        if !self.exceptions.isEmpty, let exception = self.exceptions[name] { return exception }
        return self.base?[name].map { Held(version: $0.version, resource: $0) }
    }

    /// The version that is held; nil if none is, or nobody knows.
    func version(_ name: ResourceName) -> ResourceVersion? {
        if !self.exceptions.isEmpty, let exception = self.exceptions[name] { return exception?.version }
        return self.base?[name]?.version
    }

    mutating func set(_ name: ResourceName, _ held: Held?) {
        if let version = self.version(name) { self.sum.subtract(version) }
        if let version = held?.version { self.sum.add(version) }
        self.store(name, held)
    }

    /// The subscription begins to cover a name: the client holds nothing of it.
    mutating func introduce(_ name: ResourceName) {
        if self.isEmpty { return }
        self.store(name, nil)
    }

    /// The subscription ceases to cover a name.
    mutating func forget(_ name: ResourceName) {
        if let version = self.version(name) { self.sum.subtract(version) }
        self.exceptions[name] = nil
    }

    /// From now on the subscription covers these names only.
    mutating func restrict(to names: Set<ResourceName>) {
        self.exceptions = self.exceptions.filter { names.contains($0.key) }
        self.sum = ResourceVersion.Sum(names.compactMap { self.version($0) })
    }

    /// The snapshot is another one. What is held does not change by that.
    /// - Parameter isCovered: whether the client is to hold such a resource.
    /// - Returns: the names under which something else is held than the snapshot has.
    mutating func move(
        to new: Snapshot.Resources,
        changed: Set<ResourceName>?,
        isCovered: (Resource) -> Bool
    ) -> [ResourceName] {
        guard let old = self.base else { return [] }
        var moved: [ResourceName] = []
        func note(_ name: ResourceName) {
            let (before, after) = (old[name], new[name])
            guard before?.version != after?.version else { return }
            moved.append(name)
            if let exception = self.exceptions[name] {
                // Neither held nor there: no exception any more.
                if exception == nil, after == nil { self.exceptions[name] = nil }
                return
            }
            let isHeld = before.map(isCovered) ?? false
            // Nobody asks about what is not covered, and there may be any number of it. When it is covered one day, it is
            // introduced.
            guard isHeld || (after.map(isCovered) ?? false) else { return }
            self.exceptions[name] = .some(isHeld ? before.map { Held(version: $0.version, resource: $0) } : nil)
        }
        if let changed {
            for name in changed { note(name) }
        } else {
            for name in old.keys { note(name) }
            for name in new.keys where old[name] == nil { note(name) }
        }
        self.base = new
        return moved
    }

    /// The client accepted a response.
    /// - Parameters:
    ///   - isWhole: it holds nothing else.
    ///   - isCurrent: all of them are what `current` has, which need not be looked up.
    ///   - pending: what the subscription covers, `current` has and the client does not hold yet.
    /// - Returns: the names of those that `current` has not, or not any more in this version.
    mutating func accept(
        _ resources: [Resource],
        isWhole: Bool,
        current: Snapshot.Resources,
        isCurrent: Bool,
        pending: Set<ResourceName>
    ) -> [ResourceName] {
        if isCurrent, isWhole || self.base == nil, self.exceptions.isEmpty, pending.isEmpty {
            assert(resources.allSatisfy { current[$0.name]?.version == $0.version })
            assert(isWhole || self.sum == ResourceVersion.Sum(), "nothing is held yet")
            self.adopt(resources, of: current)
            return []
        }
        if isWhole {
            self.sum = ResourceVersion.Sum(resources.lazy.map(\.version))
            self.exceptions = self.exceptions.filter { current[$0.key] != nil }.mapValues { _ in nil }
            for name in pending { self.exceptions[name] = .some(nil) }
            self.base = current
            for resource in resources { self.store(resource.name, Held(version: resource.version, resource: resource)) }
        } else if self.base == nil {
            for resource in resources {
                if let old = self.exceptions[resource.name] ?? nil, let version = old.version {
                    self.sum.subtract(version)
                }
                self.sum.add(resource.version)
            }
            for name in pending where self.exceptions[name] == nil { self.exceptions[name] = .some(nil) }
            self.base = current
            for resource in resources { self.store(resource.name, Held(version: resource.version, resource: resource)) }
            if !self.exceptions.isEmpty {
                self.exceptions = self.exceptions.filter { name, held in
                    guard let version = held?.version else { return true }
                    return version != current[name]?.version
                }
            }
        } else {
            for resource in resources { self.set(resource.name, Held(version: resource.version, resource: resource)) }
        }
        if self.exceptions.isEmpty { return [] }
        return resources.map(\.name).filter { self.exceptions[$0] != nil }
    }

    /// The client holds exactly these, which are the snapshot's.
    mutating func adopt(_ resources: some Sequence<Resource>, of current: Snapshot.Resources) {
        self.base = current
        self.exceptions = [:]
        self.sum = ResourceVersion.Sum(resources.lazy.map(\.version))
    }

    private mutating func store(_ name: ResourceName, _ held: Held?) {
        let inBase = self.base?[name]
        let isAsInBase = held == nil ? inBase == nil : held?.version != nil && held?.version == inBase?.version
        if !isAsInBase {
            self.exceptions[name] = .some(held)
        } else if !self.exceptions.isEmpty {
            self.exceptions[name] = nil
        }
    }
}
