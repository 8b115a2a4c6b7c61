// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Where a server listens or is reached: "host:port", with IPv6 in brackets, or "unix:PATH".
package enum NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    case ipv4(host: String, port: Int)
    case ipv6(host: String, port: Int)
    /// A host name: good to connect to, not to listen on.
    case name(host: String, port: Int)
    case unix(path: String)

    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        let host = String(text[..<colon])
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let address = isBracketed ? String(host.dropFirst().dropLast()) : host
        switch try? SocketAddress(ipAddress: address, port: port) {
        case .v4 where !isBracketed: self = .ipv4(host: address, port: port)
        case .v6 where isBracketed: self = .ipv6(host: address, port: port)
        case nil where host == "localhost": self = .ipv4(host: "127.0.0.1", port: port)
        case nil where Self.isName(host): self = .name(host: host, port: port)
        default: return nil
        }
    }

    /// Whether only this machine can reach it.
    package var isLocal: Bool {
        switch self {
        case .ipv4(let host, _): host.hasPrefix("127.")
        case .ipv6(let host, _): host == "::1"
        case .name: false
        case .unix: true
        }
    }

    package var description: String {
        switch self {
        case .ipv4(let host, let port), .name(let host, let port): "\(host):\(port)"
        case .ipv6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    private static func isName(_ host: String) -> Bool {
        !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
