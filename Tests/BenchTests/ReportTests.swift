// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Bench

@Suite struct ReportTests {
    @Test func `every key is there, null if it was not measured`() throws {
        var report = LoadReport()
        report.set(.streams, 3)
        report.takeSync([1_500_000_000, 500_000_000], Traffic())
        let json = try JSONDecoder().decode([String: Double?].self, from: try JSONEncoder().encode(report))
        #expect(Set(json.keys) == Set(LoadFigure.allCases.map(\.rawValue)))
        #expect(json["streams"] == 3)
        #expect(json["sync_s"] == 1.5)
        #expect(json["sync_p50_s"] == 0.5)
        #expect(json["server_cpu_sync_s"] == .some(nil))
        #expect(report.isComplete)
        report.set(.failure, "lost")
        #expect(!report.isComplete)
    }

    @Test func `changes are counted by change and by stream`() {
        var traffic = Traffic()
        traffic.responses = 4
        traffic.resources = 8
        traffic.unchanged[ResourceType.endpoints.rawValue] = 4
        traffic.bytes = 400
        var report = LoadReport()
        report.takeChanges(
            [[1_000_000, 3_000_000], [2_000_000, 8_000_000]],
            answers: [5_000_000, 6_000_000],
            traffic,
            streams: 2
        )
        report.takeCPU((.serverCPUPerChange, .serverCPUPerStream), seconds: 0.01, changes: 2, streams: 2)
        #expect(report[.changes] == .integer(2))
        #expect(report[.propagationMedian] == .number(2))
        #expect(report[.propagation99] == .number(8))
        #expect(report[.lastStreamMedian] == .number(3))
        #expect(report[.lastStreamMaximum] == .number(8))
        #expect(report[.touchMedian] == .number(5))
        #expect(report[.responsesPerStream] == .number(1))
        #expect(report[.resourcesPerStream] == .number(2))
        #expect(report[.bytesPerChange] == .number(200))
        #expect(report[.resent] == .integer(4))
        #expect(report[.serverCPUPerChange] == .number(5))
        #expect(report[.serverCPUPerStream] == .number(2_500))
    }

    @Test func `without a change nothing is divided by it`() {
        var report = LoadReport()
        report.takeChanges([], answers: [], Traffic(), streams: 5)
        #expect(report[.changes] == .integer(0))
        #expect(report[.bytesPerChange] == nil)
        #expect(report[.propagationMedian] == nil)
    }

    @Test func `the kernel's files are read, whatever the program is called`() {
        let stat = "4711 (a ) b (x) S 1 4711 4711 0 -1 4194304 90 0 0 0 150 50 7 8 20 0 9 0 100 1000 200"
        let status = "Name:\ta\nVmHWM:\t  900 kB\nVmRSS:\t  800 kB\nThreads:\t9\n"
        let figures = ProcessFigures(stat: stat, status: status, ticksPerSecond: 100)
        #expect(figures?.cpuSeconds == 2)
        #expect(figures?.residentBytes == 800 * 1_024)
        #expect(ProcessFigures(stat: stat, status: "Name:\ta\n", ticksPerSecond: 100) == nil)
        #expect(ProcessFigures.own != nil)
    }
}
