// SPDX-License-Identifier: Apache-2.0

import Testing
import XDSProtocol

/// 100,000 random conversations for each variant. A failure prints its seed: put it into `replay` to see it again.
@Suite struct RandomConversationTests {
    static let conversations = 100_000
    static let steps = 24
    /// Seeds that failed once.
    static let replay: [UInt64] = [478_521_414]

    @Test(.timeLimit(.minutes(10)), arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `after quiescence the proxy holds the snapshot`(variant: StreamStateMachine.Variant) async {
        let seeds = Self.replay + (0..<UInt64(Self.conversations - Self.replay.count)).map { $0 &* 7919 &+ 1 }
        var failed: [UInt64] = []
        for seed in seeds {
            if RandomConversation(variant, seed: seed, steps: Self.steps).failure != nil { failed.append(seed) }
            // Other tests have time limits.
            await Task.yield()
        }
        guard let seed = failed.first else { return }
        let conversation = RandomConversation(variant, seed: seed, steps: Self.steps, isTraced: true)
        Issue.record(
            """
            \(failed.count) of \(seeds.count) conversations failed. Seed \(seed): \(conversation.failure ?? "")
            \(conversation.trace.joined(separator: "\n"))
            """
        )
    }
}
