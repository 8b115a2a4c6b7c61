// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Says how the follower is, in the operator's words.
enum ConsulHealth {
    /// Failures in a row of one question before it counts: one may be a server that restarts.
    static let failures = 2

    /// What to do if the token lost a right on purpose.
    static let acceptance = "or let go of that with signalbox catalog accept --source consul"

    /// - Parameters:
    ///   - gate: that keeps the first update back; nil: it was told.
    ///   - lacks: what cannot be had besides the catalog.
    static func status(of datacenters: [ConsulDatacenter], gate: ConsulGate?, lacks: [ConsulLack]) -> SourceStatus {
        let statuses = datacenters.map(Self.status)
        guard let first = statuses.first else { return SourceStatus(source: .consul, state: .starting) }
        if first.state != .up {
            var waiting = first
            if first.state == .suspect, let gate { waiting.problem? += gate.words(datacenters[0]) }
            return waiting
        }
        // The services count all the same.
        if let lack = lacks.status { return lack }
        // Other datacenters are reserves: without them, it is up, and people should know.
        let troubled = zip(datacenters, statuses).first { $0.1.state == .down || $0.1.state == .suspect }
        guard let (datacenter, status) = troubled else {
            return gate == nil ? first : SourceStatus(source: .consul, state: .starting)
        }
        let seconds = ConsulGate.patience.components.seconds
        let time = status.fault == .filter ? "" : " for \(seconds) s"
        let wait = gate == nil ? "" : " has not been heard, and a start waits for it\(time)"
        return SourceStatus(
            source: .consul,
            state: gate == nil ? .up : .starting,
            problem: "datacenter \(datacenter.name ?? "")\(wait): \(status.problem ?? "")",
            reason: status.reason,
            fault: status.fault
        )
    }

    static func status(of datacenter: ConsulDatacenter) -> SourceStatus {
        func status(
            _ state: SourceStatus.State,
            _ reason: String,
            _ problem: String,
            _ fault: SourceStatus.Fault?
        ) -> SourceStatus {
            SourceStatus(source: .consul, state: state, problem: problem, reason: reason, fault: fault)
        }
        switch datacenter.link.state {
        case .unknown: return SourceStatus(source: .consul, state: .starting)
        case .down(let failure):
            let cure = Self.cure(of: failure, in: datacenter)
            return status(.down, failure.reason.rawValue, failure.message + cure, failure.fault)
        case .blind:
            return status(
                .suspect,
                "acl",
                "the token sees no service \"consul\", so its answers are not believed and nothing is removed; "
                    + "grant it service:read on all services and node:read on all nodes",
                .rights
            )
        case .up: break
        }
        let standing: [(ConsulQuery.Subject, ConsulWatch)] = [
            (.services, datacenter.names), (.nodes, datacenter.nodes), (.checks(.critical), datacenter.critical),
            (.checks(.warning), datacenter.warning),
        ]
        let failing = standing.filter { $0.1.failures >= Self.failures && datacenter.problems[$0.0] != nil }.map(\.0)
        if let first = failing.first, let failure = datacenter.problems[first] {
            var down = status(.down, failure.reason.rawValue, failure.message, failure.fault)
            // What comes back is seen by the names and the critical checks. Without the others it is seen a little later.
            down.isPartial =
                !failing.contains(.services) && !failing.contains(.checks(.critical))
                && datacenter.troubles.status?.isPartial != false
            return down
        }
        return datacenter.troubles.status ?? SourceStatus(source: .consul, state: .up)
    }

    private static func cure(of failure: ConsulFailure, in datacenter: ConsulDatacenter) -> String {
        if failure.error?.meaning == .noLeader {
            return "; that it has one again is waited for: see its servers (consul operator raft list-peers)"
        }
        // So it says of one that it has never heard of, and of one that has left.
        guard let name = datacenter.name, failure.error?.meaning == .noPath else { return "" }
        return "; there is no datacenter \(name), or it has not joined: correct consul.datacenters to names that "
            + "\"consul catalog datacenters\" lists"
    }

    static func unaskable(_ datacenter: ConsulDatacenter) -> Diagnostic? {
        guard let (first, count) = datacenter.unaskable else { return nil }
        let more = count > 1 ? " (and \(count - 1) more services)" : ""
        return Diagnostic(
            .error,
            code: "SB312",
            subject: "service/\(first.printable)",
            message: "Consul lists a service by a name that is too long or that nobody can ask it for, "
                + "\(first.excerpt); it is left out\(more)",
            cure: "register it under a name of letters, digits and dashes",
            origin: Origin(file: datacenter.name.map { "consul:\($0)" } ?? "consul")
        )
    }

    /// Config entries that are there and cannot be read.
    static func unreadable(_ policy: ConsulPolicy) -> [Diagnostic] {
        policy.unreadable.map { kind, entries in
            let first = entries.reasons.first ?? "an entry"
            let more = entries.count > 1 ? " (and \(entries.count - 1) more)" : ""
            return Diagnostic(
                .warning,
                code: "SB353",
                message: "a config entry of kind \(kind) cannot be read, and what it was before stays in force: "
                    + first + more,
                cure: "see what \"consul config list -kind \(kind)\" shows, and write the entry again",
                origin: Origin(file: "consul:config/\(kind)")
            )
        }
    }

    static func noNamespaces(_ agent: ConsulAgent?) -> Diagnostic {
        let reason =
            agent.map { "Consul \($0.version) has no namespaces and partitions" }
            ?? "whether this Consul has namespaces and partitions cannot be read"
        return Diagnostic(
            .warning,
            code: "SB354",
            message: "\(reason); the settings for them are ignored",
            cure: agent == nil ? "grant the token agent:read" : "remove the settings",
            origin: Origin(file: "consul")
        )
    }
}
