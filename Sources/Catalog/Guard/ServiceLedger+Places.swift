// SPDX-License-Identifier: Apache-2.0

extension ServiceLedger {
    /// Who lives where a missing instance lived is sent requests under its own name only.
    mutating func supersede(by change: ServiceChange) {
        guard !self.places.isEmpty else { return }
        for instance in change.newcomers {
            for key in self.places[Place(instance)] ?? [] {
                // One that is not routable yet does not take the place of one of its own service.
                guard key.service != change.name || (instance.isRoutable && key.instance != instance.id) else {
                    continue
                }
                self.drop(key.service, [key.instance], because: .superseded)
            }
        }
    }

    /// The same for what is missing since now, where the other one came first: services are read one after the other. Of
    /// two that came together neither takes the other's place, nor of two that share one for long.
    mutating func overlookSuperseded(of change: ServiceChange) {
        guard !self.recent.isEmpty else { return }
        for instance in change.removed + change.becameCritical {
            let place = Place(instance)
            let key = Key(service: change.name, instance: instance.id)
            guard let others = self.recent[place], others[key] == nil else { continue }
            let isSuperseded = others.keys.contains { other in
                guard let its = self.records[other.service]?.said?.instances.first(where: { $0.id == other.instance })
                else { return false }
                return Place(its) == place && (other.service != key.service || its.isRoutable)
            }
            if isSuperseded { self.drop(change.name, [instance.id], because: nil) }
        }
    }

    /// How many are remembered to have come.
    private static let mostArrivals = 65_536

    mutating func note(_ newcomers: [Instance], of name: ServiceName, at now: Duration) {
        for instance in newcomers {
            let arrival = Arrival(key: Key(service: name, instance: instance.id), place: Place(instance))
            self.recent[arrival.place, default: [:]][arrival.key] = now
            self.arrivals.append(arrival, at: now)
        }
        while self.arrivals.count > Self.mostArrivals, let (time, arrival) = self.arrivals.pop(through: now) {
            self.forget(arrival, of: time)
        }
    }

    mutating func expireArrivals(at now: Duration) {
        while let (time, arrival) = self.arrivals.pop(through: now - self.rules.window) {
            self.forget(arrival, of: time)
        }
    }

    private mutating func forget(_ arrival: Arrival, of time: Duration) {
        guard self.recent[arrival.place]?[arrival.key] == time else { return }
        self.recent[arrival.place]?[arrival.key] = nil
        if self.recent[arrival.place]?.isEmpty == true { self.recent[arrival.place] = nil }
    }
}
