// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import ServiceLifecycle
import Synchronization
import Testing
import XDSProtocol

@testable import XDSServer

/// How streams end, and that nothing is left of them.
@Suite(.timeLimit(.minutes(1))) struct StreamEndTests {
    private struct ProxyIsGone: Error {}

    @Test func `a graceful shutdown ends streams with OK, whatever they are doing`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1"]])) { rig in
            let ready = Countdown(from: 4)
            try await withThrowingDiscardingTaskGroup { group in
                // One that was answered, one that still owes the ACK, one of another variant, one without a request.
                group.addTask {
                    try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                        proxy.ask(.cluster, as: "1")
                        proxy.ack(try await proxy.response())
                        ready.count()
                        #expect(try await proxy.nextResponse() == nil)
                    }
                }
                group.addTask {
                    try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                        proxy.ask(.cluster, as: "2")
                        _ = try await proxy.response()
                        ready.count()
                        #expect(try await proxy.nextResponse() == nil)
                    }
                }
                group.addTask {
                    try await rig.converse(.sotwADS) { (proxy: inout SotWConversation) in
                        proxy.ask(.cluster, as: "3")
                        proxy.ack(try await proxy.response())
                        ready.count()
                        #expect(try await proxy.nextResponse() == nil)
                    }
                }
                group.addTask {
                    try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                        ready.count()
                        let response = try await proxy.nextResponse()
                        #expect(response == nil)
                    }
                }
                await ready.reachesZero()
                await rig.services.triggerGracefulShutdown()
            }
            #expect(rig.registry.streams.isEmpty)
        }
    }

    @Test func `two hundred proxies come and go, each in its way, and nothing is left`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1"], .endpoints: ["a": "1"]])) { rig in
            let ready = Countdown(from: 200)
            let (leave, everybodyIsThere) = AsyncStream.makeStream(of: Never.self)
            await withDiscardingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        do {
                            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                                proxy.ask(.cluster, as: "proxy-\(number)")
                                let response = try await proxy.response()
                                #expect(response.contents == ["a": "1"])
                                if number % 2 == 0 { proxy.ack(response) }
                                ready.count()
                                for await _ in leave {}
                                // A third says goodbye, a third is just gone, a third has a question under way.
                                if number % 3 == 0 { proxy.close() }
                                if number % 3 == 1 { throw ProxyIsGone() }
                                if number % 3 == 2 { proxy.ask(.endpoints, for: "a") }
                            }
                        } catch is ProxyIsGone {
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
                await ready.reachesZero()
                #expect(rig.registry.streams.count == 200)
                #expect(Set(rig.registry.streams.map(\.id)).count == 200)
                everybodyIsThere.finish()
                await rig.log.waits(for: "stream closed", times: 200)
                #expect(rig.registry.streams.isEmpty)
            }
            // The cache has forgotten them, too: nobody is there to make a snapshot for.
            let next = TestWorld([.cluster: ["a": "2"]])
            rig.cache.publish(next)
            #expect(next.groupsAsked == [])
        }
    }

    @Test func `a stream that is refused is forgotten`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1"]])) { rig in
            let error = await rig.refusal {
                try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                    proxy.ask(.cluster, as: "proxy")
                    proxy.ack(try await proxy.response())
                    proxy.ask(.other("nonsense"))
                    _ = try await proxy.response()
                }
            }
            #expect(error?.code == .invalidArgument)
            #expect(rig.registry.streams.isEmpty)
            let next = TestWorld([.cluster: ["a": "2"]])
            rig.cache.publish(next)
            #expect(next.groupsAsked == [])
        }
    }
}

/// Lets a test go on once something has happened a number of times.
final class Countdown: Sendable {
    private let missing: Mutex<Int>
    private let (zero, continuation) = AsyncStream.makeStream(of: Never.self)

    init(from count: Int) {
        self.missing = Mutex(count)
    }

    func count() {
        let missing = self.missing.withLock { missing in
            missing -= 1
            return missing
        }
        if missing == 0 { self.continuation.finish() }
    }

    func reachesZero() async {
        for await _ in self.zero {}
    }
}
