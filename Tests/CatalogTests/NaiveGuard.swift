// SPDX-License-Identifier: Apache-2.0

@testable import Catalog

/// The rules of one source, worked out anew from everything at every step.
struct NaiveGuard {
    struct Key: Hashable {
        var service: ServiceName
        var id: InstanceID
    }

    struct Missing {
        var instance: Instance
        var left: Duration
        /// Of the time that the source was heard, and so is the next.
        var massUntil: Duration?
        var inMass: Bool { self.massUntil != nil }
        var lastUntil: Duration?
        var counts = true
        var isHeld: Bool { self.inMass || self.lastUntil != nil }
    }

    let rules: CatalogGuard.SourceRules
    var isHeard = true
    private(set) var now = Duration.zero
    /// How long the source was heard.
    private(set) var heard = Duration.zero
    var said: [ServiceName: Service] = [:]
    var known: Set<ServiceName> = []
    var missing: [Key: Missing] = [:]
    /// Who came when; it counts as long as it is where it came to.
    var arrivals: [(key: Key, instance: Instance, time: Duration)] = []

    static func instances(_ said: [ServiceName: Service]) -> [Key: Instance] {
        Dictionary(
            uniqueKeysWithValues: said.values.flatMap { service in
                service.instances.map { (Key(service: service.name, id: $0.id), $0) }
            }
        )
    }

    private static func isThere(_ new: Instance, _ old: Instance) -> Bool {
        new.address == old.address && new.port == old.port
    }

    private static func isCritical(_ new: Instance) -> Bool {
        new.health == .critical && new.weight.value > 0 && !new.isDraining
    }

    /// It is held as long as this is what is said of it. Elsewhere it is another one, which is not routable.
    private func isMissing(_ new: Instance, _ old: Instance) -> Bool {
        Self.isCritical(new) && (self.rules.holdsCritical || !Self.isThere(new, old))
    }

    mutating func apply(_ update: CatalogUpdate, stopped: Set<Key>, at now: Duration) {
        self.advance(to: now)
        let before = self.said
        if update.isComplete { self.said = [:] }
        for (name, service) in update.services { self.said[name] = service }
        self.known.formUnion(self.said.keys)
        let old = Self.instances(before)
        let new = Self.instances(self.said)
        let missingBefore = self.missing.filter { !stopped.contains($0.key) }
        let served = Set(new.filter { $0.value.isRoutable && !$0.value.isDraining }.keys.map(\.service))

        self.missing = missingBefore.filter { key, missing in
            new[key].map { self.isMissing($0, missing.instance) } ?? true
        }
        for (key, missing) in self.missing {
            if let instance = new[key], Self.isThere(instance, missing.instance) {
                self.missing[key]?.instance = instance
                self.missing[key]?.instance.health = missing.instance.health
                self.missing[key]?.lastUntil = nil
            }
            if served.contains(key.service) { self.missing[key]?.lastUntil = nil }
        }
        self.missing = self.missing.filter { $0.value.isHeld || $0.value.counts }

        var hasDepartures = false
        if self.rules.fraction > 0 {
            for (key, instance) in old where instance.isRoutable && !instance.isDraining {
                var departed = Missing(instance: instance, left: now)
                if let still = new[key], !self.isMissing(still, instance) { continue }
                if let still = new[key], Self.isThere(still, instance) {
                    departed.instance = still
                    departed.instance.health = instance.health
                } else if stopped.contains(key) {
                    continue
                } else if !served.contains(key.service), self.rules.lastInstanceGrace > .zero {
                    departed.lastUntil = self.heard + self.rules.lastInstanceGrace
                }
                hasDepartures = true
                if !self.isSuperseded(key, instance, new) { self.missing[key] = departed }
            }
        }
        for (key, instance) in new {
            let before = [missingBefore[key]?.instance, old[key]].compactMap(\.self)
            if before.contains(where: { Self.isThere(instance, $0) }) { continue }
            if !update.isComplete { self.arrivals.append((key, instance, now)) }
            self.missing = self.missing.filter { other, missing in
                missing.instance.address != instance.address || missing.instance.port != instance.port
                    || (other.service == key.service && !instance.isRoutable)
            }
        }
        if hasDepartures, self.isTooMuch(new) {
            for (key, missing) in self.missing where missing.counts && !missing.inMass {
                self.missing[key]?.massUntil = self.heard + self.rules.grace
            }
        }
    }

    /// By one that came before it went, and not together with it.
    private func isSuperseded(_ key: Key, _ gone: Instance, _ new: [Key: Instance]) -> Bool {
        let there = self.arrivals.filter { $0.instance.address == gone.address && $0.instance.port == gone.port }
        guard !there.contains(where: { $0.key == key }) else { return false }
        return there.contains { arrival in
            guard let its = new[arrival.key], its.address == gone.address, its.port == gone.port else { return false }
            return arrival.key.service != key.service || its.isRoutable
        }
    }

    private func isTooMuch(_ new: [Key: Instance]) -> Bool {
        let present = new.filter { $0.value.isRoutable && !$0.value.isDraining }.keys
        let counted = self.missing.filter(\.value.counts).keys
        let serving = Set(present.map(\.service))
        let gone = Set(counted.map(\.service)).subtracting(serving)
        func exceeds(_ gone: Int, _ rest: Int, _ limit: Int) -> Bool {
            gone > limit && gone * 100 > self.rules.fraction * (gone + rest)
        }
        return exceeds(counted.count, present.count, self.rules.instanceLimit)
            || exceeds(gone.count, serving.count, self.rules.serviceLimit)
    }

    /// When something is released; nil: not as long as the source is not heard, or nothing.
    var deadline: Duration? {
        let graces = self.missing.values.flatMap { [$0.lastUntil, $0.massUntil] }.compactMap(\.self)
        return self.isHeard ? graces.min().map { $0 + (self.now - self.heard) } : nil
    }

    mutating func advance(to now: Duration) {
        if self.isHeard { self.heard += now - self.now }
        self.now = now
        for (key, missing) in self.missing {
            if let until = missing.lastUntil, until <= self.heard {
                if missing.inMass || missing.counts {
                    self.missing[key]?.lastUntil = nil
                } else {
                    self.missing[key] = nil
                }
            }
        }
        for (key, missing) in self.missing {
            guard let until = missing.massUntil, until <= self.heard else { continue }
            self.missing[key]?.massUntil = nil
            self.missing[key]?.counts = false
            if self.missing[key]?.isHeld == false { self.missing[key] = nil }
        }
        self.arrivals.removeAll { $0.time <= now - self.rules.window }
        for (key, missing) in self.missing where !missing.inMass && missing.left <= now - self.rules.window {
            if missing.isHeld { self.missing[key]?.counts = false } else { self.missing[key] = nil }
        }
    }

    mutating func accept() {
        self.missing = [:]
    }

    /// The instances in force of every service that is known.
    var inForce: [ServiceName: [Instance]] {
        Dictionary(
            uniqueKeysWithValues: self.known.map { name in
                var byID = Dictionary(uniqueKeysWithValues: (self.said[name]?.instances ?? []).map { ($0.id, $0) })
                for (key, missing) in self.missing where key.service == name && missing.isHeld {
                    byID[key.id] = missing.instance
                }
                return (name, byID.values.sorted { $0.id < $1.id })
            }
        )
    }
}
