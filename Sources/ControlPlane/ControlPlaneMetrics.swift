// SPDX-License-Identifier: Apache-2.0

import Catalog
import Metrics

/// The metrics of the pipeline, all there from the start.
struct ControlPlaneMetrics: Sendable {
    private let generation = Gauge(label: "signalbox_snapshot_generation")
    private let buildTime = Timer(label: "signalbox_snapshot_build_seconds")
    private let sourceUp = Gauge(label: "signalbox_source_up", dimensions: [("source", "file")])
    private let reloadSuccessful = Gauge(label: "signalbox_config_last_reload_successful")
    private let reloads = Counter(label: "signalbox_config_reloads_total")
    private let errors = Gauge(label: "signalbox_diagnostics", dimensions: [("severity", "error")])
    private let warnings = Gauge(label: "signalbox_diagnostics", dimensions: [("severity", "warning")])

    func built(in duration: Duration) {
        self.buildTime.record(duration: duration)
    }

    func update(
        diagnostics: [Diagnostic],
        documents: [(kind: String, count: Int)],
        generation: UInt64,
        isSourceUp: Bool
    ) {
        let errorCount = diagnostics.count { $0.severity == .error }
        self.errors.record(errorCount)
        self.warnings.record(diagnostics.count - errorCount)
        self.reloads.increment()
        self.reloadSuccessful.record(errorCount == 0 && isSourceUp ? 1 : 0)
        self.generation.record(Int64(clamping: generation))
        self.sourceUp.record(isSourceUp ? 1 : 0)
        for (kind, count) in documents {
            Gauge(label: "signalbox_documents", dimensions: [("kind", kind)]).record(count)
        }
    }
}
