// SPDX-License-Identifier: Apache-2.0

import Catalog
import DequeModule
import HeapModule

/// The services that are followed in one datacenter, and the order in which they are read.
struct ConsulServices: Sendable {
    private(set) var byName: [String: ConsulKnownService] = [:]
    /// Which of them are on a node: a check of the node's concerns them all.
    private(set) var byNode: [String: Set<String>] = [:]
    /// Those whose turn comes later, and when.
    private(set) var resting: [String: Duration] = [:]
    private(set) var instanceCount = 0
    /// Services that were not read yet.
    private(set) var unread: Set<String> = []
    /// How many were added, ever.
    private(set) var additions = 0
    /// Those that changed, the last one last; some of them several times, or gone.
    private var changes: [String] = []
    private var urgent = Deque<String>()
    private var patient = Deque<String>()
    private var lastRecency: UInt64 = 0
    /// The ends of their rests, the earliest first; some of them do not hold any more.
    private var alarms = Heap<Alarm>()

    private struct Alarm: Comparable {
        let time: Duration
        let name: String

        static func < (left: Self, right: Self) -> Bool { left.time < right.time }
    }

    subscript(name: String) -> ConsulKnownService? { self.byName[name] }

    mutating func add(_ name: String, tags: [String]) {
        guard self.byName[name] == nil else { return }
        self.byName[name] = ConsulKnownService(tags: tags)
        self.unread.insert(name)
        self.additions += 1
    }

    mutating func remove(_ name: String) {
        guard let service = self.byName.removeValue(forKey: name) else { return }
        self.resting[name] = nil
        self.instanceCount -= service.instances.count
        self.unread.remove(name)
        for node in service.nodes { self.leave(node, name) }
    }

    var isAnyQueued: Bool { !self.urgent.isEmpty || !self.patient.isEmpty }

    func tags(of name: String) -> [String]? { self.byName[name]?.tags }

    mutating func setTags(_ tags: [String], of name: String) {
        self.byName[name]?.tags = tags
    }

    /// It is to be read, unless what is known shows this index already.
    ///
    /// - Parameter needed: of the answer that says so. Nil: in any case.
    mutating func isDirty(_ name: String, needed: UInt64?, isUrgent: Bool = true) {
        guard let service = self.byName[name] else { return }
        if let needed, service.isRead, service.index >= needed { return }
        switch service.work {
        case .none:
            self.enqueue(name, isUrgent: isUrgent)
        case .queued:
            break
        case .reading:
            self.byName[name]?.needed = max(service.needed, needed ?? .max)
        case .resting:
            self.resting[name] = nil
            self.enqueue(name, isUrgent: isUrgent)
        }
    }

    /// What is known is of another history: all is to be read, and any index is as good as another.
    mutating func areAllDirty() {
        self.urgent = []
        self.patient = []
        self.resting = [:]
        self.alarms = Heap()
        for name in self.byName.keys {
            self.byName[name]?.index = 0
            self.byName[name]?.needed = 0
            self.enqueue(name, isUrgent: false)
        }
    }

    /// Those whose rest is over are queued again: behind those that were never tried, if they were never read.
    mutating func wake(at now: Duration) {
        while let alarm = self.alarms.min {
            let isCurrent = self.resting[alarm.name] == alarm.time
            guard alarm.time <= now || !isCurrent else { return }
            self.alarms.removeMin()
            guard isCurrent else { continue }
            self.resting[alarm.name] = nil
            self.enqueue(alarm.name, isUrgent: !self.unread.contains(alarm.name))
        }
    }

    /// When the first of those that rest may be queued again; it may be too early.
    var nextWake: Duration? { self.alarms.min?.time }

    /// Those that failed need not rest any longer.
    mutating func retry(at now: Duration) {
        for (name, end) in self.resting where end > now && (self.byName[name]?.failures ?? 0) > 0 {
            self.rest(name, until: now)
        }
    }

    mutating func rest(_ name: String, until: Duration) {
        self.byName[name]?.work = .resting
        self.resting[name] = until
        self.alarms.insert(Alarm(time: until, name: name))
    }

    /// It was read, and is read again before that is believed.
    mutating func isTooHigh(_ name: String, _ index: UInt64, restUntil time: Duration) {
        self.byName[name]?.tooHigh = index
        self.rest(name, until: time)
    }

    /// The next to be read; it counts as being read.
    mutating func takeNext(at now: Duration) -> String? {
        while let name = self.urgent.popFirst() ?? self.patient.popFirst() {
            guard let service = self.byName[name], service.work == .queued else { continue }
            if service.notBefore > now {
                self.rest(name, until: service.notBefore)
                continue
            }
            self.byName[name]?.work = .reading
            self.byName[name]?.needed = 0
            return name
        }
        return nil
    }

    /// The reading is over, whatever came of it.
    mutating func readingEnded(_ name: String) {
        self.byName[name]?.work = .none
    }

    mutating func readingFailed(_ name: String) -> Int {
        let failures = (self.byName[name]?.failures ?? 0) + 1
        self.byName[name]?.failures = failures
        return failures
    }

    /// It is listed and shows no instance. Returns since when.
    mutating func wasEmpty(_ name: String, at now: Duration) -> (since: Duration, times: Int) {
        let since = self.byName[name]?.emptySince ?? now
        self.byName[name]?.emptySince = since
        return (since, self.readingFailed(name))
    }

    /// Some of it may not be read, by Consul's own word: that counts at once.
    mutating func isPartlyHidden(_ name: String) {
        guard let failures = self.byName[name]?.failures else { return }
        self.byName[name]?.failures = max(failures, ConsulHealth.failures)
    }

    /// These of its instances are gone, by the operator's word.
    mutating func letGo(_ instances: Set<InstanceID>, of name: String) {
        guard var service = self.byName[name] else { return }
        self.instanceCount -= service.instances.count
        service.instances.removeAll { instances.contains($0.id) }
        self.instanceCount += service.instances.count
        service.isLetGo = service.instances.isEmpty
        service.failures = 0
        self.byName[name] = service
    }

    /// Takes what was read as the truth. Returns whether it is another one.
    ///
    /// - Parameter isNews: whether a service that was not read before has only now come up.
    mutating func learn(
        _ name: String,
        _ reading: ConsulServiceReading,
        index: UInt64,
        isNews: Bool,
        notBefore: Duration
    ) -> Bool {
        guard var service = self.byName[name] else { return false }
        let isChanged =
            !service.isRead || service.isOurs != reading.isOurs || service.instances != reading.instances
            || service.diagnostics != reading.diagnostics
        self.unread.remove(name)
        service.checkWaits = reading.awaitsCheck && index == service.index ? service.checkWaits + 1 : 0
        if service.isRead ? index > service.index : isNews {
            self.lastRecency += 1
            service.recency = self.lastRecency
            self.changes.append(name)
            if self.changes.count > 2048 { self.changes.removeFirst(1024) }
        }
        if service.nodes != reading.nodes {
            for node in service.nodes { self.leave(node, name) }
            for node in reading.nodes { self.byNode[node, default: []].insert(name) }
            service.nodes = reading.nodes
        }
        self.instanceCount += reading.instances.count - service.instances.count
        if isChanged {
            service.instances = reading.instances
            service.diagnostics = reading.diagnostics
        }
        service.isRead = true
        service.isLetGo = false
        service.isOurs = reading.isOurs
        service.passingChecks = reading.passingChecks
        service.index = index
        service.failures = 0
        service.emptySince = nil
        service.notBefore = notBefore
        self.byName[name] = service
        return isChanged
    }

    /// Those that changed most recently, the last one first.
    func recent(_ count: Int) -> [String] {
        var names: [String] = []
        var seen: Set<String> = []
        for name in self.changes.reversed() where self.byName[name] != nil && seen.insert(name).inserted {
            names.append(name)
            if names.count == count { break }
        }
        return names
    }

    private mutating func enqueue(_ name: String, isUrgent: Bool) {
        self.byName[name]?.work = .queued
        if isUrgent { self.urgent.append(name) } else { self.patient.append(name) }
    }

    private mutating func leave(_ node: String, _ name: String) {
        self.byNode[node]?.remove(name)
        if self.byNode[node]?.isEmpty == true { self.byNode[node] = nil }
    }
}
