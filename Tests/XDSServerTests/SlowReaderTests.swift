// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// A slow proxy costs a bounded amount of memory and nobody else's time.
@Suite(.timeLimit(.minutes(1))) struct SlowReaderTests {
    private static func world(_ number: Int) -> TestWorld {
        TestWorld([.cluster: ["a": "\(number)"]])
    }

    @Test func `a proxy that does not answer is sent one response, then the newest, and holds up nobody`() async throws
    {
        try await Rig.serving(Self.world(0)) { rig in
            try await rig.converse(.deltaADS) { (slow: inout DeltaConversation) in
                slow.ask(.cluster, as: "slow")
                await rig.log.waits(for: "stream opened")
                let record = try #require(rig.registry.streams.first)
                try await rig.converse(.deltaADS) { (quick: inout DeltaConversation) in
                    quick.ask(.cluster, as: "quick")
                    for number in 0..<100 {
                        let response = try await quick.response()
                        #expect(response.contents == ["a": "\(number)"])
                        quick.ack(response)
                        rig.cache.publish(Self.world(number + 1))
                    }
                    #expect(try await quick.response().contents == ["a": "100"])
                }
                let status = try #require(await record.status()?.first)
                #expect(status.responsesSent == 1)
                #expect(status.inFlight?.nonce == "1")
                let first = try await slow.response()
                #expect(first.nonce == "1")
                slow.ack(first)
                let second = try await slow.response()
                #expect(second.nonce == "2")
                #expect(second.contents == ["a": "100"])
            }
        }
    }

    @Test func `while a proxy does not read, nothing is made for it, and publishing goes on`() async throws {
        let log = EventLog()
        let cache = SnapshotCache()
        let registry = StreamRegistry(logger: log.logger)
        let stream = DiscoveryStream(
            method: try #require(DiscoveryMethod.streams.first { $0.type == nil && $0.variant == .delta }),
            cache: cache,
            registry: registry,
            logger: log.logger
        )
        cache.publish(Self.world(0))
        let (requests, asking) = AsyncThrowingStream.makeStream(of: DeltaRequestMessage.self)
        let (sent, sending) = AsyncStream.makeStream(of: EncodedResponse.self)
        let (reads, reading) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                try await withServerContextRPCCancellationHandle { cancellation in
                    try await stream.serve(
                        RPCAsyncSequence(wrapping: requests),
                        peer: "test",
                        cancellation: cancellation
                    ) { response in
                        sending.yield(response)
                        // As a transport does whose buffer is full.
                        for await _ in reads { break }
                    }
                }
            }
            var responses = sent.makeAsyncIterator()
            asking.yield(.ask(.cluster, as: "slow"))
            let first = try DeltaResponseMessage(try #require(await responses.next()))
            #expect(first.contents == ["a": "0"])
            // The ACK is there, but the stream is still busy with the response before.
            asking.yield(
                .with {
                    $0.typeURL = first.typeURL
                    $0.responseNonce = first.nonce
                }
            )
            for number in 1...1_000 { cache.publish(Self.world(number)) }
            let record = try #require(registry.streams.first)
            #expect(await record.status(timeout: .milliseconds(1)) == nil)

            reading.yield()
            let second = try DeltaResponseMessage(try #require(await responses.next()))
            #expect(second.contents == ["a": "1000"])
            #expect(second.nonce == "2")
            reading.yield()
            #expect(await record.status()?.first?.responsesSent == 2)
            asking.finish()
        }
        #expect(registry.streams.isEmpty)
    }
}

extension DeltaResponseMessage {
    fileprivate init(_ response: EncodedResponse) throws {
        let bytes: [UInt8] = try EncodedResponseSerializer().serialize(response)
        try self.init(serializedBytes: bytes)
    }
}
