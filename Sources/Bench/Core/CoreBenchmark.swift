// SPDX-License-Identifier: Apache-2.0

/// Times the operations of the pure core, each beside the reference.
///
/// Of every operation the quickest of many short batches counts: other work on the machine makes a batch slower and never
/// quicker. So a threshold that is exceeded is given more rounds before it is believed.
package struct CoreBenchmark {
    package struct Rounds: Sendable {
        /// Without which nothing is said.
        package var least = 20
        /// After which what is exceeded is.
        package var most = 200
        package var batch = Duration.milliseconds(1)

        package init() {}
    }

    private struct Timing {
        let operation: CoreOperation
        var batch = 1
        var best = Double.infinity

        mutating func measure() {
            self.best = min(self.best, self.time() / Double(self.batch) * 1e9)
        }

        /// Finds how many make a batch.
        mutating func calibrate(to duration: Duration) {
            while self.time() < duration / .seconds(1) { self.batch *= 2 }
        }

        private func time() -> Double {
            var result = 0
            let elapsed = ContinuousClock().measure {
                for _ in 0..<self.batch { result &+= self.operation.run() }
            }
            // A result that is used.
            return result == .min ? .infinity : elapsed / .seconds(1)
        }
    }

    private var reference = Timing(operation: .reference)
    private var timings: [Timing]

    package init(_ operations: [CoreOperation] = CoreOperation.all) {
        self.timings = operations.map { Timing(operation: $0) }
    }

    /// Takes some seconds.
    package mutating func run(against thresholds: CoreThresholds?, _ rounds: Rounds = Rounds()) -> CoreReport {
        self.reference.calibrate(to: rounds.batch)
        for index in self.timings.indices { self.timings[index].calibrate(to: rounds.batch) }
        var done = 0
        while true {
            self.reference.measure()
            for index in self.timings.indices { self.timings[index].measure() }
            done += 1
            guard done >= rounds.least else { continue }
            let report = self.report(rounds: done, thresholds)
            if report.exceeded.isEmpty || done >= rounds.most { return report }
        }
    }

    private func report(rounds: Int, _ thresholds: CoreThresholds?) -> CoreReport {
        CoreReport(
            reference: self.reference.best,
            rounds: rounds,
            nanoseconds: self.timings.map { ($0.operation.name, $0.best) },
            thresholds
        )
    }
}
