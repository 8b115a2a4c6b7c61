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
                let first = try await slow.response()
                #expect(status.inFlight?.nonce.rawValue == first.nonce)
                slow.ack(first)
                let second = try await slow.response()
                #expect(second.nonce != first.nonce)
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
        try await stream.receive(DeltaRequestMessage.ask(.cluster, as: "slow"))
        let first = try #require(try await stream.sent().last)
        #expect(first.contents == ["a": "0"])
        try await stream.receive(
            DeltaRequestMessage.with {
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

    @Test(arguments: [StreamStateMachine.Variant.delta, .sotw])
    func `a proxy that answers what it has not read is sent no more`(variant: StreamStateMachine.Variant) async throws {
        let log = EventLog()
        let cache = SnapshotCache()
        cache.publish(Self.world(0))
        let registry = StreamRegistry(logger: log.logger)
        let stream = try await UnreadStream.open(on: cache, registry, variant: variant)
        let names = [["*"], [], ["*"], ["a"], ["*"]]
        for (number, names) in names.enumerated() {
            let guess = number == 0 ? "" : "\(number)"
            switch variant {
            case .sotw:
                var request = SotWRequestMessage.ask(.cluster, for: names, as: "slow")
                request.responseNonce = guess
                try await stream.receive(request)
            case .delta:
                var request = DeltaRequestMessage.ask(.cluster, for: names, as: "slow")
                request.responseNonce = guess
                try await stream.receive(request)
            }
        }
        let record = try #require(registry.streams.first)
        for _ in 0..<100 where record.status?.isEmpty != false { try await Task.sleep(for: .milliseconds(10)) }
        #expect(record.status?.first?.responsesSent == 1)
        try await stream.close()
    }

    /// What the names are compared with is what the last request that was taken said, and not the last that had come.
    @Test func `names that are given up and asked for again, while they wait for their turn, are subscribed to`()
        async throws
    {
        let log = EventLog()
        let cache = SnapshotCache()
        cache.publish(TestWorld([.endpoints: ["a": "1", "b": "1"], .listener: ["l": "1"]]))
        let registry = StreamRegistry(logger: log.logger)
        let stream = try await UnreadStream.open(on: cache, registry, variant: .sotw)
        try await stream.receive(SotWRequestMessage.ask(.endpoints, for: ["a", "b"], as: "proxy"))
        let first = try #require(try await stream.sent(SotWResponseMessage.self).last)
        func ask(_ names: [String]) -> SotWRequestMessage {
            var request = SotWRequestMessage.ask(.endpoints, for: names)
            (request.responseNonce, request.versionInfo) = (first.nonce, first.versionInfo)
            return request
        }
        try await stream.receive(ask(["a", "b"]))
        try await stream.receive(SotWRequestMessage.ask(.listener, for: ["l"]), ask(["c"]), ask(["a", "b"]))
        _ = try await stream.sent(SotWResponseMessage.self)
        let status = try #require(registry.streams.first?.status?.first { $0.type == .endpoints })
        #expect(status.subscription.names == ["a", "b"])
        try await stream.close()
    }
}
