// SPDX-License-Identifier: Apache-2.0

/// Something to ask an agent. All is asked with `?consistent`: a server that has just started tells nothing before it
/// knows everything, and one that was the leader tells nothing at all.
struct ConsulQuery: Hashable, Sendable {
    enum Subject: Hashable, Sendable {
        /// Which nodes have the service `consul`: somebody who sees none of them sees nothing.
        case servers
        /// Whether a server's node and its service `consul` are seen, and the index of the catalog's tables.
        case server(node: String)
        /// All names of services, and their tags.
        case services
        /// All nodes, and the index at which each changed.
        case nodes
        /// The checks that are in a state other than passing.
        case checks(CheckState)
        /// The services of the checks that pass, and the index at which one of them last changed.
        case passing
        /// The instances of a service with their checks.
        case service(String)
        /// Only the index at which a service changed.
        case probe(String)
        /// The config entries of a kind.
        case entries(kind: String)
        /// The keys below a prefix with their values.
        case keys(prefix: String)
        /// What the agent is.
        case agent
    }

    enum CheckState: String, Hashable, Sendable, CaseIterable {
        case critical
        case warning
    }

    var subject: Subject
    /// Nil: the agent's own.
    var datacenter: String?
    /// Wait until the state is a later one; nil: answer at once.
    var index: UInt64?
    /// How long, at most.
    var wait = Self.wait
    var scope = ConsulScope()

    init(_ subject: Subject, datacenter: String? = nil, index: UInt64? = nil) {
        self.subject = subject
        self.datacenter = datacenter
        self.index = index
    }
}

/// A part of an Enterprise server; nil: the default, as everywhere else.
struct ConsulScope: Hashable, Sendable {
    var namespace: String?
    var partition: String?

    /// Whether it is where the servers are registered.
    var isDefault: Bool {
        (self.namespace ?? "default") == "default" && (self.partition ?? "default") == "default"
    }
}

/// Tells one request from all others of a follower.
struct ConsulRequestID: Hashable, Sendable {
    let rawValue: UInt64
}
