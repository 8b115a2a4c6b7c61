// SPDX-License-Identifier: Apache-2.0

import Admin
import ControlPlane
import Discovery
import EnvoyTranslation
import Logging
import Metrics
import ServiceLifecycle
import Telemetry
import UnixSignals
import XDSServer

/// The server's parts, put together once and by hand, in the order in which they depend on each other.
struct Server {
    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    func run() async throws {
        for address in self.settings.xdsAddresses { try ListenCheck.check(address, setting: "xds.listen") }
        try ListenCheck.check(self.settings.adminAddress, setting: "admin.listen")
        let level = SharedLogLevel(self.settings.logLevel)
        let format = self.settings.logFormat
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format, level: level) }
        let prometheus = PrometheusCollectorRegistry(descriptions: MetricDescriptions.all)
        MetricsSystem.bootstrap(PrometheusMetricsFactory(registry: prometheus))
        Gauge(label: "signalbox_build_info", dimensions: [("version", Version.signalbox)]).record(1)
        EnvoyTypes.register()
        let logger = Logger(label: "signalbox")

        let cache = SnapshotCache()
        let registry = StreamRegistry(logger: logger)
        let controlPlane = ControlPlaneService(
            files: self.settings.documents.map { FileSource(root: $0, logger: logger) },
            sources: try self.settings.makeSources(logger: logger),
            options: try self.settings.pipelineOptions,
            store: self.settings.stateDirectory.map { CatalogStore(directory: $0) },
            cache: cache,
            logger: logger
        )
        let readiness = Readiness(listeners: self.settings.xdsAddresses.count)
        let discovery = DiscoveryServer(cache: cache, registry: registry, limits: self.settings.streamLimits)
        let listeners = self.settings.xdsAddresses.map { address in
            XDSListener(
                address: address,
                server: discovery,
                limits: self.settings.listenerLimits,
                logger: logger
            ) { readiness.listenerOpened() }
        }
        let admin = AdminService(
            address: self.settings.adminAddress,
            controlPlane: controlPlane,
            cache: cache,
            registry: registry,
            readiness: readiness,
            metrics: { Self.exposition(of: prometheus) },
            logger: logger
        )
        logger.info(
            "starting",
            metadata: ["version": "\(Version.signalbox)", "documents": "\(self.settings.documents ?? "")"]
        )

        for variable in self.settings.unknownVariables {
            logger.warning("a variable looks like a setting and is none", metadata: ["variable": "\(variable)"])
        }
        for address in self.settings.xdsAddresses where !address.isLocal {
            logger.warning("xDS is served in clear beyond this machine", metadata: ["address": "\(address)"])
        }

        // Stopped in the reverse order: the streams end while the rest still works.
        let services: [any Service] = [controlPlane, admin, ReloadOnHangUp(controlPlane: controlPlane)] + listeners
        let group = ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
        logger.info("stopped")
    }

    private static func exposition(of registry: PrometheusCollectorRegistry) -> String {
        var buffer: [UInt8] = []
        registry.emit(into: &buffer)
        ProcessMetrics.current()?.emit(into: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }
}

/// Reads the documents again on SIGHUP.
private struct ReloadOnHangUp: Service {
    let controlPlane: ControlPlaneService

    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { self.controlPlane.reload() }
        }
    }
}
