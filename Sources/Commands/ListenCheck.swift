// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import XDSServer

/// Whether an address can be listened on, before anything else is started: a start that must fail fails in one sentence.
enum ListenCheck {
    /// Binds for a moment and does not listen, so that no proxy connects to what is closed at once.
    ///
    /// - Parameter setting: where the address is set.
    static func check(_ address: NetworkAddress, setting: String) throws(ListenError) {
        guard let error = Self.errorOfBinding(to: address) else { return }
        let reason =
            switch error {
            case EADDRINUSE: "another program listens there: stop it, or set \(setting) to another address"
            case EADDRNOTAVAIL: "this machine has no such address: set \(setting) to one that it has"
            case EACCES: "that port needs rights that this user does not have: set \(setting) to one above 1023"
            default: "it cannot be listened on (errno \(error)): set \(setting) to another address"
            }
        throw ListenError(description: "\(address): \(reason)")
    }

    /// Nil: it can be, or only the listener itself can tell.
    private static func errorOfBinding(to address: NetworkAddress) -> Int32? {
        let (family, text) =
            switch address {
            case .ipv4(let host, let port): (AF_INET, (host, port))
            case .ipv6(let host, let port): (AF_INET6, (host, port))
            case .name, .unix: (AF_UNIX, ("", 0))
            }
        guard let socketAddress = try? SocketAddress(ipAddress: text.0, port: text.1) else { return nil }
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        return socketAddress.withSockAddr { bind(descriptor, $0, socklen_t($1)) == 0 ? nil : errno }
    }
}

struct ListenError: Error, CustomStringConvertible {
    var description: String
}
