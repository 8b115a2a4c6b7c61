// SPDX-License-Identifier: Apache-2.0

/// What a request must look like. Every part that is given must hold.
package struct Match: Hashable, Sendable {
    package var path: PathMatch
    package var method: String?
    /// Names in lower case.
    package var headers: [ValueMatch]
    package var queryParameters: [ValueMatch]

    package init(
        path: PathMatch = .prefix("/"),
        method: String? = nil,
        headers: [ValueMatch] = [],
        queryParameters: [ValueMatch] = []
    ) {
        self.path = path
        self.method = method
        self.headers = headers
        self.queryParameters = queryParameters
    }

    package enum PathMatch: Hashable, Sendable {
        /// By whole path elements: "/a" matches "/a" and "/a/b" and not "/ab". No trailing slash, but for "/" itself.
        case prefix(String)
        /// By characters: "/a" matches "/ab", too. Consul's routers mean it so.
        case textPrefix(String)
        case exact(String)
        /// An RE2 expression that must match the whole path.
        case regularExpression(String)
    }

    /// A header or a query parameter and what it must be.
    package struct ValueMatch: Hashable, Sendable {
        package enum Value: Hashable, Sendable {
            case exact(String)
            case prefix(String)
            case suffix(String)
            case contains(String)
            /// An RE2 expression that must match the whole value.
            case regularExpression(String)
            /// Any value, or none: it is there.
            case present
        }

        package var name: String
        package var value: Value
        /// It must be anything else: not there for `present`, and there with another value for the others. Of headers only.
        package var isInverted: Bool

        package init(name: String, value: Value, isInverted: Bool = false) {
            self.name = name
            self.value = value
            self.isInverted = isInverted
        }
    }
}
