// SPDX-License-Identifier: Apache-2.0

package import Logging
package import ServiceLifecycle
import Synchronization
package import XDSServer

/// A server with the engine of `signalbox serve` (cache, discovery server, listener) and a world that is made up, so
/// that what is measured is the engine alone.
package struct BenchServer: Sendable {
    private let keeper: WorldKeeper
    private let listener: XDSListener
    private let admin: BenchAdmin

    /// - Parameters:
    ///   - services: with 0 the world is empty until somebody puts a state.
    ///   - onReady: called once, when both addresses are open.
    package init(
        services: Int,
        endpoints: Int,
        address: NetworkAddress,
        adminAddress: NetworkAddress,
        logger: Logger,
        onReady: @escaping @Sendable () -> Void
    ) {
        let cache = SnapshotCache()
        let listeners = Listeners(count: 2, onReady: onReady)
        self.keeper = WorldKeeper(cache: cache)
        self.listener = XDSListener(
            address: address,
            server: DiscoveryServer(cache: cache, registry: StreamRegistry(logger: logger)),
            logger: logger
        ) { listeners.opened() }
        self.admin = BenchAdmin(address: adminAddress, keeper: self.keeper, logger: logger) { listeners.opened() }
        self.keeper.replace(with: WorldDocument(services: services, endpoints: endpoints))
    }

    /// Why a world of this size cannot be; nil if it can.
    package static func refusal(services: Int, endpoints: Int) -> String? {
        guard services >= 0, endpoints >= 0 else { return "neither can be negative" }
        let (product, overflow) = services.multipliedReportingOverflow(by: endpoints)
        guard !overflow, product <= WorldDocument.endpointsAtMost else {
            return "10.0.0.0/8 has addresses for \(WorldDocument.endpointsAtMost) endpoints"
        }
        return nil
    }

    /// To be stopped in the reverse order.
    package var runnables: [any Service] { [self.admin, self.listener] }
}

/// Which listeners are still closed.
private final class Listeners: Sendable {
    private let closed: Mutex<Int>
    private let onReady: @Sendable () -> Void

    init(count: Int, onReady: @escaping @Sendable () -> Void) {
        self.closed = Mutex(count)
        self.onReady = onReady
    }

    func opened() {
        let isLast = self.closed.withLock { closed in
            closed -= 1
            return closed == 0
        }
        if isLast { self.onReady() }
    }
}
