// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemPackage
import TestSupport
import Testing

/// Runs a driver again and again, each time from another seed, until its time is over or something is wrong.
///
/// - `SIGNALBOX_FUZZ_SECONDS`: for how long, each driver, not counting what other tests take meanwhile; 4 if it is not
///   set. Then the seeds are the same every time, so that nobody's change fails by chance; otherwise they are new ones.
/// - `SIGNALBOX_FUZZ_SEED`: the seed to begin with, to see again what went wrong.
///
/// What traps takes the process with it, so the seed is written to `.build/fuzz/<driver>` before it is tried.
struct Fuzz {
    private let name: String
    private let replay: [UInt64]

    /// - Parameter replay: seeds that failed once.
    init(_ name: String, replay: [UInt64] = []) {
        self.name = name
        self.replay = replay
    }

    private static func environment(_ key: String) -> String? { ProcessInfo.processInfo.environment[key] }

    private static let duration = Duration.seconds(environment("SIGNALBOX_FUZZ_SECONDS").flatMap(Double.init) ?? 4)

    private static var firstSeed: UInt64 {
        if let seed = self.environment("SIGNALBOX_FUZZ_SEED").flatMap({ UInt64($0) }) { return seed }
        return self.environment("SIGNALBOX_FUZZ_SECONDS") == nil ? 1 : UInt64.random(in: 0 ... .max)
    }

    /// - Parameter iteration: returns what is wrong, or nil.
    func run(_ iteration: (UInt64) throws -> String?) async throws {
        let mark = try self.openMark()
        defer { try? mark.close() }
        var (spent, slowest, sinceYield) = (Duration.zero, Duration.zero, Duration.zero)
        var count = 0
        var seeds = self.replay[...]
        var next = Self.firstSeed
        while spent < Self.duration || !seeds.isEmpty {
            let replayed = seeds.popFirst()
            let seed = replayed ?? next
            if replayed == nil { next &+= 1 }
            try Self.write("trying seed \(seed)", to: mark)
            var failure: String?
            let start = ContinuousClock.now
            let time = try CPUTime.of { failure = try iteration(seed) }
            let elapsed = start.duration(to: .now)
            (spent, sinceYield, slowest) = (spent + elapsed, sinceYield + elapsed, max(slowest, time))
            count += 1
            if let failure {
                try Self.write("failed with seed \(seed)", to: mark)
                Issue.record("SIGNALBOX_FUZZ_SEED=\(seed) swift test --filter FuzzTests: \(self.name): \(failure)")
                return
            }
            // Other tests have time limits. A turn may take long to come again.
            if sinceYield > .milliseconds(20) {
                sinceYield = .zero
                await Task.yield()
            }
        }
        let seconds = spent / .seconds(1)
        try Self.write(
            "\(count) in \(Int(seconds)) s, \(Int(Double(count) / seconds)) a second, "
                + "the slowest took \(Int(slowest / .milliseconds(1))) ms, seeds to \(next)",
            to: mark
        )
    }

    private func openMark() throws -> FileDescriptor {
        let root = URL(filePath: #filePath).appending(path: "../../../.build/fuzz").standardized
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        return try FileDescriptor.open(
            FilePath(root.appending(path: self.name).path()),
            .writeOnly,
            options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead]
        )
    }

    private static func write(_ text: String, to mark: FileDescriptor) throws {
        let line = text + String(repeating: " ", count: max(0, 100 - text.utf8.count)) + "\n"
        try mark.writeAll(toAbsoluteOffset: 0, line.utf8)
    }
}

/// What a call costs the thread that makes it, however busy the machine is.
enum CPUTime {
    static func of(_ call: () throws -> Void) rethrows -> Duration {
        let start = self.now
        try call()
        return self.now - start
    }

    private static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
