// SPDX-License-Identifier: Apache-2.0

/// What a source says of one service, and what it does not say any more.
struct ServiceRecord: Sendable {
    /// A routable instance that went, or became critical. It is remembered for the window, and longer while it is held.
    struct Missing: Sendable {
        /// As it was when it was routable.
        var instance: Instance
        /// On the clock of the guard, and so is the window.
        var since: Duration
        /// On the clock of the source, and so is the next.
        var heldInMassUntil: Duration?
        var heldAsLastUntil: Duration?
        /// It counts among the removals of the window.
        var counts = true

        var isHeldInMass: Bool { self.heldInMassUntil != nil }
        var isHeld: Bool { self.isHeldInMass || self.heldAsLastUntil != nil }
        var reason: HeldRemoval.Reason { self.isHeldInMass ? .massRemoval : .lastInstances }
    }

    /// A service that is gone and that the ledger knows of.
    struct Remembered: Sendable {
        var origin: Origin
        /// Rises with every service that goes.
        var number: UInt64
    }

    var said: Service?
    var remembered: Remembered?
    var missing: [InstanceID: Missing] = [:]
    /// Instances of `said` that count: see `Instance.isGuarded`.
    var present = 0

    var isEmpty: Bool { self.said == nil && self.remembered == nil && self.missing.isEmpty }
    var hasHeld: Bool { self.missing.values.contains(where: \.isHeld) }

    /// Whether the source has this instance.
    func has(_ id: InstanceID) -> Bool {
        self.said?.instances.contains { $0.id == id } ?? false
    }

    /// Nil: not known.
    func inForce(named name: ServiceName) -> Service? {
        let held = self.missing.values.filter(\.isHeld).map(\.instance)
        guard !held.isEmpty else { return self.known(named: name) }
        let origin = self.said?.origin ?? self.remembered?.origin ?? held[0].origin
        let said = self.said?.instances.filter { self.missing[$0.id]?.isHeld != true } ?? []
        return Service(name: name, instances: said + held, origin: origin)
    }

    /// Without what is held.
    func known(named name: ServiceName) -> Service? {
        self.said ?? self.remembered.map { Service(name: name, instances: [], origin: $0.origin) }
    }

    /// What it adds to the sums of a ledger.
    var sums: Sums {
        let counted = self.missing.values.count(where: \.counts)
        return Sums(
            present: self.present,
            missing: counted,
            serving: self.present > 0 ? 1 : 0,
            gone: self.present == 0 && counted > 0 ? 1 : 0,
            remembered: self.remembered == nil ? 0 : 1,
            heldInMass: self.missing.values.count(where: \.isHeldInMass)
        )
    }

    struct Sums: Hashable, Sendable {
        /// Instances that count, and those that went within the window.
        var present = 0
        var missing = 0
        /// Services with instances that count, and those whose last one went within the window.
        var serving = 0
        var gone = 0
        var remembered = 0
        var heldInMass = 0

        static func += (sums: inout Sums, other: Sums) {
            sums.present += other.present
            sums.missing += other.missing
            sums.serving += other.serving
            sums.gone += other.gone
            sums.remembered += other.remembered
            sums.heldInMass += other.heldInMass
        }

        static func -= (sums: inout Sums, other: Sums) {
            sums.present -= other.present
            sums.missing -= other.missing
            sums.serving -= other.serving
            sums.gone -= other.gone
            sums.remembered -= other.remembered
            sums.heldInMass -= other.heldInMass
        }
    }
}

extension Instance {
    /// Whether its removal counts. Whoever drains an instance has announced that it will go.
    var isGuarded: Bool { self.isRoutable && !self.isDraining }

    /// Routable but for its check.
    var isMerelyCritical: Bool { self.health == .critical && self.weight.value > 0 && !self.isDraining }

    func isAt(_ other: Instance) -> Bool {
        self.port == other.port && self.address == other.address
    }
}
