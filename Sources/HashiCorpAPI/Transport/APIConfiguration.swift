// SPDX-License-Identifier: Apache-2.0

/// How to reach an agent, and as whom.
package struct APIConfiguration: Hashable, Sendable {
    /// Whose API it is: they name their headers differently.
    package enum Product: String, Hashable, Sendable {
        case consul
        case nomad

        /// As people write it.
        package var name: String {
            switch self {
            case .consul: "Consul"
            case .nomad: "Nomad"
            }
        }
    }

    package var product: Product
    package var address: APIAddress
    /// What a proxy in front of the agent wants before every path, such as "/consul"; empty for none.
    package var pathPrefix: String
    package var tls: TLSOptions
    /// For a proxy in front of the agent.
    package var basicAuth: BasicAuth?
    /// How many requests may be under way at a time, each on a connection of its own; more wait for their turn. Consul
    /// resets connections beyond 200 from one address (`limits.http_max_conns_per_client`), Nomad beyond 100.
    package var maximumConnections: Int
    /// How many bytes of bodies may be gathered at a time, of all requests together. When that is used up, one goes on
    /// and the others wait.
    package var maximumBytesUnderWay: Int
    /// What all have together when the one that goes on is given up; less than the other counts as the same.
    package var maximumBytesOfLarge: Int
    package var token: TokenSource
    /// The setting or variable that the token comes from, or what gets one at run time: for people. Nil: there is none.
    package var tokenOrigin: String?
    /// How long a connection may take to be made, TLS included.
    package var connectTimeout: Duration

    package init(
        product: Product,
        address: APIAddress,
        pathPrefix: String = "",
        tls: TLSOptions = TLSOptions(),
        basicAuth: BasicAuth? = nil,
        maximumConnections: Int = 64,
        maximumBytesUnderWay: Int = 256 * 1024 * 1024,
        maximumBytesOfLarge: Int = 0,
        token: TokenSource = .none,
        tokenOrigin: String? = nil,
        connectTimeout: Duration = .seconds(5)
    ) {
        self.product = product
        self.address = address
        self.pathPrefix = pathPrefix
        self.tls = tls
        self.basicAuth = basicAuth
        self.maximumConnections = max(1, maximumConnections)
        self.maximumBytesUnderWay = maximumBytesUnderWay
        self.maximumBytesOfLarge = maximumBytesOfLarge
        self.token = token
        self.tokenOrigin = tokenOrigin
        self.connectTimeout = connectTimeout
    }
}

extension APIConfiguration {
    /// Where the token of the settings is, for messages; nil if they have none.
    package var tokenName: String? {
        switch self.token {
        case .none: nil
        case .value: self.tokenOrigin ?? "the settings"
        case .file(let path): self.tokenOrigin.map { "\(path) (\($0))" } ?? path
        }
    }
}

/// Whom to trust, and who to be. Files are PEM, and read again when they change.
package struct TLSOptions: Hashable, Sendable {
    /// Certificates of the authorities to trust; wins over `caDirectory`. Neither: the system's.
    package var caFile: String?
    /// A directory of such files.
    package var caDirectory: String?
    /// The client's certificate, with the intermediate ones after it.
    package var certificateFile: String?
    package var keyFile: String?
    /// What the server's certificate must be made out to, and the SNI sent; nil: the host of the address. A certificate
    /// for the IP address that the connection goes to will do, too.
    package var serverName: String?
    /// False: anybody may be the server. For tests.
    package var verify: Bool

    package init(
        caFile: String? = nil,
        caDirectory: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        serverName: String? = nil,
        verify: Bool = true
    ) {
        self.caFile = caFile
        self.caDirectory = caDirectory
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
        self.verify = verify
    }

    /// Whether there is anything to read.
    package var hasFiles: Bool {
        [self.caFile, self.caDirectory, self.certificateFile, self.keyFile].contains { $0 != nil }
    }
}

/// HTTP basic authentication, RFC 7617.
package struct BasicAuth: Hashable, Sendable {
    package var user: String
    package var password: Secret

    package init(user: String, password: String) {
        self.user = user
        self.password = Secret(password)
    }

    /// "user:password", or "user" alone.
    package init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(user: String(parts[0]), password: parts.count == 2 ? String(parts[1]) : "")
    }
}

/// Where the ACL token comes from.
package enum TokenSource: Hashable, Sendable {
    case none
    case value(Secret)
    /// Read again when it changes: agents and workload identities rotate theirs. White space around it is dropped.
    case file(path: String)

    package static func value(_ text: String) -> TokenSource { .value(Secret(text)) }
}
