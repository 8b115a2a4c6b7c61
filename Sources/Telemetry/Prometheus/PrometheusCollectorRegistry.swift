// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Holds every metric of the process, and writes them for Prometheus. Named after swift-prometheus's, so that the
/// package can take this one's place.
///
/// All series of one name have one kind and the same label names: Prometheus demands it. A metric that breaks this
/// works and is not shown, and `signalbox_metrics_ignored_total` counts it: a mistake in a metric's name must not end
/// a process that serves.
package final class PrometheusCollectorRegistry: Sendable {
    private struct Family {
        var kind: PrometheusText.Kind
        var help: String
        var labelNames: [String]
        /// By the values of the labels, in the order of their names.
        var series: [[String]: any PrometheusCollector] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var ignored = 0
    }

    private let descriptions: [String: String]
    private let state = Mutex(State())

    /// - Parameter descriptions: help texts by the name that Prometheus sees. A metric without one is described by the
    ///   name that the code gave it.
    package init(descriptions: [String: String] = [:]) {
        self.descriptions = descriptions
    }

    /// The collector of these labels: the one that is there, or a new one.
    func collector<Collector: PrometheusCollector>(
        _ label: String,
        suffix: String = "",
        dimensions: [(String, String)],
        make: () -> Collector
    ) -> Collector {
        let name = PrometheusName.metric(label, suffix: suffix)
        let labels = PrometheusName.labels(dimensions)
        return self.state.withLock { state in
            var family =
                state.families[name]
                ?? Family(kind: Collector.kind, help: self.descriptions[name] ?? label, labelNames: labels.map(\.name))
            let isBucketLabelTaken = Collector.kind == .histogram && family.labelNames.contains("le")
            if family.kind != Collector.kind || family.labelNames != labels.map(\.name) || isBucketLabelTaken {
                state.ignored += 1
                return make()
            }
            let values = labels.map(\.value)
            if let collector = family.series[values] as? Collector { return collector }
            let collector = make()
            family.series[values] = collector
            state.families[name] = family
            return collector
        }
    }

    /// Takes a collector out, and its name with the last one.
    func unregister(_ collector: AnyObject) {
        self.state.withLock { state in
            for (name, family) in state.families {
                let rest = family.series.filter { $0.value !== collector }
                if rest.count < family.series.count {
                    state.families[name]?.series = rest
                    if rest.isEmpty { state.families[name] = nil }
                }
            }
        }
    }

    /// Appends every metric, in the order of names and label values.
    package func emit(into buffer: inout [UInt8]) {
        let state = self.state.withLock { $0 }
        var text = PrometheusText(buffer)
        for (name, family) in state.families.sorted(by: { $0.key < $1.key }) {
            text.family(name, family.kind, help: family.help)
            let series = family.series.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (values, collector) in series {
                collector.write(name, Array(zip(family.labelNames, values)), to: &text)
            }
        }
        let ignored = "signalbox_metrics_ignored_total"
        text.family(ignored, .counter, help: "Metrics not shown: the name has another kind or other labels elsewhere.")
        text.sample(ignored, Double(state.ignored))
        buffer = text.bytes
    }

    package func emitToString() -> String {
        var buffer: [UInt8] = []
        self.emit(into: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }
}
