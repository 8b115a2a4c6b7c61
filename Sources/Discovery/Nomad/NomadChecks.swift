// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// The health of services whose checks count, asked of the clients that run them, allocation by allocation.
///
/// There is no way to wait for a change: each is asked every few seconds, and more often until a check has succeeded. One
/// that cannot be asked (its client is not reached) keeps the health that it had, also from before the start, and is asked
/// less often with each time, so that the others need not wait for it.
struct NomadChecks: Sendable {
    private struct Entry {
        /// The services that it is followed for.
        var users: Set<NomadServiceKey> = []
        var due: Duration
        var request: NomadRequestID?
        /// Of services: what was stored, until its client answers.
        var health: [String: Instance.Health] = [:]
        var wasAnswered = false
        /// In a row.
        var failures = 0
    }

    /// How long a client has to answer, which has it in memory: as long as there is between two questions.
    static let deadline = Duration.seconds(5)
    /// How long the first word waits for the health of services of which nothing is stored: a little shorter than Nomad
    /// itself is waited for beside Consul.
    static let patience = Duration.seconds(8)
    /// The end of that, from the start on: Nomad is waited for 10 s.
    static let latest = Duration.seconds(9)
    private static let highestConcurrency = 8
    /// Between two questions about an allocation of which no check has succeeded yet.
    private static let impatience = Duration.seconds(1)
    /// The same about one that cannot be asked, at most.
    private static let longestPause = Duration.seconds(60)

    private let required: NomadConfiguration.RequiredChecks
    private let interval: Duration
    private let concurrency: Int
    private var entries: [String: Entry] = [:]
    private var allocations: [NomadServiceKey: Set<String>] = [:]
    private var underWay = 0
    /// Allocations of which a check had succeeded before this process, of services that were known then.
    private var stored: [NomadServiceKey: Set<String>] = [:]
    /// Allocations that nothing is known of, and that neither answered nor failed yet: the first word waits for them.
    private var awaited: Set<String> = []
    private var isStarting = true

    /// - Parameter known: services that were told before this process, and which of their instances were healthy.
    init(_ configuration: NomadConfiguration, known: [NomadServiceKey: Set<InstanceID>] = [:]) {
        self.required = configuration.requiredChecks
        self.interval = configuration.checkInterval
        // The follower's other questions keep two connections.
        let left = NomadConfiguration.maximumConnections - 5 * configuration.namespaces.count - 2
        self.concurrency = min(left, Self.highestConcurrency)
        for (key, instances) in known where self.required.contains(key.name) {
            self.stored[key] = Set(instances.compactMap { TaskRegistrationID($0.rawValue)?.allocation })
        }
    }

    /// Whether the service's checks count.
    func isRequired(_ key: NomadServiceKey) -> Bool { self.required.contains(key.name) }

    /// Whether somebody should be asked before anything is told: that nobody was asked yet would look like failing checks.
    var isAwaiting: Bool { !self.awaited.isEmpty }

    /// The first word was told.
    mutating func started() {
        self.isStarting = false
        self.awaited = []
    }

    func health(of row: NomadServiceRegistration) -> Instance.Health {
        guard self.required.contains(row.serviceName) else { return .passing }
        return self.entries[row.allocationID]?.health[row.serviceName] ?? .critical
    }

    /// The allocations that a service has now.
    mutating func follow(_ key: NomadServiceKey, _ allocations: Set<String>, _ effects: inout NomadEffects) {
        guard self.isRequired(key) else { return }
        let before = self.allocations.updateValue(allocations, forKey: key) ?? []
        if allocations.isEmpty { self.allocations[key] = nil }
        // One that was gone is another when it comes back.
        self.stored[key]?.formIntersection(allocations)
        let stored = self.stored[key]
        for id in allocations.subtracting(before) {
            var entry = self.entries[id] ?? Entry(due: effects.now)
            entry.users.insert(key)
            if !entry.wasAnswered, stored?.contains(id) == true { entry.health[key.name] = .passing }
            if self.isStarting, stored?.isEmpty ?? true, !entry.wasAnswered, entry.failures == 0 {
                self.awaited.insert(id)
            }
            self.entries[id] = entry
        }
        for id in before.subtracting(allocations) {
            self.entries[id]?.users.remove(key)
            guard let entry = self.entries[id], entry.users.isEmpty else { continue }
            if let request = entry.request {
                effects.cancel(request)
                self.underWay -= 1
            }
            self.entries[id] = nil
            self.awaited.remove(id)
        }
    }

    mutating func advance(_ effects: inout NomadEffects) {
        guard self.underWay < self.concurrency, !self.entries.isEmpty else { return }
        let ready = self.entries.filter { $0.value.request == nil && $0.value.due <= effects.now }
        for (id, _) in ready.sorted(by: { $0.value.due < $1.value.due }).prefix(self.concurrency - self.underWay) {
            self.entries[id]?.request = effects.send(.checks(allocation: id), for: .checks(allocation: id))
            self.underWay += 1
        }
    }

    var due: Duration? {
        guard self.underWay < self.concurrency else { return nil }
        return self.entries.values.lazy.filter { $0.request == nil }.map(\.due).min()
    }

    /// - Returns: the services whose health is not as before.
    mutating func answered(
        _ allocation: String,
        _ checks: [NomadAllocationCheck],
        _ effects: inout NomadEffects
    ) -> Set<NomadServiceKey> {
        guard var entry = self.entries[allocation] else { return [] }
        self.underWay -= 1
        self.awaited.remove(allocation)
        entry.request = nil
        entry.wasAnswered = true
        entry.failures = 0
        var health: [String: Instance.Health] = [:]
        for check in checks {
            let isWell = check.status == "success" && health[check.service] != .critical
            health[check.service] = isWell ? .passing : .critical
        }
        let isWell = entry.users.allSatisfy { health[$0.name] == .passing }
        entry.due = effects.now + (isWell ? self.interval : min(self.interval, Self.impatience))
        let changed = entry.users.filter { entry.health[$0.name] != health[$0.name] }
        entry.health = health
        self.entries[allocation] = entry
        return changed
    }

    mutating func failed(_ allocation: String, _ effects: inout NomadEffects) {
        guard var entry = self.entries[allocation] else { return }
        self.underWay -= 1
        self.awaited.remove(allocation)
        entry.request = nil
        let pause = min(self.interval * (1 << min(entry.failures, 8)), max(self.interval, Self.longestPause))
        entry.due = effects.now + pause
        entry.failures += 1
        self.entries[allocation] = entry
    }
}
