// SPDX-License-Identifier: Apache-2.0

/// Where an agent's HTTP API is reached.
package enum APIAddress: Hashable, Sendable, CustomStringConvertible {
    case http(host: String, port: Int)
    case https(host: String, port: Int)
    case unix(path: String)

    package var isTLS: Bool {
        switch self {
        case .https: true
        case .http, .unix: false
        }
    }

    /// Reads "scheme://host[:port]", "unix://path", or "host[:port]" without a scheme, as HashiCorp's own clients do: a
    /// missing port is the scheme's, 80 or 443.
    ///
    /// - Parameter isSecure: what no scheme means; "http://" with it is https all the same, as with `CONSUL_HTTP_SSL`.
    /// - Throws: a text for the operator that goes on from "NAME: ".
    package init(_ text: String, isSecure: Bool = false) throws(InvalidText) {
        guard !text.contains("@") else {
            // Not quoted: what precedes the "@" may be a password.
            throw InvalidText("there is a user in the address; name the user and password apart from it")
        }
        var rest = text[...]
        var scheme = "http"
        if let end = text.firstRange(of: "://") {
            scheme = text[..<end.lowerBound].lowercased()
            rest = text[end.upperBound...]
        }
        switch scheme {
        case "unix":
            guard rest.hasPrefix("/") else {
                throw InvalidText("\"\(text)\" names no socket; write unix:///path/to/the/socket")
            }
            guard !isSecure else {
                throw InvalidText(
                    "\"\(text)\" is a socket of this machine, which is spoken to without TLS; turn TLS off"
                )
            }
            self = .unix(path: String(rest))
        case "http", "https":
            let isSecure = isSecure || scheme == "https"
            while rest.hasSuffix("/") { rest.removeLast() }
            let (host, port) = try Self.hostAndPort(rest, of: text)
            self =
                isSecure ? .https(host: host, port: port ?? 443) : .http(host: host, port: port ?? 80)
        default:
            throw InvalidText("\"\(text)\" has the scheme \"\(scheme)\"; use http, https or unix")
        }
    }

    package var description: String {
        switch self {
        case .http(let host, let port): "http://\(Self.bracketed(host)):\(port)"
        case .https(let host, let port): "https://\(Self.bracketed(host)):\(port)"
        case .unix(let path): "unix://\(path)"
        }
    }

    /// Why a text is no address, and the cure.
    package struct InvalidText: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    static func bracketed(_ host: String) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }

    private static func hostAndPort(_ rest: Substring, of text: String) throws(InvalidText) -> (String, Int?) {
        var host = rest
        var port: Substring?
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else {
                throw InvalidText("\"\(text)\" has a \"[\" without a \"]\"; write [::1]:8500")
            }
            host = rest[rest.index(after: rest.startIndex)..<end]
            let after = rest[rest.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw InvalidText("\"\(text)\" goes on after \"]\"; write [::1]:8500")
            }
            port = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = rest.lastIndex(of: ":") {
            host = rest[..<colon]
            port = rest[rest.index(after: colon)...]
        }
        guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isOfHost) else {
            throw InvalidText("\"\(text)\" is no address; write http://host:port, without a path")
        }
        guard rest.hasPrefix("[") || !host.contains(":") else {
            throw InvalidText("\"\(text)\" is ambiguous; write an IPv6 address in brackets, as in [::1]:8500")
        }
        guard let port else { return (String(host), nil) }
        guard let number = UInt16(port), number > 0 else {
            throw InvalidText("\"\(text)\" has no port from 1 to 65535")
        }
        return (String(host), Int(number))
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
