// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import XDSProtocol

@testable import Bench

@Suite struct CoreTests {
    private static let world = CoreWorld(services: 20)

    @Test(arguments: [StreamStateMachine.Variant.delta, .sotw])
    func `a stream is sent the whole fleet, and of a change what changed`(variant: StreamStateMachine.Variant) {
        let sync = CoreOperation.sync("", variant, Self.world)
        // A cluster and its endpoints for each service, a listener, a route configuration.
        for _ in 0..<2 { #expect(sync.run() == 42) }
        let change = CoreOperation.change("", variant, Self.world)
        for _ in 0..<5 { #expect(change.run() == 1) }
    }

    @Test func `requests are read to their end`() {
        #expect(CoreOperation.acceptance("").run() == 5)
        #expect(CoreOperation.repeatedNames("", Self.world).run() == 5)
    }

    @Test func `responses have as many resources as they should`() {
        let lengths = [1, 10].map { CoreOperation.encoding("", resources: $0, Self.world).run() }
        let resource = Self.world.before[.endpoints, Self.world.services[1]]
        #expect(resource.map { lengths[0] + 9 * $0.deltaEntry.count } == lengths[1])
        #expect(CoreOperation.resource("", bytes: 1_300).run() > 1_300)
        #expect(CoreOperation.differences("", Self.world).run() == 1)
    }

    @Test func `what is slow is named, and so is what is not compared`() {
        let thresholds = CoreThresholds(ratios: ["slow": 2, "quick": 2, "gone": 1])
        let report = CoreReport(
            reference: 100,
            rounds: 1,
            nanoseconds: [("slow", 201), ("quick", 200), ("new", 5)],
            thresholds
        )
        #expect(report.exceeded == ["slow"])
        #expect(report.unmatched == ["gone", "new"])
        #expect(report.complaints.count == 3)
        #expect(report.complaints.last?.hasPrefix("slow: 2.01 of the reference, and at most 2.0") == true)
        #expect(CoreReport(reference: 1, rounds: 1, nanoseconds: [("slow", 9)], nil).complaints.isEmpty)
    }

    @Test func `new thresholds leave half as much again, and are read as they are written`() throws {
        let report = CoreReport(reference: 300, rounds: 1, nanoseconds: [("a", 600), ("b", 1)], nil)
        let thresholds = report.newThresholds
        #expect(thresholds.ratios == ["a": 3, "b": 0.005])
        #expect(try CoreThresholds(json: try JSONEncoder().encode(thresholds)) == thresholds)
        #expect(throws: DecodingError.self) { try CoreThresholds(json: Data("[]".utf8)) }
    }

    @Test func `what is exceeded is given more rounds, and what is not is not`() {
        var rounds = CoreBenchmark.Rounds()
        rounds.least = 2
        rounds.most = 5
        rounds.batch = .zero
        let operation = CoreOperation("an operation") { 1 }
        var benchmark = CoreBenchmark([operation])
        #expect(benchmark.run(against: nil, rounds).rounds == 2)
        #expect(benchmark.run(against: CoreThresholds(ratios: ["an operation": 1e9]), rounds).rounds == 2)
        let exceeding = benchmark.run(against: CoreThresholds(ratios: ["an operation": 0]), rounds)
        #expect(exceeding.rounds == 5)
        #expect(exceeding.exceeded == ["an operation"])
    }
}
