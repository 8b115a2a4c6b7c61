// SPDX-License-Identifier: Apache-2.0

import Catalog

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
        /// Only the indexes at which services changed.
        case probes([String])
        /// A connection for a group of questions that wait, and how many it takes.
        case capacity(group: Int)
        /// The indexes of services that go beyond those that are known, as soon as one does.
        case indexes([String: UInt64], group: Int)
        /// The config entries of a kind.
        case entries(kind: String)
        /// The keys below a prefix with their values.
        case keys(prefix: String)
        /// Whether there is a key. Lists leave out what may not be read; this is then refused.
        case key(String)
        /// The same of a config entry. Whoever may read the service may read those of its name.
        case entry(ConfigEntry.Key)
        /// Whether a service has any instance.
        case instances(String)
        /// Whether there is a node that may not be read.
        case unreadable(node: String)
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
    /// How long to wait for it.
    var wait: Duration
    var scope = ConsulScope()

    init(
        _ subject: Subject,
        datacenter: String? = nil,
        index: UInt64? = nil,
        wait: Duration = ConsulQuery.longWait
    ) {
        self.subject = subject
        self.datacenter = datacenter
        self.index = index
        self.wait = wait
    }

    /// Of the questions that are always open. It bounds what nothing else notices, such as a token that was given more
    /// rights.
    static let longWait = Duration.seconds(60)
    static let middleWait = Duration.seconds(30)
    /// While indexes are in doubt.
    static let cautiousWait = Duration.seconds(2)
    /// Of questions whose place others want.
    static let shortWait = Duration.seconds(10)

    /// Whether it asks if the catalog can be seen at all.
    var isOfLink: Bool {
        switch self.subject {
        case .servers, .server: true
        case .services, .nodes, .checks, .passing, .service, .probes, .capacity, .indexes, .entries, .keys, .key,
            .entry, .instances, .unreadable, .agent:
            false
        }
    }

    /// The longest that a server waits: it adds up to a sixteenth.
    /// See https://developer.hashicorp.com/consul/api-docs/features/blocking
    var longest: Duration {
        if case .indexes = self.subject { return self.wait + self.wait / 16 }
        return self.index == nil ? .zero : self.wait + self.wait / 16
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
