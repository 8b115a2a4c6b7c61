// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// Publications and takings at the same time: nobody ends with an older snapshot than the newest, no change is lost, and
/// no wake-up is.
@Suite(.timeLimit(.minutes(1))) struct SnapshotCacheConcurrencyTests {
    /// What a stream would hold that looks only where it is told to.
    private struct View {
        var generation: UInt64 = 0
        var contents: Snapshot.Resources = [:]

        mutating func apply(_ delivery: (snapshot: Snapshot, changes: ChangeSet?)) {
            #expect(delivery.snapshot.generation > self.generation)
            self.generation = delivery.snapshot.generation
            guard let changes = delivery.changes else {
                self.contents = delivery.snapshot[.cluster]
                return
            }
            for name in changes.names[.cluster] ?? [] { self.contents[name] = delivery.snapshot[.cluster, name] }
        }
    }

    /// Of 8 names about half, with one of 3 contents each.
    private static func world(_ generator: inout SeededGenerator) -> TestWorld {
        var clusters: [String: String] = [:]
        for number in 0..<8 where Bool.random(using: &generator) {
            clusters["c\(number)"] = "\(Int.random(in: 0..<3, using: &generator))"
        }
        return TestWorld([.cluster: clusters])
    }

    @Test(arguments: UInt64(1)...40)
    func `whoever takes at any time ends with the newest`(seed: UInt64) async throws {
        let cache = SnapshotCache()
        let readers = (0..<4).map { _ in AsyncStream.makeStream(of: Void.self) }
        let watching = Countdown(from: readers.count)
        let views = await withTaskGroup(of: View.self) { reading in
            for (wakeUps, waking) in readers {
                reading.addTask {
                    // As a stream does: it looks when it is woken, and never otherwise.
                    let watch = cache.watch(node: Node(id: "proxy"), streams: .aggregated) { waking.yield() }
                    watching.count()
                    var view = View()
                    for await _ in wakeUps {
                        if let delivery = watch.take() { view.apply(delivery) }
                    }
                    return view
                }
            }
            await withDiscardingTaskGroup { publishing in
                for publisher in UInt64(0)..<2 {
                    publishing.addTask {
                        var generator = SeededGenerator(seed: seed &* 1_000 &+ publisher)
                        for _ in 0..<50 {
                            cache.publish(Self.world(&generator))
                            if Bool.random(using: &generator) { await Task.yield() }
                        }
                    }
                }
            }
            await watching.reachesZero()
            for (_, waking) in readers { waking.finish() }
            return await reading.reduce(into: [View]()) { $0.append($1) }
        }
        let newest = try #require(
            cache.watch(node: Node(id: "later"), streams: .aggregated, onDelivery: {}).take()?.snapshot
        )
        #expect(cache.generation == 100)
        #expect(views.count == 4)
        for view in views {
            #expect(view.contents == newest[.cluster])
        }
    }
}
