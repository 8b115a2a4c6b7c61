// SPDX-License-Identifier: Apache-2.0

import Glibc
import Metrics

/// What is counted of a Consul source.
struct ConsulMetrics: Sendable {
    private static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"]

    private let up = Self.gauge("signalbox_source_up")
    private let lastSuccess = Self.gauge("signalbox_source_last_success_timestamp_seconds")
    private let services = Self.gauge("signalbox_source_services")
    private let instances = Self.gauge("signalbox_source_instances")
    private let inFlight = Self.gauge("signalbox_source_requests_in_flight")
    private let regressions = Self.counter("signalbox_source_index_regressions")
    private let searches = Self.counter("signalbox_source_searches")
    private let resynchronizations = Self.counter("signalbox_source_resynchronizations")
    private let requests: [String: Counter]
    private let errors: [ConsulFailure.Reason: Counter]

    init() {
        self.requests = Dictionary(
            uniqueKeysWithValues: Self.classes.map { name in
                (name, Counter(label: "signalbox_source_requests", dimensions: Self.labels + [("code", name)]))
            }
        )
        self.errors = Dictionary(
            uniqueKeysWithValues: ConsulFailure.Reason.allCases.map { reason in
                (
                    reason,
                    Counter(label: "signalbox_source_errors", dimensions: Self.labels + [("reason", reason.rawValue)])
                )
            }
        )
    }

    /// - Parameter status: nil: there was no answer.
    func answered(_ status: Int?, times: Int = 1) {
        let name = status.map { "\($0 / 100)xx" } ?? "none"
        self.requests[name]?.increment(by: Int64(times))
        if status == 200 { self.lastSuccess.record(Double(time(nil))) }
    }

    func failed(_ reason: ConsulFailure.Reason) {
        self.errors[reason]?.increment()
    }

    func count(_ event: ConsulCount) {
        switch event {
        case .indexRegression: self.regressions.increment()
        case .search: self.searches.increment()
        case .resynchronization: self.resynchronizations.increment()
        }
    }

    func record(_ figures: ConsulFigures) {
        self.up.record(figures.isUp ? 1 : 0)
        self.services.record(figures.services)
        self.instances.record(figures.instances)
        self.inFlight.record(figures.inFlight)
    }

    private static var labels: [(String, String)] { [("source", "consul")] }

    private static func gauge(_ label: String) -> Gauge { Gauge(label: label, dimensions: Self.labels) }
    private static func counter(_ label: String) -> Counter { Counter(label: label, dimensions: Self.labels) }
}
