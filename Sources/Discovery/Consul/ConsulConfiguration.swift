// SPDX-License-Identifier: Apache-2.0

/// What to take of a Consul catalog, and how to read it.
package struct ConsulConfiguration: Hashable, Sendable {
    /// Which states of its checks let an instance have requests.
    package enum RoutedHealth: String, Hashable, Sendable, CaseIterable {
        case passing
        /// Passing and warning.
        case warning
        /// Whatever its checks say; but not in maintenance.
        case any
    }

    /// Which address of an instance to use. Whatever is not there falls back to the service's own, then to the node's.
    package enum AddressChoice: Hashable, Sendable {
        case service
        /// One of the service's or the node's tagged addresses: `lan`, `wan`, or another name.
        case tagged(String)
    }

    /// The service's own token is had by a login with a workload's identity.
    /// See https://developer.hashicorp.com/consul/api-docs/acl#login-to-auth-method
    package struct Login: Hashable, Sendable {
        package var method: String
        /// A file with a JSON Web Token; read again when the login must be repeated.
        package var jwtFile: String

        package init(method: String, jwtFile: String) {
            self.method = method
            self.jwtFile = jwtFile
        }
    }

    /// More than these do not fit into the connections that there are.
    package static let maximumDatacenters = 5
    /// Connections to the agent, at most: half of the 100 that some limit a client to.
    package static let maximumConnections = 48
    /// What all answers that are being received may take together, in bytes; beyond that, one goes on alone. 10,000
    /// instances of a service are 15 MB.
    package static let maximumBytesUnderWay = 16 * 1024 * 1024
    /// What all have at most, and so the largest answer. What has no end must not take more than 50 MB.
    package static let maximumBytesOfLarge = 32 * 1024 * 1024

    /// The preferred one first; empty: the agent's own only.
    package var datacenters: [String]
    /// Names of services to take, each exact or with a `*` at its end.
    package var services: [String]
    /// What our tags begin with.
    package var tagPrefix: String
    /// Whether a service is taken that says nothing; else those of which an instance is tagged `signalbox.enable=true`.
    package var isExposedByDefault: Bool
    /// Sent along with each read of a service's instances.
    /// See https://developer.hashicorp.com/consul/api-docs/features/filtering
    package var filter: String?
    package var routedHealth: RoutedHealth
    /// Whether an instance without a check of its own counts as critical: Nomad registers the check after the service.
    package var requiresCheck: Bool
    package var address: AddressChoice
    /// Enterprise only.
    package var namespace: String?
    /// Enterprise only.
    package var partition: String?
    package var followsConfigEntries: Bool
    /// Documents are taken from the keys below it; nil: from none.
    package var keyPrefix: String?
    package var login: Login?

    package init(
        datacenters: [String] = [],
        services: [String] = ["*"],
        tagPrefix: String = "signalbox.",
        isExposedByDefault: Bool = true,
        filter: String? = nil,
        routedHealth: RoutedHealth = .warning,
        requiresCheck: Bool = false,
        address: AddressChoice = .service,
        namespace: String? = nil,
        partition: String? = nil,
        followsConfigEntries: Bool = true,
        keyPrefix: String? = nil,
        login: Login? = nil
    ) {
        self.datacenters = datacenters
        self.services = services
        self.tagPrefix = tagPrefix
        self.isExposedByDefault = isExposedByDefault
        self.filter = filter
        self.routedHealth = routedHealth
        self.requiresCheck = requiresCheck
        self.address = address
        self.namespace = namespace
        self.partition = partition
        self.followsConfigEntries = followsConfigEntries
        self.keyPrefix = keyPrefix
        self.login = login
    }
}
