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

    /// What can be held of whom.
    private let reasons: [(source: SourceName, reason: HeldRemoval.Reason)]

    /// - Parameter sources: those that are followed; documents may come of any.
    init(of sources: [SourceName]) {
        self.reasons = Set(sources).union([.file]).sorted().flatMap { source in
            HeldRemoval.Reason.allCases.filter { $0.concerns(source) }.map { (source, $0) }
        }
        for (source, reason) in self.reasons {
            _ = Self.heldTotal(source, reason)
            for release in GuardOutcome.Event.Release.allCases { _ = Self.releasedTotal(source, reason, release) }
        }
    }

    private static func heldTotal(_ source: SourceName, _ reason: HeldRemoval.Reason) -> Counter {
        Counter(
            label: "signalbox_catalog_removals_held_total",
            dimensions: [("source", source.rawValue), ("reason", reason.rawValue)]
        )
    }

    private static func releasedTotal(
        _ source: SourceName,
        _ reason: HeldRemoval.Reason,
        _ release: GuardOutcome.Event.Release
    ) -> Counter {
        Counter(
            label: "signalbox_catalog_removals_released_total",
            dimensions: [("source", source.rawValue), ("reason", reason.rawValue), ("release", release.rawValue)]
        )
    }

    func built(in duration: Duration) {
        self.buildTime.record(duration: duration)
    }

    func reloaded() {
        self.reloads.increment()
    }

    func held(_ event: GuardOutcome.Event) {
        switch event.change {
        case .held: Self.heldTotal(event.source, event.reason).increment()
        case .released(let release): Self.releasedTotal(event.source, event.reason, release).increment()
        }
    }

    func update(
        diagnostics: [Diagnostic],
        documents: [(kind: String, count: Int)],
        generation: UInt64,
        sources: [SourceStatus],
        held: [HeldRemoval]
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
                .record(held.filter { $0.source == status.source }.reduce(0) { $0 + $1.instances })
        }
        for (source, reason) in self.reasons {
            let names = held.filter { $0.source == source && $0.reason == reason }.reduce(0) { $0 + $1.names.count }
            let dimensions = [("source", source.rawValue), ("reason", reason.rawValue)]
            Gauge(label: "signalbox_catalog_held", dimensions: dimensions).record(names)
        }
        for (kind, count) in documents {
            Gauge(label: "signalbox_documents", dimensions: [("kind", kind)]).record(count)
        }
    }
}

extension HeldRemoval.Reason {
    fileprivate func concerns(_ source: SourceName) -> Bool {
        switch self {
        case .massRemoval, .lastInstances: source != .file
        case .configEntries, .hiddenPolicy: source == .consul
        case .hidden: source != .file
        case .documents: source == .file
        }
    }
}
