// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import Synchronization

/// Counts connections, and turns away those that are too many.
final class Doorkeeper: Sendable {
    private let limit: Int
    private let logger: Logger
    private let open = Atomic(0)

    init(limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    func admit(_ channel: any Channel) -> Bool {
        let count = self.open.add(1, ordering: .relaxed).newValue
        channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
        guard count > self.limit else { return true }
        self.logger.warning("connection refused", metadata: ["limit": "\(self.limit)"])
        return false
    }
}

extension SocketAddress {
    /// As gRPC writes it: "ipv4:127.0.0.1:18000", "ipv6:[::1]:18000", "unix:PATH".
    var peerName: String {
        switch self {
        case .v4: "ipv4:\(self.ipAddress ?? ""):\(self.port ?? 0)"
        case .v6: "ipv6:[\(self.ipAddress ?? "")]:\(self.port ?? 0)"
        case .unixDomainSocket: "unix:\(self.pathname ?? "")"
        }
    }
}
