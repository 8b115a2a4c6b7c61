// SPDX-License-Identifier: Apache-2.0

import Catalog
import Metrics

/// The metrics of the pipeline, all there from the start.
struct ControlPlaneMetrics: Sendable {
    private let generation = Gauge(label: "signalbox_snapshot_generation")
    private let buildTime = Timer(label: "signalbox_snapshot_build_seconds")
    private let reloadSuccessful = Gauge(label: "signalbox_config_last_reload_successful")
    private let reloads = Counter(label: "signalbox_config_reloads_total")
    private let errors = Gauge(label: "signalbox_diagnostics", dimensions: [("severity", "error")])
    private let warnings = Gauge(label: "signalbox_diagnostics", dimensions: [("severity", "warning")])
    private let notes = Gauge(label: "signalbox_diagnostics", dimensions: [("severity", "note")])

    func built(in duration: Duration) {
        self.buildTime.record(duration: duration)
    }

    func reloaded() {
        self.reloads.increment()
    }

    func held(_ event: GuardOutcome.Event) {
        let dimensions = [("source", event.source.rawValue), ("reason", event.reason.rawValue)]
        switch event.change {
        case .held:
            Counter(label: "signalbox_catalog_removals_held_total", dimensions: dimensions).increment()
        case .released(let release):
            Counter(
                label: "signalbox_catalog_removals_released_total",
                dimensions: dimensions + [("release", release.rawValue)]
            ).increment()
        }
    }

    func update(
        diagnostics: [Diagnostic],
        documents: [(kind: String, count: Int)],
        generation: UInt64,
        sources: [SourceStatus],
        heldInstances: [SourceName: Int]
    ) {
        let errorCount = diagnostics.count { $0.severity == .error }
        self.errors.record(errorCount)
        self.warnings.record(diagnostics.count { $0.severity == .warning })
        self.notes.record(diagnostics.count { $0.severity == .note })
        self.reloadSuccessful.record(errorCount == 0 && sources.allSatisfy { $0.state == .up } ? 1 : 0)
        self.generation.record(Int64(clamping: generation))
        for status in sources {
            let source = [("source", status.source.rawValue)]
            Gauge(label: "signalbox_source_up", dimensions: source).record(status.state == .up ? 1 : 0)
            Gauge(label: "signalbox_catalog_held_instances", dimensions: source)
                .record(heldInstances[status.source] ?? 0)
        }
        for (kind, count) in documents {
            Gauge(label: "signalbox_documents", dimensions: [("kind", kind)]).record(count)
        }
    }
}
