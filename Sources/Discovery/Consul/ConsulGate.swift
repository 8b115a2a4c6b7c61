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
        let areOthersTried = datacenters.dropFirst().allSatisfy {
            !$0.isBased || !$0.link.isUp || $0.troubles.wasAllTried
        }
        // The last look may not have seen all that is listed now; the next one is soon.
        guard first.troubles.due == nil, first.troubles.wasAllTried else { return false }
        return areOthersTried && Self.obstacle(datacenters) == nil
    }

    /// The others are reserves: their agents' failures stop nothing.
    private static func obstacle(_ datacenters: [ConsulDatacenter]) -> Obstacle? {
        if datacenters.contains(where: \.troubles.isFilterRefused) { return .agent }
        return datacenters.first?.troubles.obstacle
    }

    /// Of the status of the preferred datacenter: what the start waits for, with the cure.
    func words(_ datacenter: ConsulDatacenter) -> String {
        let troubles = datacenter.troubles
        guard !self.isStored, datacenter.link.isUp, datacenter.isBased, troubles.isAnyFailureKnown else { return "" }
        return switch troubles.obstacle {
        case .agent where troubles.isFilterRefused: "; nothing is sent to proxies before Consul takes the filter"
        case .agent:
            "; nothing is sent to proxies before the agent answers this: see its log and limits, or leave services out by "
                + "consul.services"
        case .most where troubles.wasAllTried:
            "; nothing is sent to proxies before at least half of the services can be read"
        case .most, nil: "; the start waits for that for \(Self.patience.components.seconds) s"
        }
    }
}
