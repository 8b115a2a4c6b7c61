// SPDX-License-Identifier: Apache-2.0

/// The few services that are watched one by one: all, if they are few, else those that changed last.
struct ConsulFocus: Sendable {
    struct Slot: Sendable {
        var request: ConsulRequestID?
        var sent = Duration.zero
        var notBefore = Duration.zero
        var failures = 0
    }

    private static let idle = Duration.seconds(1)

    let capacity: Int
    private(set) var slots: [String: Slot] = [:]
    private var names: [ConsulRequestID: String] = [:]
    /// To change places costs a connection.
    private var changes = Allowance(burst: .seconds(10), share: 5)

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether changes of it show by themselves.
    func isWatching(_ name: String) -> Bool { self.slots[name]?.request != nil }

    /// Which service the request watches.
    func service(of request: ConsulRequestID) -> String? { self.names[request] }

    /// It has changed: it gets a place, if need be that of the one whose last change is longest ago.
    mutating func touch(_ name: String, among services: ConsulServices, _ effects: inout ConsulEffects) {
        guard self.capacity > 0, self.slots[name] == nil else { return }
        if self.slots.count >= self.capacity {
            guard self.changes.earliest(at: effects.now) <= effects.now else { return }
            let oldest = self.slots.keys.min { left, right in
                (services[left]?.recency ?? 0, left) < (services[right]?.recency ?? 0, right)
            }
            guard let oldest else { return }
            self.changes.spend(.seconds(1), at: effects.now)
            self.release(oldest, &effects)
        }
        self.slots[name] = Slot()
    }

    mutating func release(_ name: String, _ effects: inout ConsulEffects) {
        guard let slot = self.slots.removeValue(forKey: name), let request = slot.request else { return }
        self.names[request] = nil
        effects.cancel(request)
    }

    /// Asks about all that are not being asked about.
    mutating func ask(_ services: ConsulServices, in datacenter: String?, _ effects: inout ConsulEffects) {
        for (name, slot) in self.slots where slot.request == nil && slot.notBefore <= effects.now {
            guard let service = services[name], Self.isKnown(service) else { continue }
            let query = ConsulQuery(.service(name), datacenter: datacenter, index: service.index)
            let request = effects.send(query)
            self.slots[name]?.request = request
            self.slots[name]?.sent = effects.now
            self.names[request] = name
        }
    }

    /// Whether its index can be waited for. One that is about to be read may have had an index that is never reached.
    private static func isKnown(_ service: ConsulKnownService) -> Bool {
        service.index > 0 && service.work == .none
    }

    /// Returns which service the request was about.
    mutating func ended(_ request: ConsulRequestID) -> String? {
        guard let name = self.names.removeValue(forKey: request) else { return nil }
        self.slots[name]?.request = nil
        self.slots[name]?.failures = 0
        return name
    }

    /// It was answered with what was known. If that came at once, the next answer would, too: an index stands.
    mutating func toldNothingNew(_ name: String, at now: Duration) {
        guard let sent = self.slots[name]?.sent, now - sent < Self.idle else { return }
        self.slots[name]?.notBefore = now + Self.idle
    }

    mutating func postpone(_ name: String, until: Duration) {
        self.slots[name]?.notBefore = until
    }

    mutating func failed(_ request: ConsulRequestID, _ effects: inout ConsulEffects) {
        guard let name = self.names.removeValue(forKey: request) else { return }
        let failures = (self.slots[name]?.failures ?? 0) + 1
        self.slots[name]?.request = nil
        self.slots[name]?.failures = failures
        self.slots[name]?.notBefore = effects.now + effects.backOff(after: failures, to: .seconds(60))
    }

    mutating func renew(_ effects: inout ConsulEffects) {
        for (name, slot) in self.slots {
            if let request = slot.request { effects.cancel(request) }
            self.slots[name] = Slot(failures: slot.failures)
        }
        self.names = [:]
    }

    /// When the next one is to be asked; nil: all are that can be.
    func due(_ services: ConsulServices) -> Duration? {
        self.slots.lazy
            .filter { name, slot in slot.request == nil && services[name].map(Self.isKnown) ?? false }
            .map { $0.value.notBefore }
            .min()
    }
}
