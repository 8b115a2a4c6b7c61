// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Telemetry

struct ProcessMetricsTests {
    private static let fields = (3...52).map(String.init).joined(separator: " ")

    private static func metrics(_ processStatus: String, _ systemStatus: String) -> ProcessMetrics? {
        ProcessMetrics(
            processStatus: processStatus,
            systemStatus: systemStatus,
            openFileDescriptors: 7,
            ticks: 10,
            pageSize: 4096
        )
    }

    @Test(arguments: ["signalbox", "a b", "a) (b"])
    func `fields are counted after the program's name, whatever it is`(name: String) {
        // Every field's value is its number.
        let metrics = Self.metrics("1 (\(name)) \(Self.fields)\n", "cpu 1 2 3\nbtime 1000\nprocesses 5\n")
        #expect(metrics?.cpuSeconds == 2.9)
        #expect(metrics?.startTimeSeconds == 1002.2)
        #expect(metrics?.residentMemoryBytes == 98304.0)
        #expect(metrics?.openFileDescriptors == 7)
    }

    @Test(arguments: [("", "btime 1"), ("1 (a) S 1", "btime 1"), ("1 (a) \(Self.fields)", "cpu 1")])
    func `what is not understood gives nothing`(processStatus: String, systemStatus: String) {
        #expect(Self.metrics(processStatus, systemStatus) == nil)
    }

    @Test func `this process has memory, descriptors and a start in the past`() throws {
        let metrics = try #require(ProcessMetrics.current())
        #expect(metrics.residentMemoryBytes > 1_000_000)
        #expect(metrics.openFileDescriptors >= 3)
        // After 2020, when this was not yet written.
        #expect(metrics.startTimeSeconds > 1_577_836_800)
    }
}
