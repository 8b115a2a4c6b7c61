// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization

/// One series, or for a histogram one set of series: what increments go to and exposition reads.
protocol PrometheusCollector: AnyObject, Sendable {
    static var kind: PrometheusText.Kind { get }

    func write(_ name: String, _ labels: [PrometheusText.Label], to text: inout PrometheusText)
}

/// A Double counts exactly to 2^53: at a million a second, for 285 years.
final class PrometheusCounter: PrometheusCollector, CounterHandler, FloatingPointCounterHandler {
    static let kind = PrometheusText.Kind.counter

    private let value = Mutex(0.0)

    func increment(by amount: Int64) {
        self.increment(by: Double(amount))
    }

    /// A counter only goes up: anything else (and NaN) changes nothing.
    func increment(by amount: Double) {
        if amount > 0 { self.value.withLock { $0 += amount } }
    }

    func reset() {
        self.value.withLock { $0 = 0 }
    }

    func write(_ name: String, _ labels: [PrometheusText.Label], to text: inout PrometheusText) {
        text.sample(name, labels: labels, self.value.withLock { $0 })
    }
}

/// What goes up and down: swift-metrics' meters, and its gauges, which are recorders that keep the last value.
final class PrometheusGauge: PrometheusCollector, MeterHandler, RecorderHandler {
    static let kind = PrometheusText.Kind.gauge

    private let value = Mutex(0.0)

    func set(_ value: Int64) { self.set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { self.value.withLock { $0 += amount } }
    func decrement(by amount: Double) { self.value.withLock { $0 -= amount } }
    func record(_ value: Int64) { self.set(value) }
    func record(_ value: Double) { self.set(value) }

    func write(_ name: String, _ labels: [PrometheusText.Label], to text: inout PrometheusText) {
        text.sample(name, labels: labels, self.value.withLock { $0 })
    }
}

/// A distribution of values, or of durations in seconds.
final class PrometheusHistogram: PrometheusCollector, RecorderHandler, TimerHandler {
    static let kind = PrometheusText.Kind.histogram

    private struct State {
        /// Not cumulative: one for each bound, and one for what is above all of them.
        var counts: [Int]
        var sum = 0.0
    }

    /// Upper, inclusive, ascending.
    private let bounds: [Double]
    private let state: Mutex<State>

    init(buckets: [Double]) {
        self.bounds = Set(buckets).filter(\.isFinite).sorted()
        self.state = Mutex(State(counts: Array(repeating: 0, count: self.bounds.count + 1)))
    }

    func record(_ value: Int64) {
        self.record(Double(value))
    }

    func record(_ value: Double) {
        // NaN would make the sum NaN for ever.
        if value.isNaN { return }
        let bucket = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) {
        self.record(Double(duration) / 1e9)
    }

    func write(_ name: String, _ labels: [PrometheusText.Label], to text: inout PrometheusText) {
        let (counts, sum) = self.state.withLock { ($0.counts, $0.sum) }
        var total = 0
        for (bound, count) in zip(self.bounds + [.infinity], counts) {
            total += count
            text.sample(name + "_bucket", labels: labels + [("le", PrometheusText.number(bound))], Double(total))
        }
        text.sample(name + "_sum", labels: labels, sum)
        text.sample(name + "_count", labels: labels, Double(total))
    }
}
