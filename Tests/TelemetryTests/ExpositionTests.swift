// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Foundation
import Telemetry
import Testing

/// Prometheus's own judgement of what we write. Scripts/setup unpacks promtool.
struct ExpositionTests {
    private static let places = [
        URL(filePath: #filePath).appending(path: "../../../.tools/promtool/usr/bin/promtool").standardized.path(),
        "/usr/bin/promtool",
    ]

    @Test func `promtool finds nothing wrong`() throws {
        let tool = try #require(
            Self.places.first { FileManager.default.isExecutableFile(atPath: $0) },
            "promtool is missing: run Scripts/setup test"
        )
        let registry = PrometheusCollectorRegistry()
        let factory = PrometheusMetricsFactory(registry: registry)
        factory.makeCounter(label: "hb.requests", dimensions: [("path", "a\"\\\n")]).increment(by: 1)
        factory.makeMeter(label: "xds.streams", dimensions: [("variant", "delta")]).set(1.5)
        factory.makeTimer(label: "http.server.request.duration", dimensions: [("method", "GET")]).recordNanoseconds(1)
        factory.makeRecorder(label: "response_bytes", dimensions: [], aggregate: true).record(1.0)
        var exposition: [UInt8] = []
        registry.emit(into: &exposition)
        ProcessMetrics.current()?.emit(into: &exposition)

        let promtool = Process()
        promtool.executableURL = URL(filePath: tool)
        promtool.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        promtool.standardInput = input
        promtool.standardOutput = output
        promtool.standardError = output
        try promtool.run()
        try input.fileHandleForWriting.write(contentsOf: exposition)
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        promtool.waitUntilExit()
        #expect(String(decoding: said, as: UTF8.self) == "")
        #expect(promtool.terminationStatus == 0)
    }
}
