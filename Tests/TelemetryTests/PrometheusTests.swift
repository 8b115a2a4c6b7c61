// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Testing

@testable import Telemetry

struct PrometheusTests {
    private static let ignoredNone = """
        # HELP signalbox_metrics_ignored_total Metrics not shown: the name has another kind or other labels elsewhere.
        # TYPE signalbox_metrics_ignored_total counter
        signalbox_metrics_ignored_total 0

        """

    private let registry = PrometheusCollectorRegistry(descriptions: ["streams": "Open streams."])

    private var factory: PrometheusMetricsFactory { PrometheusMetricsFactory(registry: self.registry) }

    /// What is emitted, without the registry's own count of nothing ignored.
    private var emitted: String {
        let text = self.registry.emitToString()
        return text.hasSuffix(Self.ignoredNone) ? String(text.dropLast(Self.ignoredNone.count)) : text
    }

    @Test func `everything is in the order of names and label values, whatever the order of creation`() {
        self.factory.makeMeter(label: "streams", dimensions: [("variant", "sotw")]).set(Int64(2))
        self.factory.makeCounter(label: "requests", dimensions: [("type", "LDS"), ("kind", "ack")]).increment(by: 1)
        self.factory.makeMeter(label: "streams", dimensions: [("variant", "delta")]).set(1.5)
        self.factory.makeCounter(label: "requests", dimensions: [("kind", "ack"), ("type", "CDS")]).increment(by: 3)
        #expect(
            self.emitted == """
                # HELP requests_total requests
                # TYPE requests_total counter
                requests_total{kind="ack",type="CDS"} 3
                requests_total{kind="ack",type="LDS"} 1
                # HELP streams Open streams.
                # TYPE streams gauge
                streams{variant="delta"} 1.5
                streams{variant="sotw"} 2

                """
        )
    }

    @Test func `the same name and labels are the same series`() {
        self.factory.makeCounter(label: "a", dimensions: [("x", "1"), ("y", "2")]).increment(by: 1)
        self.factory.makeFloatingPointCounter(label: "a_total", dimensions: [("y", "2"), ("x", "1")]).increment(by: 0.5)
        #expect(self.emitted.contains("\na_total{x=\"1\",y=\"2\"} 1.5\n"))
    }

    @Test(arguments: [-1, .nan, -.infinity] as [Double])
    func `a counter does not go down`(amount: Double) {
        let counter = self.factory.makeFloatingPointCounter(label: "a", dimensions: [])
        counter.increment(by: 2)
        counter.increment(by: amount)
        #expect(self.emitted.hasSuffix("\na_total 2\n"))
    }

    @Test func `counting further than an integer goes does not end the process`() {
        let counter = self.factory.makeCounter(label: "a", dimensions: [])
        counter.increment(by: .max)
        counter.increment(by: .max)
        #expect(self.emitted.hasSuffix("\na_total 1.8446744073709552e+19\n"))
    }

    @Test func `a timer is a cumulative histogram in seconds`() {
        var factory = self.factory
        factory.durationHistogramBuckets["ack"] = [.milliseconds(50), .milliseconds(5), .seconds(1)]
        let timer = factory.makeTimer(label: "ack", dimensions: [("type", "CDS")])
        for milliseconds in [5, 6, 2000] as [Int64] { timer.recordNanoseconds(milliseconds * 1_000_000) }
        #expect(
            self.emitted == """
                # HELP ack_seconds ack
                # TYPE ack_seconds histogram
                ack_seconds_bucket{type="CDS",le="0.005"} 1
                ack_seconds_bucket{type="CDS",le="0.05"} 2
                ack_seconds_bucket{type="CDS",le="1"} 2
                ack_seconds_bucket{type="CDS",le="+Inf"} 3
                ack_seconds_sum{type="CDS"} 2.011
                ack_seconds_count{type="CDS"} 3

                """
        )
    }

    @Test func `a recorder is a histogram if it aggregates and else a gauge`() {
        var factory = self.factory
        factory.valueHistogramBuckets["sizes"] = [10]
        factory.makeRecorder(label: "sizes", dimensions: [], aggregate: true).record(Int64(11))
        factory.makeRecorder(label: "size", dimensions: [], aggregate: false).record(11.0)
        #expect(
            self.emitted == """
                # HELP size size
                # TYPE size gauge
                size 11
                # HELP sizes sizes
                # TYPE sizes histogram
                sizes_bucket{le="10"} 0
                sizes_bucket{le="+Inf"} 1
                sizes_sum 11
                sizes_count 1

                """
        )
    }

    @Test func `names and label values are made what the format takes`() {
        self.factory.makeMeter(label: "9.hb.größe-x", dimensions: [("http.method", "a\"b\\c\nd")]).set(1.0)
        #expect(
            self.emitted == """
                # HELP _9_hb_gr__e_x 9.hb.größe-x
                # TYPE _9_hb_gr__e_x gauge
                _9_hb_gr__e_x{http_method="a\\"b\\\\c\\nd"} 1

                """
        )
    }

    @Test func `labels that become one name are one label`() {
        self.factory.makeMeter(label: "a", dimensions: [("b.c", "1"), ("b_c", "2")]).set(1.0)
        #expect(self.emitted.hasSuffix("\na{b_c=\"1\"} 1\n"))
    }

    @Test func `a name of another kind or with other labels works, is not shown and is counted`() {
        self.factory.makeMeter(label: "a", dimensions: [("x", "1")]).set(1.0)
        self.factory.makeMeter(label: "a", dimensions: [("y", "1")]).set(2.0)
        self.factory.makeRecorder(label: "a", dimensions: [("x", "1")], aggregate: true).record(3.0)
        self.factory.makeTimer(label: "b", dimensions: [("le", "1")]).recordNanoseconds(1)
        let text = self.registry.emitToString()
        #expect(text.hasPrefix("# HELP a a\n# TYPE a gauge\na{x=\"1\"} 1\n# HELP signalbox_metrics_ignored_total"))
        #expect(text.hasSuffix("\nsignalbox_metrics_ignored_total 3\n"))
    }

    @Test func `a destroyed metric is not shown, and its name is free`() {
        let meter = self.factory.makeMeter(label: "a", dimensions: [])
        self.factory.destroyMeter(meter)
        #expect(self.emitted.isEmpty)
        self.factory.makeMeter(label: "a", dimensions: [("x", "1")]).set(1.0)
        #expect(self.emitted.hasSuffix("\na{x=\"1\"} 1\n"))
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1"), (-3, "-3"), (0.25, "0.25"), (1e-5, "1e-05"), (0x1p53, "9007199254740992.0"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func `numbers are written as Prometheus reads them`(value: Double, text: String) {
        #expect(PrometheusText.number(value) == text)
    }

    @Test func `increments of many threads at once are all counted`() async {
        let factory = self.factory
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = factory.makeCounter(label: "a", dimensions: [])
                    for _ in 0..<1000 { counter.increment(by: 1) }
                }
            }
        }
        #expect(self.emitted.hasSuffix("\na_total 8000\n"))
    }
}
