// SPDX-License-Identifier: Apache-2.0

import Catalog
import Glibc
import Metrics

/// What is counted of a source that asks an agent. See docs/metrics.md.
struct SourceMetrics: Sendable {
    /// What is counted where it is decided.
    enum Count: Hashable, Sendable, CaseIterable {
        /// An index was lower than one seen before.
        case indexRegression
        /// Something changed and had to be searched for.
        case search
        /// Everything was read again, because what was known could not be compared with what is.
        case resynchronization
    }

    /// What there is now.
    struct Figures: Hashable, Sendable {
        var isUp: Bool
        var services: Int
        var instances: Int
        var inFlight: Int
    }

    private static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"]

    private let up: Gauge
    private let lastSuccess: Gauge
    private let services: Gauge
    private let instances: Gauge
    private let inFlight: Gauge
    private let counts: [Count: Counter]
    private let requests: [String: Counter]
    private let errors: [String: Counter]

    /// - Parameter reasons: all that there are; others are not counted.
    init(_ source: SourceName, reasons: [String]) {
        let labels = [("source", source.rawValue)]
        func gauge(_ label: String) -> Gauge { Gauge(label: label, dimensions: labels) }
        func counter(_ label: String, _ more: [(String, String)] = []) -> Counter {
            Counter(label: label, dimensions: labels + more)
        }
        self.up = gauge("signalbox_source_up")
        self.lastSuccess = gauge("signalbox_source_last_success_timestamp_seconds")
        self.services = gauge("signalbox_source_services")
        self.instances = gauge("signalbox_source_instances")
        self.inFlight = gauge("signalbox_source_requests_in_flight")
        self.counts = [
            .indexRegression: counter("signalbox_source_index_regressions"),
            .search: counter("signalbox_source_searches"),
            .resynchronization: counter("signalbox_source_resynchronizations"),
        ]
        self.requests = Dictionary(
            uniqueKeysWithValues: Self.classes.map { ($0, counter("signalbox_source_requests", [("code", $0)])) }
        )
        self.errors = Dictionary(
            uniqueKeysWithValues: Set(reasons).map { ($0, counter("signalbox_source_errors", [("reason", $0)])) }
        )
    }

    /// - Parameter status: nil: there was no answer.
    func answered(_ status: Int?, times: Int = 1) {
        let name = status.map { "\($0 / 100)xx" } ?? "none"
        self.requests[name]?.increment(by: Int64(times))
        if status == 200 { self.lastSuccess.record(Double(time(nil))) }
    }

    func failed(_ reason: String) {
        self.errors[reason]?.increment()
    }

    func count(_ event: Count) {
        self.counts[event]?.increment()
    }

    func record(_ figures: Figures) {
        self.up.record(figures.isUp ? 1 : 0)
        self.services.record(figures.services)
        self.instances.record(figures.instances)
        self.inFlight.record(figures.inFlight)
    }
}
