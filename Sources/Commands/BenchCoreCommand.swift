// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Bench
import FoundationEssentials

struct BenchCoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "core",
        abstract: "Time the operations of the pure core.",
        discussion: """
            Each as nanoseconds and as a ratio to a loop of arithmetic that is timed in the same run. With thresholds, \
            the ratios may be no greater. Exit codes: 0 none is; 1 one is, or it has no threshold; 65 the thresholds \
            cannot be read. `-o thresholds` prints new ones, half as much again as was measured.
            """
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case text, json, thresholds
    }

    @Option(help: ArgumentHelp("What the ratios may be.", valueName: "file"))
    var thresholds: String?

    @Option(name: .shortAndLong, help: "text, json or thresholds.")
    var output = Output.text

    func validate() throws {
        #if DEBUG
        throw ValidationError("a debug build says nothing: build a release")
        #endif
    }

    func run() throws {
        let thresholds = try self.thresholds.map(Self.read)
        var benchmark = CoreBenchmark()
        let report = benchmark.run(against: thresholds)
        switch self.output {
        case .text: StandardOutput.write(report.text)
        case .json: try StandardOutput.write(json: report)
        case .thresholds: try StandardOutput.write(json: report.newThresholds)
        }
        for complaint in report.complaints { StandardOutput.note("bench core: \(complaint)") }
        if !report.complaints.isEmpty { throw ExitCode.failure }
    }

    private static func read(_ file: String) throws -> CoreThresholds {
        do {
            return try CoreThresholds(json: Data(contentsOf: URL(filePath: file)))
        } catch {
            StandardOutput.note("\(file): cannot be read, or does not map names of operations to numbers")
            throw ExitCode.unreadableInput
        }
    }
}
