// SPDX-License-Identifier: Apache-2.0

/// Why there is no answer, or none that can be used.
package struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// No connection, or one that ended before the answer did. The server may have acted on the request.
        case unreachable
        /// The deadline passed.
        case timedOut
        /// The answer, or a line of it, is larger than the caller takes.
        case tooLarge
        /// Certificates: ours cannot be read, theirs is not trusted, or no TLS is spoken there.
        case tls
        /// The token cannot be read.
        case token
        /// It is not HTTP, or not the JSON that was asked for.
        case malformed
        /// An answer with a status that the caller has no use for.
        case status
        /// The task was cancelled, or the client shut down.
        case cancelled
        /// The request cannot be sent as it is.
        case invalid
    }

    /// What an agent means by the text of an error: it has no codes for these.
    package enum Meaning: Hashable, Sendable {
        /// It does not know the token.
        case unknownToken
        case expiredToken
        /// Its servers have no leader at the moment.
        case noLeader
        /// It knows no servers of this datacenter, or region.
        case noPath
        /// It cannot read the filter that it was given.
        case badFilter
        /// It has no auth method of the name that is to log in.
        case unknownAuthMethod

        package init?(status: Int, text: String) {
            switch status {
            // Newer ones say so, with its name; of older ones see `ConsulLoginSession`.
            case _ where text.contains("auth method ") && text.contains(" not found"): self = .unknownAuthMethod
            case 401, 403:
                if text.contains("ACL not found") || text.contains("ACL token not found") {
                    self = .unknownToken
                } else if text.contains("ACL token expired") {
                    self = .expiredToken
                } else {
                    return nil
                }
            case _ where text.contains("No cluster leader"): self = .noLeader
            case _ where text.contains("No path to datacenter") || text.contains("No path to region"): self = .noPath
            case _ where text.contains("Failed to create boolean expression"): self = .badFilter
            default: return nil
            }
        }
    }

    package var kind: Kind
    /// What happened, to whom and, where it is known, the cure: one line for the operator, without secrets.
    package var message: String
    /// Of the answer, for `status`.
    package var status: Int?
    /// Of the answer; nil: nothing that anybody decides by.
    package var meaning: Meaning?

    package init(_ kind: Kind, _ message: String, status: Int? = nil, meaning: Meaning? = nil) {
        self.kind = kind
        self.message = message
        self.status = status
        self.meaning = meaning
    }

    package var description: String { self.message }

    /// One line without control characters, at most 200 characters long.
    static func printable(_ text: String) -> String {
        var result = ""
        var isAfterSpace = true
        for scalar in text.unicodeScalars.prefix(200) {
            if scalar.properties.isWhitespace || scalar.properties.generalCategory == .control {
                if !isAfterSpace { result.append(" ") }
                isAfterSpace = true
            } else if scalar.properties.generalCategory != .format {
                result.unicodeScalars.append(scalar)
                isAfterSpace = false
            }
        }
        if isAfterSpace, !result.isEmpty { result.removeLast() }
        return result
    }
}

extension APIError {
    /// For an answer whose status is not what was hoped for.
    package static func unexpected(_ response: APIResponse, from configuration: APIConfiguration) -> APIError {
        .unexpected(response, product: configuration.product, address: configuration.address)
    }

    package static func unexpected(
        _ response: APIResponse,
        product: APIConfiguration.Product,
        address: APIAddress
    ) -> APIError {
        let text = response.explanation
        let said = text.isEmpty ? "without a word" : "with \"\(text)\""
        return APIError(
            .status,
            "\(product.name) at \(address) answers \(response.status) \(said)",
            status: response.status,
            meaning: Meaning(status: response.status, text: text)
        )
    }
}
