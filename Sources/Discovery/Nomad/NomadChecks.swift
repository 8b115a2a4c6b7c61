// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// The health of services whose checks count, asked of the clients that run them, allocation by allocation.
///
/// There is no way to wait for a change: each is asked every few seconds, and more often until a check has succeeded. One
/// that cannot be asked (its client is not reached) keeps the health that it had.
struct NomadChecks: Sendable {
    private struct Entry {
        /// The services that it is followed for.
        var users: Set<NomadServiceKey> = []
        var due: Duration
        var request: NomadRequestID?
        var health: [String: Instance.Health] = [:]
    }

    private static let concurrency = 3
    /// Between two questions about an allocation of which no check has succeeded yet.
    private static let impatience = Duration.seconds(1)

    private let required: NomadConfiguration.RequiredChecks
    private let interval: Duration
    private var entries: [String: Entry] = [:]
    private var allocations: [NomadServiceKey: Set<String>] = [:]
    private var underWay = 0

    init(_ configuration: NomadConfiguration) {
        self.required = configuration.requiredChecks
        self.interval = configuration.checkInterval
    }

    /// Whether the service's checks count.
    func isRequired(_ key: NomadServiceKey) -> Bool { self.required.contains(key.name) }

    func health(of row: NomadServiceRegistration) -> Instance.Health {
        guard self.required.contains(row.serviceName) else { return .passing }
        return self.entries[row.allocationID]?.health[row.serviceName] ?? .critical
    }

    /// The allocations that a service has now.
    mutating func follow(_ key: NomadServiceKey, _ allocations: Set<String>, _ effects: inout NomadEffects) {
        guard self.isRequired(key) else { return }
        let before = self.allocations.updateValue(allocations, forKey: key) ?? []
        if allocations.isEmpty { self.allocations[key] = nil }
        for id in allocations.subtracting(before) {
            self.entries[id, default: Entry(due: effects.now)].users.insert(key)
        }
        for id in before.subtracting(allocations) {
            self.entries[id]?.users.remove(key)
            guard let entry = self.entries[id], entry.users.isEmpty else { continue }
            if let request = entry.request {
                effects.cancel(request)
                self.underWay -= 1
            }
            self.entries[id] = nil
        }
    }

    mutating func advance(_ effects: inout NomadEffects) {
        guard self.underWay < Self.concurrency, !self.entries.isEmpty else { return }
        let ready = self.entries.filter { $0.value.request == nil && $0.value.due <= effects.now }
        for (id, _) in ready.sorted(by: { $0.value.due < $1.value.due }).prefix(Self.concurrency - self.underWay) {
            self.entries[id]?.request = effects.send(.checks(allocation: id), for: .checks(allocation: id))
            self.underWay += 1
        }
    }

    var due: Duration? {
        guard self.underWay < Self.concurrency else { return nil }
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
        entry.request = nil
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
        guard self.entries[allocation] != nil else { return }
        self.underWay -= 1
        self.entries[allocation]?.request = nil
        self.entries[allocation]?.due = effects.now + self.interval
    }
}
