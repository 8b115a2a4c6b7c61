// SPDX-License-Identifier: Apache-2.0

package import CoreMetrics

/// The back end of swift-metrics: counters end in `_total` and timers in `_seconds`, which is added where it is missing.
package struct PrometheusMetricsFactory: MetricsFactory {
    package let registry: PrometheusCollectorRegistry
    /// Buckets of a timer, by the label that the code gave it.
    package var durationHistogramBuckets: [String: [Duration]] = [:]
    package var defaultDurationHistogramBuckets: [Duration] = [
        .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50),
        .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5),
        .seconds(10), .seconds(30),
    ]
    /// Buckets of a recorder, by the label that the code gave it.
    package var valueHistogramBuckets: [String: [Double]] = [:]
    package var defaultValueHistogramBuckets: [Double] = [1, 5, 10, 50, 100, 500, 1e3, 1e4, 1e5, 1e6, 1e7]

    package init(registry: PrometheusCollectorRegistry) {
        self.registry = registry
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        self.counter(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        self.counter(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        self.gauge(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if !aggregate { return self.gauge(label, dimensions) }
        return self.registry.collector(label, dimensions: dimensions) {
            PrometheusHistogram(buckets: self.valueHistogramBuckets[label] ?? self.defaultValueHistogramBuckets)
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let buckets = self.durationHistogramBuckets[label] ?? self.defaultDurationHistogramBuckets
        return self.registry.collector(label, suffix: "_seconds", dimensions: dimensions) {
            PrometheusHistogram(buckets: buckets.map { $0 / .seconds(1) })
        }
    }

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> PrometheusCounter {
        self.registry.collector(label, suffix: "_total", dimensions: dimensions) { PrometheusCounter() }
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> PrometheusGauge {
        self.registry.collector(label, dimensions: dimensions) { PrometheusGauge() }
    }

    package func destroyCounter(_ handler: any CounterHandler) { self.registry.unregister(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        self.registry.unregister(handler)
    }
    package func destroyMeter(_ handler: any MeterHandler) { self.registry.unregister(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { self.registry.unregister(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { self.registry.unregister(handler) }
}
