// SPDX-License-Identifier: Apache-2.0

/// What to follow of a Nomad cluster, and how.
package struct NomadConfiguration: Hashable, Sendable {
    /// Whose instances get no request before a check of theirs succeeds. Nomad's own services have no health of their own,
    /// and the checks of each allocation must be asked of the client that runs it.
    /// See https://developer.hashicorp.com/nomad/docs/job-specification/check
    package enum RequiredChecks: Hashable, Sendable {
        case none
        /// Of services by these names, in any namespace.
        case named(Set<String>)
        case all

        func contains(_ service: String) -> Bool {
            switch self {
            case .none: false
            case .named(let names): names.contains(service)
            case .all: true
            }
        }
    }

    /// Requests under way at a time, streams included: a fifth of what Nomad lets one client have
    /// (`limits.http_max_conns_per_client`). Give it to the `APIConfiguration`.
    package static let maximumConnections = 20
    /// Each is followed on up to five connections: more of them by name do not fit.
    package static let maximumNamespaces = 3
    package static let allNamespaces = "*"

    /// Nil: the agent's own.
    package var region: String?
    /// "*" for all that the token may see, or up to `maximumNamespaces` by name. A service has its plain name in the
    /// first of them ("default", of all), and `<name>.<namespace>` elsewhere.
    package var namespaces: [String]
    /// The longest that a question waits for a change; Nomad allows 300 s.
    package var wait: Duration
    /// How often an event stream says that it lives; after twice as long in silence it is taken for dead.
    package var heartbeat: Duration
    package var requiredChecks: RequiredChecks
    /// How often the checks of an allocation are asked for.
    package var checkInterval: Duration

    package init(
        region: String? = nil,
        namespaces: [String] = [NomadConfiguration.allNamespaces],
        wait: Duration = .seconds(300),
        heartbeat: Duration = .seconds(30),
        requiredChecks: RequiredChecks = .none,
        checkInterval: Duration = .seconds(5)
    ) {
        self.region = region
        let isAll = namespaces.isEmpty || namespaces.contains(Self.allNamespaces)
        self.namespaces = isAll ? [Self.allNamespaces] : Array(namespaces.prefix(Self.maximumNamespaces))
        self.wait = min(max(wait, .seconds(1)), .seconds(300))
        self.heartbeat = max(heartbeat, .milliseconds(50))
        self.requiredChecks = requiredChecks
        self.checkInterval = max(checkInterval, .milliseconds(100))
    }

    /// Where services have their plain names.
    var firstNamespace: String {
        self.namespaces[0] == Self.allNamespaces ? "default" : self.namespaces[0]
    }
}
