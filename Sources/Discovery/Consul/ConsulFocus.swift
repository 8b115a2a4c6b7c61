// SPDX-License-Identifier: Apache-2.0

/// The few services that are watched one by one: all, if they are few, else those that changed last.
///
/// A question is never taken back: Consul counts its connection until it would have answered anyway. So it waits shortly
/// where others want its place, and places change hands between two questions.
struct ConsulFocus: Sendable {
    private struct Slot: Sendable {
        var request: ConsulRequestID?
        /// That the answer is to go beyond.
        var index: UInt64 = 0
        var sent = Duration.zero
        var notBefore = Duration.zero
        var failures = 0
        /// Answers in a row that came at once and told nothing new.
        var idleAnswers = 0
        /// Whether the connection may be dead: then nothing is known to be watched before it answered.
        var isDoubtful = false
    }

    private static let idle = Duration.seconds(1)
    private static let longestIdle = Duration.seconds(16)

    private(set) var capacity: Int
    /// Places that become free again when nothing happens: whoever changes next gets one at once.
    private var reserve: Int { self.capacity / 3 }
    private var slots: [String: Slot] = [:]
    private var names: [ConsulRequestID: String] = [:]
    /// Those that changed and have no place; the last one changed last.
    private var waiting: [String] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Those that are too many leave between two questions.
    mutating func resize(_ capacity: Int) { self.capacity = max(0, capacity) }

    /// Whoever is watched elsewhere leaves, unless it is being asked about.
    mutating func leave(if isElsewhere: (String) -> Bool) {
        self.waiting.removeAll(where: isElsewhere)
        for (name, slot) in self.slots where slot.request == nil && isElsewhere(name) { self.slots[name] = nil }
    }

    var count: Int { self.slots.count }
    var inFlight: Int { self.names.count }

    /// Whether changes of it show by themselves.
    func isWatching(_ name: String) -> Bool {
        guard let slot = self.slots[name] else { return false }
        return slot.request != nil && !slot.isDoubtful
    }

    /// It has changed: it gets a place, or the next that is free.
    mutating func touch(_ name: String) {
        guard self.capacity > 0, self.slots[name] == nil else { return }
        if self.slots.count < self.capacity {
            self.slots[name] = Slot()
            return
        }
        self.waiting.removeAll { $0 == name }
        self.waiting.append(name)
        if self.waiting.count > self.capacity { self.waiting.removeFirst() }
    }

    /// Asks about all that are not being asked about.
    mutating func ask(_ services: ConsulServices, in datacenter: String?, _ effects: inout ConsulEffects) {
        guard self.names.count < self.slots.count else { return }
        for (name, slot) in self.slots where slot.request == nil && slot.notBefore <= effects.now {
            guard effects.mayAsk else { return }
            guard !self.isToLeave(name, services) else {
                self.slots[name] = nil
                continue
            }
            let isCrowded = !self.waiting.isEmpty || self.isReserveUsed(services)
            let name = self.next(instead: name, services)
            guard let service = services[name], Self.isKnown(service) else { continue }
            let wait = isCrowded ? ConsulQuery.shortWait : ConsulQuery.middleWait
            let query = ConsulQuery(.service(name), datacenter: datacenter, index: service.index, wait: wait)
            let request = effects.send(query)
            self.slots[name]?.request = request
            self.slots[name]?.index = service.index
            self.slots[name]?.sent = effects.now
            self.names[request] = name
        }
    }

    /// Whether its index can be waited for. One that is about to be read may have had an index that is never reached.
    private static func isKnown(_ service: ConsulKnownService) -> Bool {
        service.index > 0 && service.work == .none
    }

    /// Returns which service the request was about, and the index that the answer is to go beyond; nil: it was no request
    /// of this.
    mutating func ended(_ request: ConsulRequestID) -> (name: String, index: UInt64)? {
        guard let name = self.names.removeValue(forKey: request) else { return nil }
        self.slots[name]?.request = nil
        self.slots[name]?.failures = 0
        self.slots[name]?.isDoubtful = false
        return (name, self.slots[name]?.index ?? 0)
    }

    /// It was answered with what was known. If that came at once, the next answer would, too: an index stands.
    mutating func toldNothingNew(_ name: String, at now: Duration) {
        guard let slot = self.slots[name] else { return }
        guard now - slot.sent < Self.idle else {
            self.slots[name]?.idleAnswers = 0
            return
        }
        self.slots[name]?.idleAnswers += 1
        self.slots[name]?.notBefore = now + min(Self.longestIdle, Self.idle * (1 << min(slot.idleAnswers, 4)))
    }

    mutating func postpone(_ name: String, until: Duration) {
        self.slots[name]?.notBefore = until
    }

    /// Returns whether it was a request of this.
    mutating func failed(_ request: ConsulRequestID, _ effects: inout ConsulEffects) -> Bool {
        guard let name = self.names.removeValue(forKey: request) else { return false }
        let failures = (self.slots[name]?.failures ?? 0) + 1
        self.slots[name]?.request = nil
        self.slots[name]?.failures = failures
        self.slots[name]?.notBefore = effects.now + effects.backOff(after: failures, to: .seconds(60))
        return true
    }

    /// Those that failed need not wait any longer.
    mutating func retry(at now: Duration) {
        for (name, slot) in self.slots where slot.failures > 0 {
            self.slots[name]?.notBefore = min(slot.notBefore, now)
        }
    }

    /// The server is there again: those that failed are asked anew, and what is open may be dead.
    mutating func renew() {
        for name in Array(self.slots.keys) {
            self.slots[name]?.notBefore = .zero
            let isOpen = self.slots[name]?.request != nil
            self.slots[name]?.isDoubtful = isOpen
        }
    }

    /// When the next one is to be asked; nil: all are that can be.
    func due(_ services: ConsulServices) -> Duration? {
        guard self.names.count < self.slots.count else { return nil }
        return self.slots.lazy
            .filter { name, slot in slot.request == nil && services[name].map(Self.isKnown) ?? false }
            .map { $0.value.notBefore }
            .min()
    }

    /// Who is to have the place: who has it, or who waits for it and changed later.
    private mutating func next(instead name: String, _ services: ConsulServices) -> String {
        while let candidate = self.waiting.last, services[candidate] == nil || self.slots[candidate] != nil {
            self.waiting.removeLast()
        }
        guard let candidate = self.waiting.last,
            (services[candidate]?.recency ?? 0) > (services[name]?.recency ?? 0)
        else { return name }
        self.waiting.removeLast()
        self.slots[name] = nil
        self.slots[candidate] = Slot()
        return candidate
    }

    private func isReserveUsed(_ services: ConsulServices) -> Bool {
        self.slots.count > self.capacity - self.reserve && services.byName.count > self.capacity
    }

    /// Whether it changed longer ago than all that are to keep their places, and nobody waits for its own.
    private func isToLeave(_ name: String, _ services: ConsulServices) -> Bool {
        if self.slots.count > self.capacity { return true }
        guard self.isReserveUsed(services), self.waiting.isEmpty else { return false }
        let recency = services[name]?.recency ?? 0
        let later = self.slots.keys.count { (services[$0]?.recency ?? 0) > recency }
        return later >= self.capacity - self.reserve
    }

    /// Those that are gone have no place; one that is asked about keeps it until the answer comes, which is soon.
    mutating func forgetGone(_ services: ConsulServices) {
        for (name, slot) in self.slots where slot.request == nil && services[name] == nil { self.slots[name] = nil }
    }
}
