// SPDX-License-Identifier: Apache-2.0

/// A change to a request's path or host before it is sent on.
package struct Rewrite: Hashable, Sendable {
    /// Puts this host in place of the request's.
    package var hostname: String?
    package var path: PathRewrite?

    package init(hostname: String? = nil, path: PathRewrite? = nil) {
        self.hostname = hostname
        self.path = path
    }
}

package enum PathRewrite: Hashable, Sendable {
    case replaceFullPath(String)
    /// In place of the prefix that matched. Only for rules that match by prefix.
    case replacePrefixMatch(String)
    /// In place of the prefix that matched, and with nothing between it and the rest. Not empty. Consul's routers mean it so.
    case replacePrefixText(String)

    /// How many elements a prefix may have that "/" replaces: a proxy removes them by a regular expression, and the size
    /// of those is limited.
    package static let maximumRemovedElements = 20
}

/// An answer that sends the client elsewhere. What is nil stays as in the request.
package struct Redirect: Hashable, Sendable {
    package static let statusCodes: Set<Int> = [301, 302, 303, 307, 308]

    package var scheme: String?
    package var hostname: String?
    /// Nil: the port that the scheme implies if there is a `scheme`, as in the Gateway API.
    package var port: UInt16?
    package var path: PathRewrite?
    /// One of `statusCodes`, default 302.
    package var statusCode: Int

    package init(
        scheme: String? = nil,
        hostname: String? = nil,
        port: UInt16? = nil,
        path: PathRewrite? = nil,
        statusCode: Int = 302
    ) {
        self.scheme = scheme
        self.hostname = hostname
        self.port = port
        self.path = path
        self.statusCode = statusCode
    }
}

/// Edits to the headers of a request or a response.
package struct HeaderModifier: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Overwrites.
    package var set: [Header]
    /// Appends to what is there.
    package var add: [Header]
    package var remove: [String]

    package init(set: [Header] = [], add: [Header] = [], remove: [String] = []) {
        self.set = set
        self.add = add
        self.remove = remove
    }

    package var isEmpty: Bool { self.set.isEmpty && self.add.isEmpty && self.remove.isEmpty }
}

/// When to try again, and how often.
package struct Retry: Hashable, Sendable {
    /// Conditions under which Envoy may retry, in its own words.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/router_filter#x-envoy-retry-on
    package static let conditions: Set<String> = [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited",
        "retriable-4xx", "refused-stream", "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal",
        "resource-exhausted", "unavailable",
    ]
    package static let attemptsRange = 0...20

    /// How many times beyond the first, 0...20.
    package var attempts: Int
    /// Response codes to retry on, 400...599.
    package var codes: [Int]
    /// Default: connect-failure, refused-stream, reset-before-request.
    package var retryOn: [String]
    /// For each try. Nil: the route's timeout.
    package var perTryTimeout: Duration?
    /// The base of the exponential back-off with jitter. Nil: Envoy's default of 25 ms.
    package var backoff: Duration?

    package init(
        attempts: Int,
        codes: [Int] = [],
        retryOn: [String] = ["connect-failure", "refused-stream", "reset-before-request"],
        perTryTimeout: Duration? = nil,
        backoff: Duration? = nil
    ) {
        self.attempts = attempts
        self.codes = codes
        self.retryOn = retryOn
        self.perTryTimeout = perTryTimeout
        self.backoff = backoff
    }
}

/// What of a request decides which instance it goes to, where the load balancer goes by a hash (`ring_hash`, `maglev`).
package struct HashPolicy: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// In lower case.
        case header(String)
        /// A cookie that is not there is made if there is a `lifetime`; one of zero is a session's.
        case cookie(String, path: String, lifetime: Duration?)
        case queryParameter(String)
        case sourceAddress
    }

    package var source: Source
    /// The next ones are for requests that do not have this.
    package var isTerminal: Bool

    package init(_ source: Source, isTerminal: Bool = false) {
        self.source = source
        self.isTerminal = isTerminal
    }
}
