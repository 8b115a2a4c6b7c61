// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import NIOCore
import NIOPosix
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
                let status = try #require(record.status?.first)
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
        cache.publish(Self.world(0))
        let stream = try await UnreadStream.open(on: cache, registry)
        try await stream.receive(.ask(.cluster, as: "slow"))
        let first = try #require(try await stream.sent().last)
        #expect(first.contents == ["a": "0"])
        try await stream.receive(
            .with {
                $0.typeURL = first.typeURL
                $0.responseNonce = first.nonce
            }
        )
        try await stream.setWritable(false)
        for number in 1...1_000 { cache.publish(Self.world(number)) }
        #expect(try await stream.sent().count == 1)
        let record = try #require(registry.streams.first)
        // Who asks is told so all the same.
        #expect(record.status?.first?.responsesSent == 1)

        try await stream.setWritable(true)
        #expect(try await stream.sent().map(\.contents) == [["a": "0"], ["a": "1000"]])
        try await stream.close()
        #expect(registry.streams.isEmpty)
    }
}

/// A stream without a connection, whose proxy reads when the test says so.
private struct UnreadStream: Sendable {
    private final class State {
        var isWritable = true
        var sent: [[UInt8]] = []
        var stream: DiscoveryStream?
        let admissions: AdmissionQueue

        init(_ loop: any EventLoop) {
            self.admissions = AdmissionQueue(loop: loop)
        }
    }

    private let loop: any EventLoop
    private let state: NIOLoopBound<State>

    static func open(on cache: SnapshotCache, _ registry: StreamRegistry) async throws -> UnreadStream {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let method = try #require(DiscoveryMethod.streams.first { $0.type == nil && $0.variant == .delta })
        return try await loop.submit {
            let state = State(loop)
            state.stream = DiscoveryStream(
                method: method,
                server: DiscoveryServer(cache: cache, registry: registry),
                peer: "test",
                connection: .connection(StreamLimits()),
                loop: loop,
                isWritable: { state.isWritable },
                output: { output in
                    if case .send(let bytes) = output { state.sent.append(bytes) }
                }
            )
            return UnreadStream(loop: loop, state: NIOLoopBound(state, eventLoop: loop))
        }.get()
    }

    func receive(_ message: DeltaRequestMessage) async throws {
        let bytes: [UInt8] = try message.serializedBytes()
        try await self.loop.submit { self.state.value.stream?.received(bytes, self.state.value.admissions) }.get()
    }

    func setWritable(_ isWritable: Bool) async throws {
        try await self.loop.submit {
            self.state.value.isWritable = isWritable
            if isWritable { self.state.value.stream?.becameWritable() }
        }.get()
    }

    /// What was sent until now: everything that was under way before this call has arrived.
    func sent() async throws -> [DeltaResponseMessage] {
        let sent = try await self.loop.submit { self.state.value.sent }.get()
        return try sent.map { try DeltaResponseMessage(serializedBytes: $0) }
    }

    func close() async throws {
        try await self.loop.submit {
            self.state.value.stream?.end(reason: "test")
            self.state.value.stream = nil
        }.get()
    }
}
