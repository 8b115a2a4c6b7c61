// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Decides when a start knows enough of the services to tell of them for the first time.
///
/// Unless something stored stands in, what is left out then is gone from proxies that run; and if nothing may be left out,
/// one broken service keeps a new fleet from starting. So a service may be left out that Consul itself says something
/// about, such as that it may not be read, if most others were read. That an agent fails says nothing of any service.
struct ConsulGate: Sendable {
    /// How long services that cannot be read, or other datacenters that cannot be reached, keep the first update back.
    static let patience = Duration.seconds(15)

    /// What is waited for beyond that time.
    enum Obstacle: Hashable, Sendable {
        /// The agent fails, or refuses to be asked like that.
        case agent
        /// More services cannot be read than were read.
        case most
    }

    /// Whether what was stored of the services stands in for those that cannot be read.
    private let isStored: Bool
    /// Since when the preferred datacenter's services are known by name.
    private var since: Duration?

    init(isStored: Bool) {
        self.isStored = isStored
    }

    /// When it may open without an answer.
    func due(after now: Duration) -> Duration? {
        self.since.map { $0 + Self.patience }.flatMap { $0 > now ? $0 : nil }
    }

    /// Whether the first update can be told.
    mutating func opens(_ datacenters: [ConsulDatacenter], at now: Duration) -> Bool {
        guard let first = datacenters.first, first.isBased else { return false }
        let since = self.since ?? now
        self.since = since
        if datacenters.allSatisfy({ $0.isComplete && $0.missing.undecided.isEmpty }) { return true }
        guard now - since >= Self.patience else { return false }
        // What was not read by then stays as it was stored.
        if self.isStored { return true }
        // Of one that is gone again nothing more is read.
        let areOthersTried = datacenters.dropFirst().allSatisfy { !$0.isBased || !$0.link.isUp || $0.wasAllTried }
        return first.wasAllTried && areOthersTried && Self.obstacle(datacenters) == nil
    }

    /// The others are reserves: their agents' failures stop nothing.
    private static func obstacle(_ datacenters: [ConsulDatacenter]) -> Obstacle? {
        if datacenters.contains(where: \.isFilterRefused) { return .agent }
        return datacenters.first?.obstacle
    }

    /// Of the status of the preferred datacenter: what the start waits for, with the cure.
    func words(_ datacenter: ConsulDatacenter) -> String {
        guard !self.isStored, datacenter.link.isUp, datacenter.isBased, datacenter.isAnyFailureKnown else { return "" }
        return switch datacenter.obstacle {
        case .agent where datacenter.isFilterRefused: "; nothing is sent to proxies before Consul takes the filter"
        case .agent:
            "; nothing is sent to proxies before the agent answers this: see its log and limits, or leave services out by "
                + "consul.services"
        case .most where datacenter.wasAllTried:
            "; nothing is sent to proxies before at least half of the services can be read"
        case .most, nil: "; the start waits for that for \(Self.patience.components.seconds) s"
        }
    }
}

extension ConsulDatacenter {
    /// Why services were not read, as far as that is known.
    private var unreadFailures: some Sequence<ConsulFailure> {
        self.problems.lazy.compactMap { subject, failure in
            guard case .service(let name) = subject, self.services.unread.contains(name) else { return nil }
            return failure
        }
    }

    fileprivate var isAnyFailureKnown: Bool { self.unreadFailures.contains { _ in true } }

    /// Whether of each service that was not read it is known why. Those that are listed no more are asked about elsewhere.
    fileprivate var wasAllTried: Bool {
        self.services.unread.allSatisfy { self.problems[.service($0)] != nil || self.missing.contains($0) }
    }

    fileprivate var isFilterRefused: Bool { self.unreadFailures.contains { $0.fault == .filter } }

    fileprivate var obstacle: ConsulGate.Obstacle? {
        if self.unreadFailures.contains(where: { !$0.isOfSubject }) { return .agent }
        let unread = self.services.unread.count
        return unread > self.services.byName.count - unread ? .most : nil
    }
}
