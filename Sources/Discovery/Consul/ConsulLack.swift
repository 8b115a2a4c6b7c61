// SPDX-License-Identifier: Apache-2.0

import Catalog

/// A part of Consul besides its catalog that cannot be had: the config entries of a kind, or documents.
struct ConsulLack {
    enum Standing {
        /// What was read before is in force.
        case read
        /// It was not read since the start, and what was stored stands in.
        case stored
        /// It was not read since the start, which waits for it.
        case awaited
    }

    let subject: ConsulQuery.Subject
    let failure: ConsulFailure
    let standing: Standing
    /// Whether an operator can say that it is gone.
    var isRefused = false
    /// If the token may read the rest: the first of the names of what it may not, and how many there are.
    var hidden: (first: [String], count: Int)?

    /// - Parameter stored: what stands in for what was not read since the start.
    static func all(of policy: ConsulPolicy, stored: Set<CatalogGuard.Part>) -> [ConsulLack] {
        policy.problems.filter { $0.failure.isAnswer }.map { problem in
            let part =
                if case .keys = problem.subject { CatalogGuard.Part.documents } else { CatalogGuard.Part.configEntries }
            let standing: Standing = problem.isHeard ? .read : stored.contains(part) ? .stored : .awaited
            return ConsulLack(
                subject: problem.subject,
                failure: problem.failure,
                standing: standing,
                isRefused: problem.isRefused,
                hidden: problem.hidden
            )
        }
    }

    var message: String {
        let fate =
            switch self.standing {
            case .read: "cannot be read, and what was read before stays in force"
            case .stored: "have not been read since the start, and what was stored of them stands in"
            case .awaited: "cannot be read, and the start waits for them"
            }
        return "\(self.what) \(fate): \(self.failure.message)"
    }

    var cure: String { self.grant + (self.isRefused ? "; \(ConsulHealth.acceptance)" : "") }

    private var grant: String {
        switch (self.subject, self.failure.reason) {
        case (.keys(let prefix), .acl):
            "grant the token key:read and key:list on the prefix \(prefix), or correct consul.kv.prefix"
        case (.keys(let prefix), _): "see what \"consul kv get -recurse \(prefix)\" shows (consul.kv.prefix)"
        case (_, .acl): "grant the token service:read on all services, or set consul.config.entries to false"
        default: "see that the agent can be asked (consul.config.entries)"
        }
    }

    var diagnostic: Diagnostic {
        let (subject, file) =
            switch self.subject {
            case .keys(let prefix): ("key/\(prefix)", ConsulKey.file(prefix))
            case .entries(let kind): ("config-entry/\(kind)", "consul:config/\(kind)")
            default: ("source/consul", "consul")
            }
        return Diagnostic(
            self.standing == .awaited ? .error : .warning,
            code: "SB353",
            subject: subject,
            message: self.message,
            cure: self.cure,
            origin: Origin(file: file)
        )
    }

    private var what: String {
        switch self.subject {
        case .keys(let prefix):
            if let hidden = self.hidden {
                "the documents at \(hidden.first.named("key", of: hidden.count))"
            } else {
                "the documents below the key \(prefix)"
            }
        case .entries(let kind):
            "the config entries of kind \(kind)"
                + (self.hidden.map { " with \($0.first.named("name", of: $0.count))" } ?? "")
        default: "a part of Consul"
        }
    }
}

extension [ConsulLack] {
    /// While something was not read since the start. Such a source is heard, and the clocks of its services run.
    var status: SourceStatus? {
        let unread = self.filter { $0.standing != .read }
        guard let first = unread.first(where: { $0.standing == .awaited }) ?? unread.first else { return nil }
        let more = unread.count > 1 ? " (and \(unread.count - 1) more parts: see SB353)" : ""
        return SourceStatus(
            source: .consul,
            state: .suspect,
            problem: "\(first.message)\(more); \(first.cure)",
            reason: "partial",
            fault: first.failure.fault,
            isPartial: true
        )
    }
}
