// SPDX-License-Identifier: Apache-2.0

extension ServiceLedger {
    /// Nil: as many may go.
    var excess: Excess? {
        guard !self.rules.isOff else { return nil }
        let sums = self.sums
        return [
            Excess(kind: .services, gone: sums.gone, all: sums.serving + sums.gone, rules: self.rules),
            Excess(kind: .instances, gone: sums.missing, all: sums.present + sums.missing, rules: self.rules),
        ].first(where: \.isTooMuch)
    }

    /// All that went within the window, so that it makes no difference in how many steps it went.
    mutating func holdAll(because excess: Excess, at time: Duration, now: Duration) {
        if self.massSince == nil { self.massSince = now }
        self.massExcess = excess
        let until = time + self.rules.grace
        for (name, ids) in self.current(self.window.removeAll()) {
            var held = 0
            self.change(name) { record in
                for id in ids {
                    guard let missing = record.missing[id], !missing.isHeldInMass else { continue }
                    if !missing.isHeld || missing.since == now { held += 1 }
                    record.missing[id]?.heldInMassUntil = until
                }
            }
            for id in ids { self.massGraces.append(Key(service: name, instance: id), at: until) }
            if held > 0 { self.tally.count(.held, .massRemoval, name.rawValue, instances: held) }
        }
    }

    mutating func endMassIfEmpty() {
        guard self.sums.heldInMass == 0 else { return }
        self.massGraces = Agenda()
        self.massSince = nil
        self.massExcess = nil
    }

    /// Releases what is due.
    ///
    /// - Parameters:
    ///   - time: on the clock of the source.
    ///   - now: on that of the guard.
    mutating func advance(to time: Duration, now: Duration) {
        self.releaseMass(through: time)
        var due: [ServiceName: Set<InstanceID>] = [:]
        while let (time, key) = self.graces.pop(through: time) {
            guard let missing = self.records[key.service]?.missing[key.instance], missing.heldAsLastUntil == time
            else { continue }
            due[key.service, default: []].insert(key.instance)
        }
        for (name, ids) in due {
            self.endLast(of: name, ids)
        }
        self.expireWindow(at: now)
    }

    /// What is let go after a grace that is shorter than the window counts until the window is over.
    private mutating func endLast(of name: ServiceName, _ ids: Set<InstanceID>) {
        guard let missing = self.records[name]?.missing else { return }
        let staying = ids.filter { missing[$0]?.isHeldInMass == true || missing[$0]?.counts == true }
        if !staying.isEmpty {
            self.change(name) { record in
                for id in staying { record.missing[id]?.heldAsLastUntil = nil }
            }
        }
        for id in staying where missing[id]?.isHeldInMass == false {
            self.tally.count(.released(.graceOver), .lastInstances, name.rawValue)
        }
        self.drop(name, ids.subtracting(staying), because: .graceOver)
    }

    private mutating func releaseMass(through time: Duration) {
        var due: [ServiceName: Set<InstanceID>] = [:]
        while let (until, key) = self.massGraces.pop(through: time) {
            guard self.records[key.service]?.missing[key.instance]?.heldInMassUntil == until else { continue }
            due[key.service, default: []].insert(key.instance)
        }
        for (name, ids) in due {
            var released: [InstanceID] = []
            self.change(name) { record in
                for id in ids {
                    if let last = record.missing[id]?.heldAsLastUntil, last > time {
                        record.missing[id]?.heldInMassUntil = nil
                        record.missing[id]?.counts = false
                    } else {
                        released.append(id)
                    }
                }
            }
            self.drop(name, released, because: .graceOver)
        }
        self.endMassIfEmpty()
    }

    /// From here on what is missing is gone.
    mutating func accept() {
        let missing = self.held.union(self.window.removeAll().map(\.item.service))
        for name in missing {
            guard let ids = self.records[name]?.missing.keys else { continue }
            self.drop(name, Array(ids), because: .accepted)
        }
        self.massGraces = Agenda()
        self.massSince = nil
        self.massExcess = nil
    }

    /// These are gone, and that surprises nobody.
    mutating func forget(_ shares: [ServiceName: Unheard.Share], at time: Duration, now: Duration) {
        var rest: [ServiceName: Service?] = [:]
        var stopped: [ServiceName: Set<InstanceID>] = [:]
        for (name, share) in shares {
            guard let said = self.records[name]?.said else { continue }
            rest[name] = .some(said.without(share))
            stopped[name] = Set(said.instances.lazy.filter(share.has).map(\.id))
        }
        self.apply(rest, isComplete: false, stopped: stopped, at: time, now: now)
    }

    /// What went before the window counts no more.
    mutating func expireWindow(at now: Duration) {
        self.expireArrivals(at: now)
        var expired: [(time: Duration, item: Key)] = []
        while let next = self.window.pop(through: now - self.rules.window) { expired.append(next) }
        for (name, ids) in self.current(expired) {
            let held = ids.filter { self.records[name]?.missing[$0]?.isHeld == true }
            if !held.isEmpty {
                self.change(name) { record in
                    for id in held { record.missing[id]?.counts = false }
                }
            }
            self.drop(name, ids.subtracting(held), because: .graceOver)
        }
    }

    /// Those that are still missing since the time that the window has noted.
    private func current(_ items: [(time: Duration, item: Key)]) -> [ServiceName: Set<InstanceID>] {
        var current: [ServiceName: Set<InstanceID>] = [:]
        for (time, key) in items where self.isCurrent(time, key) {
            current[key.service, default: []].insert(key.instance)
        }
        return current
    }

    private func isCurrent(_ time: Duration, _ key: Key) -> Bool {
        guard let missing = self.records[key.service]?.missing[key.instance] else { return false }
        return missing.since == time && missing.counts && !missing.isHeldInMass
    }

    /// Forgets that they are missing; if they were held, that ends.
    ///
    /// - Parameter release: nil: nobody was told that they are held.
    mutating func drop(
        _ name: ServiceName,
        _ ids: some Collection<InstanceID>,
        because release: GuardOutcome.Event.Release?
    ) {
        guard !ids.isEmpty, let record = self.records[name], !record.missing.isEmpty else { return }
        let dropped = ids.compactMap { id in record.missing[id].map { (id: id, missing: $0) } }
        guard !dropped.isEmpty else { return }
        self.change(name) { record in
            for (id, _) in dropped { record.missing[id] = nil }
        }
        for (id, missing) in dropped {
            let place = Place(missing.instance)
            self.places[place]?.remove(Key(service: name, instance: id))
            if self.places[place]?.isEmpty == true { self.places[place] = nil }
            if missing.isHeld, let release { self.tally.count(.released(release), missing.reason, name.rawValue) }
        }
    }

    mutating func forgetOldest() {
        while self.sums.remembered > self.rules.rememberedServices, let (number, name) = self.memory.pop(through: .max)
        {
            guard self.records[name]?.remembered?.number == number else { continue }
            self.change(name) { $0.remembered = nil }
        }
    }

    /// Keeps what was put on an agenda and came to nothing from piling up.
    mutating func compact() {
        if self.window.count > 2 * self.sums.missing + 1024 {
            let ledger = self
            self.window.compact { ledger.isCurrent($0, $1) }
        }
        if self.graces.count > 2 * self.sums.missing + 1024 {
            let records = self.records
            self.graces.compact { records[$1.service]?.missing[$1.instance]?.heldAsLastUntil == $0 }
        }
        if self.massGraces.count > 2 * self.sums.missing + 1024 {
            let records = self.records
            self.massGraces.compact { records[$1.service]?.missing[$1.instance]?.heldInMassUntil == $0 }
        }
        if self.memory.count > 2 * self.sums.remembered + 1024 {
            let records = self.records
            self.memory.compact { records[$1]?.remembered?.number == $0 }
        }
    }
}
