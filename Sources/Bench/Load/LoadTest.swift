// SPDX-License-Identifier: Apache-2.0

package import XDSServer

/// Opens streams as so many Envoys do, changes endpoints one after another and measures how the changes arrive. It knows
/// nothing of the server but its protocol and `POST /touch`.
package struct LoadTest: Sendable {
    package struct Options: Sendable {
        package var address: NetworkAddress
        package var adminAddress: NetworkAddress
        package var streams: Int
        package var variant = Variant.delta
        package var changes = 100
        /// Between the end of a change and the beginning of the next.
        package var interval = Duration.zero
        /// For CPU and memory; nil: not measured.
        package var serverPID: Int32?
        package var seed: UInt64 = 1
        /// For the sync, and for each change.
        package var timeout = Duration.seconds(60)
        /// How many streams to open and close in batches, instead of changing anything.
        package var cycles: Int?

        package init(address: NetworkAddress, adminAddress: NetworkAddress, streams: Int) {
            self.address = address
            self.adminAddress = adminAddress
            self.streams = streams
        }
    }

    /// What is still under way when the last stream has got a change, above all ACKs, belongs to it: CPU is read so long
    /// after it.
    private static let settling = Duration.milliseconds(300)

    private let options: Options

    package init(_ options: Options) {
        self.options = options
    }

    /// Reports also what fails once the admin connection is open.
    package func run() throws -> LoadReport {
        let fleet = try Fleet(self.options)
        var report = LoadReport()
        report.set(.variant, self.options.variant.rawValue)
        report.set(.streams, self.options.streams)
        do {
            if let cycles = self.options.cycles {
                try self.cycle(cycles, fleet, &report)
            } else {
                try self.change(fleet, &report)
            }
        } catch {
            report.set(.failure, "\(error)")
        }
        report.set(.clientRSS, ProcessFigures.own?.residentBytes)
        return report
    }

    private func change(_ fleet: Fleet, _ report: inout LoadReport) throws {
        report.set(.seed, Int(truncatingIfNeeded: self.options.seed))
        let before = Processes(self.options)
        report.set(.serverRSSBefore, before.server?.residentBytes)
        let syncTimes = try fleet.open(0..<self.options.streams)
        try fleet.run(for: Self.settling)
        let synced = Processes(self.options)
        report.takeSync(syncTimes, fleet.takeTraffic())
        report.set(.serverRSSSync, synced.server?.residentBytes)
        report.set(.serverCPUSync, synced.serverSeconds(since: before))
        report.set(.clientCPUSync, synced.clientSeconds(since: before))
        let held = try fleet.held()
        report.set(.clusters, held.clusters)
        report.set(.resourcesHeld, held.resources)

        var times: [[Int64]] = []
        var answers: [Int64] = []
        let failure = self.touch(fleet, services: held.clusters) { arrivals, answer in
            times.append(arrivals)
            answers.append(answer)
        }
        if let failure {
            // What was measured before counts still, whatever comes of it.
            report.set(.failure, failure.description)
            try? fleet.run(for: Self.settling)
        } else {
            try fleet.run(for: Self.settling)
        }
        let end = Processes(self.options)
        let (changes, streams) = (times.count, self.options.streams)
        report.takeChanges(times, answers: answers, fleet.takeTraffic(), streams: streams)
        report.set(.serverRSSEnd, end.server?.residentBytes)
        report.takeCPU(
            (.serverCPUPerChange, .serverCPUPerStream),
            seconds: end.serverSeconds(since: synced),
            changes: changes,
            streams: streams
        )
        report.takeCPU(
            (.clientCPUPerChange, .clientCPUPerStream),
            seconds: end.clientSeconds(since: synced),
            changes: changes,
            streams: streams
        )
    }

    /// The changes, one after another. The first that fails is the last.
    private func touch(
        _ fleet: Fleet,
        services: Int,
        _ arrived: ([Int64], Int64) -> Void
    ) -> LoadFailure? {
        if self.options.changes == 0 { return nil }
        guard services > 0 else { return LoadFailure("there is nothing to touch: the server has no clusters") }
        var generator = SplitMix64(seed: self.options.seed)
        for number in 0..<self.options.changes {
            do {
                if number > 0, self.options.interval > .zero { try fleet.run(for: self.options.interval) }
                let (arrivals, answer) = try fleet.touch(Int.random(in: 0..<services, using: &generator))
                arrived(arrivals, answer)
            } catch {
                return LoadFailure("change \(number): \(error)")
            }
        }
        return nil
    }

    /// Opens, syncs and closes streams, a batch at a time: what stays behind in the server is a leak.
    private func cycle(_ count: Int, _ fleet: Fleet, _ report: inout LoadReport) throws {
        let before = Processes(self.options)
        let began = ContinuousClock.now
        report.set(.serverRSSBefore, before.server?.residentBytes)
        var done = 0
        while done < count {
            let batch = done..<min(done + self.options.streams, count)
            _ = try fleet.open(batch)
            fleet.closeStreams()
            if done == 0 {
                try fleet.run(for: Self.settling)
                report.set(.serverRSSFirstBatch, Processes(self.options).server?.residentBytes)
            }
            done = batch.upperBound
            report.set(.cycles, done)
        }
        report.set(.cyclesTime, (ContinuousClock.now - began) / .seconds(1))
        try fleet.run(for: Self.settling)
        let end = Processes(self.options)
        let cpu = end.serverSeconds(since: before)
        report.set(.serverRSSEnd, end.server?.residentBytes)
        report.set(.serverCPUCycles, cpu)
        report.set(.serverCPUPerCycle, cpu.map { $0 * 1e3 / Double(max(1, done)) })
        report.set(.clientCPUSync, end.clientSeconds(since: before))
    }
}

/// Both sides, at one moment.
private struct Processes {
    let server: ProcessFigures?
    let client: ProcessFigures?

    init(_ options: LoadTest.Options) {
        self.server = options.serverPID.flatMap { ProcessFigures(of: $0) }
        self.client = ProcessFigures.own
    }

    func serverSeconds(since earlier: Processes) -> Double? { Self.difference(earlier.server, self.server) }
    func clientSeconds(since earlier: Processes) -> Double? { Self.difference(earlier.client, self.client) }

    private static func difference(_ earlier: ProcessFigures?, _ later: ProcessFigures?) -> Double? {
        guard let earlier, let later else { return nil }
        return later.cpuSeconds - earlier.cpuSeconds
    }
}
