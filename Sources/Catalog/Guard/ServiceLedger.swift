// SPDX-License-Identifier: Apache-2.0

/// What one source says of services, and which of its removals are held. See `CatalogGuard` for the rules.
///
/// The work of an update is proportional to the update.
struct ServiceLedger: Sendable {
    struct Key: Hashable, Sendable {
        var service: ServiceName
        var instance: InstanceID
    }

    struct Place: Hashable, Sendable {
        var address: String
        var port: UInt16

        init(_ instance: Instance) {
            self.address = instance.address
            self.port = instance.port
        }
    }

    struct Arrival: Hashable, Sendable {
        var key: Key
        var place: Place
    }

    let rules: CatalogGuard.SourceRules
    var records: [ServiceName: ServiceRecord] = [:]
    var sums = ServiceRecord.Sums()
    /// Since when something is held in mass, on the clock of the guard.
    var massSince: Duration?
    /// Why, as of the last time that more was held.
    var massExcess: Excess?
    /// Services that have something held.
    var held: Set<ServiceName> = []
    /// Where the missing instances were.
    var places: [Place: Set<Key>] = [:]
    /// Missing ones that count and are not held in mass, by the time that they went, on the clock of the guard.
    var window = Agenda<Duration, Key>()
    /// Those held as the last of their service, by the end of their grace, on the clock of the source.
    var graces = Agenda<Duration, Key>()
    /// Those held in mass, the same.
    var massGraces = Agenda<Duration, Key>()
    /// Who came within the window, and where it is. On the clock of the guard.
    var recent: [Place: [Key: Duration]] = [:]
    var arrivals = Agenda<Duration, Arrival>()
    /// Services that are gone, in the order in which they went.
    var memory = Agenda<UInt64, ServiceName>()
    var lastNumber: UInt64 = 0

    /// Since the last `takeNews`.
    var touched: Set<ServiceName> = []
    var tally = EventTally()

    init(rules: CatalogGuard.SourceRules) {
        self.rules = rules
    }

    /// What the source has, what is held of it, and, without instances, what is remembered. In the order of their names.
    ///
    /// - Parameter outranked: services of which nothing that is held counts.
    func allInForce(exceptHeldOf outranked: Set<ServiceName>) -> [Service] {
        self.records.compactMap { name, record in
            outranked.contains(name) ? record.known(named: name) : record.inForce(named: name)
        }
        .sorted { $0.name < $1.name }
    }

    /// When something is released, on the clock of the source. Perhaps nothing, if it came back.
    var nextDeadline: Duration? {
        [self.massGraces.first, self.graces.first].compactMap(\.self).min()
    }

    /// The services that may be other ones in force, and what was held and released.
    mutating func takeNews() -> (touched: Set<ServiceName>, tally: EventTally) {
        defer {
            self.touched = []
            self.tally = EventTally()
        }
        return (self.touched, self.tally)
    }

    /// Every change of a record goes through here, which keeps what is derived from it.
    mutating func change(_ name: ServiceName, _ body: (inout ServiceRecord) -> Void) {
        var record = self.records.removeValue(forKey: name) ?? ServiceRecord()
        self.sums -= record.sums
        body(&record)
        self.sums += record.sums
        if record.hasHeld {
            self.held.insert(name)
        } else {
            self.held.remove(name)
        }
        if !record.isEmpty { self.records[name] = record }
        self.touched.insert(name)
    }
}

extension ServiceLedger {
    /// Takes this as what the source said, without a look at what is new or gone. A service without instances is one that
    /// was remembered.
    mutating func seed(_ services: some Sequence<Service>) {
        for service in services {
            self.lastNumber += 1
            let number = self.lastNumber
            self.change(service.name) { record in
                if service.instances.isEmpty {
                    record.remembered = ServiceRecord.Remembered(origin: service.origin, number: number)
                } else {
                    record.said = service
                    record.present = service.instances.count(where: \.isGuarded)
                }
            }
            if service.instances.isEmpty { self.memory.append(service.name, at: number) }
        }
        self.forgetOldest()
    }

    /// - Parameters:
    ///   - services: nil is a service that the source does not have any more.
    ///   - isComplete: what is not among them is gone.
    ///   - unheard: of that, what was said before stays.
    ///   - stopped: instances of which another source says that they stopped: their removal is no surprise.
    ///   - time: on the clock of the source.
    ///   - now: on that of the guard.
    mutating func apply(
        _ services: [ServiceName: Service?],
        isComplete: Bool,
        unheard: Unheard = Unheard(),
        stopped: [ServiceName: Set<InstanceID>],
        at time: Duration,
        now: Duration
    ) {
        self.expireWindow(at: now)
        for (name, ids) in stopped {
            self.drop(name, ids, because: .superseded)
        }
        var changes: [ServiceChange] = []
        func take(_ service: Service?, _ name: ServiceName) {
            let record = self.records[name]
            let service = record?.said.map { unheard.complete(service, with: $0) } ?? service
            guard record?.said != service else { return }
            let stopped = stopped[name] ?? []
            changes.append(ServiceChange(name, from: record, to: service, stopped: stopped, rules: self.rules))
            self.take(service, changes[changes.count - 1], at: time, now: now)
        }
        for (name, service) in services {
            take(service, name)
        }
        if isComplete {
            for (name, record) in self.records where record.said != nil && services[name] == nil {
                take(nil, name)
            }
        }
        // After all of them: an instance that moved from one service to another is in both changes.
        for change in changes {
            self.supersede(by: change)
        }
        for change in changes {
            self.overlookSuperseded(of: change)
        }
        if !isComplete {
            for change in changes { self.note(change.newcomers, of: change.name, at: now) }
        }
        if changes.contains(where: { !$0.removed.isEmpty || !$0.becameCritical.isEmpty }), let excess = self.excess {
            self.holdAll(because: excess, at: time, now: now)
        }
        self.endMassIfEmpty()
        for change in changes {
            for instance in change.removed {
                guard let missing = self.records[change.name]?.missing[instance.id] else { continue }
                guard missing.isHeld, !missing.isHeldInMass else { continue }
                self.tally.count(.held, .lastInstances, change.name.rawValue)
            }
        }
        self.forgetOldest()
        self.compact()
    }

    private mutating func take(_ service: Service?, _ change: ServiceChange, at time: Duration, now: Duration) {
        let name = change.name
        self.drop(name, change.returned, because: .returned)
        let graceEnd =
            change.isLast && self.rules.lastInstanceGrace > .zero ? time + self.rules.lastInstanceGrace : nil
        self.lastNumber += 1
        let number = self.lastNumber
        self.change(name) { record in
            if service == nil, let before = record.said {
                record.remembered = ServiceRecord.Remembered(origin: before.origin, number: number)
            } else if service != nil {
                record.remembered = nil
            }
            record.said = service
            record.present = change.present
            for instance in change.removed {
                record.missing[instance.id] = ServiceRecord.Missing(
                    instance: instance,
                    since: now,
                    heldAsLastUntil: graceEnd
                )
            }
            for instance in change.becameCritical {
                record.missing[instance.id] = ServiceRecord.Missing(instance: instance, since: now)
            }
        }
        if service == nil { self.memory.append(name, at: number) }
        for instance in change.removed + change.becameCritical {
            let key = Key(service: name, instance: instance.id)
            self.window.append(key, at: now)
            self.places[Place(instance), default: []].insert(key)
        }
        if let graceEnd {
            for instance in change.removed {
                self.graces.append(Key(service: name, instance: instance.id), at: graceEnd)
            }
        }
        self.follow(service, change)
    }

    /// Missing ones that are said to be critical where they were take on what else is said of them. And those that are held
    /// as the last of their service are held no more when it has others, or when that is said of them.
    private mutating func follow(_ service: Service?, _ change: ServiceChange) {
        guard let service, let before = self.records[change.name], !before.missing.isEmpty else { return }
        let critical = Set(change.critical.map(\.id))
        var freed: [InstanceID] = []
        self.change(change.name) { record in
            for instance in service.instances {
                guard let missing = record.missing[instance.id], instance.isAt(missing.instance) else { continue }
                var followed = instance
                followed.health = missing.instance.health
                record.missing[instance.id]?.instance = followed
            }
            for (id, missing) in record.missing where missing.heldAsLastUntil != nil {
                guard change.isServed || critical.contains(id) else { continue }
                if missing.isHeldInMass || missing.counts { record.missing[id]?.heldAsLastUntil = nil }
                if !missing.isHeldInMass { freed.append(id) }
            }
        }
        for id in freed {
            if self.records[change.name]?.missing[id]?.isHeld == true {
                self.drop(change.name, [id], because: .returned)
            } else {
                self.tally.count(.released(.returned), .lastInstances, change.name.rawValue)
            }
        }
    }
}
