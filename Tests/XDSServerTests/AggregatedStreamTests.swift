// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import XDSServer

/// Whole conversations over gRPC. The rules of the protocol are tested on the machine, in XDSProtocolTests; here it is the
/// way from bytes to bytes, with a cache that changes meanwhile.
@Suite(.timeLimit(.minutes(1))) struct AggregatedStreamTests {
    @Test func `delta: subscribe, ACK, publish, NACK, correct, remove`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "a1"], .endpoints: ["a": "e1"]])) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                let clusters = try await proxy.response()
                #expect(clusters.typeURL == TypeURL.cluster.rawValue)
                #expect(clusters.contents == ["a": "a1"])
                #expect(clusters.resources.map(\.resource.typeURL) == [TypeURL.cluster.rawValue])
                proxy.ack(clusters)

                proxy.ask(.endpoints, for: "a", "unknown")
                let endpoints = try await proxy.response()
                #expect(endpoints.contents == ["a": "e1"])
                #expect(endpoints.removedResources == ["unknown"])
                #expect(endpoints.nonce != clusters.nonce)
                proxy.ack(endpoints)

                rig.cache.publish(TestWorld([.cluster: ["a": "a1"], .endpoints: ["a": "bad"]]))
                let bad = try await proxy.response()
                #expect(bad.contents == ["a": "bad"])
                proxy.nack(bad, "e is bad")
                await rig.log.waits(for: "proxy rejected resources")
                #expect(rig.registry.rejections.map(\.nodeID) == ["proxy"])
                #expect(rig.registry.rejections.map(\.message) == ["e is bad"])
                #expect(rig.registry.rejections.map(\.nonce.rawValue) == [bad.nonce])
                #expect(rig.registry.rejections.map { $0.blamed.map(\.name.rawValue) } == [["a"]])

                // What was refused is not sent again; what comes next is of another content.
                rig.cache.publish(TestWorld([.cluster: ["a": "a1", "b": "b1"], .endpoints: ["a": "bad"]]))
                let second = try await proxy.response()
                #expect(second.contents == ["b": "b1"])
                proxy.ack(second)
                rig.cache.publish(TestWorld([.cluster: ["a": "a1", "b": "b1"], .endpoints: ["a": "e2"]]))
                let good = try await proxy.response()
                #expect(good.contents == ["a": "e2"])
                proxy.ack(good)

                rig.cache.publish(TestWorld([.cluster: ["a": "a1"], .endpoints: ["a": "e2"]]))
                let removal = try await proxy.response()
                #expect(removal.typeURL == TypeURL.cluster.rawValue)
                #expect(removal.contents == [:])
                #expect(removal.removedResources == ["b"])
                proxy.ack(removal)
            }
        }
    }

    @Test func `state of the world: subscribe, ACK, publish, NACK, correct, remove`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "a1"], .endpoints: ["a": "e1"]])) { rig in
            try await rig.converse(.sotwADS) { (proxy: inout SotWConversation) in
                proxy.ask(.cluster, as: "proxy")
                let clusters = try await proxy.response()
                #expect(clusters.typeURL == TypeURL.cluster.rawValue)
                #expect(clusters.contents == ["a1"])
                #expect(clusters.resources.map(\.typeURL) == [TypeURL.cluster.rawValue])
                proxy.ack(clusters)

                proxy.ask(.endpoints, for: "a")
                let endpoints = try await proxy.response()
                #expect(endpoints.contents == ["e1"])
                proxy.ack(endpoints, "a")

                rig.cache.publish(TestWorld([.cluster: ["a": "a1"], .endpoints: ["a": "bad"]]))
                let bad = try await proxy.response()
                #expect(bad.contents == ["bad"])
                #expect(bad.versionInfo != endpoints.versionInfo)
                proxy.nack(bad, "e is bad", last: endpoints, "a")
                await rig.log.waits(for: "proxy rejected resources")
                #expect(rig.registry.rejections.map(\.message) == ["e is bad"])

                rig.cache.publish(TestWorld([.cluster: ["a": "a1", "b": "b1"], .endpoints: ["a": "bad"]]))
                let second = try await proxy.response()
                #expect(second.contents == ["a1", "b1"])
                proxy.ack(second)
                rig.cache.publish(TestWorld([.cluster: ["a": "a1", "b": "b1"], .endpoints: ["a": "e2"]]))
                let good = try await proxy.response()
                #expect(good.contents == ["e2"])
                proxy.ack(good, "a")

                rig.cache.publish(TestWorld([.cluster: ["a": "a1"], .endpoints: ["a": "e2"]]))
                let removal = try await proxy.response()
                #expect(removal.contents == ["a1"])
                #expect(removal.versionInfo == clusters.versionInfo)
                proxy.ack(removal)
            }
        }
    }

    @Test func `a proxy that reconnects and is current is sent nothing, and what is new otherwise`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1", "b": "1"]])) { rig in
            let before = try await rig.firstDelta(.cluster)
            let held = Dictionary(uniqueKeysWithValues: before.resources.map { ($0.name, $0.version) })
            rig.cache.publish(TestWorld([.cluster: ["a": "1", "b": "2"]]))
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                var request = DeltaRequestMessage.ask(.cluster, as: "proxy")
                request.initialResourceVersions = held
                proxy.send(request)
                let response = try await proxy.response()
                #expect(response.contents == ["b": "2"])
            }
            let current = try await rig.firstSotW(.cluster)
            try await rig.converse(.sotwADS) { (proxy: inout SotWConversation) in
                var request = SotWRequestMessage.ask(.cluster, as: "proxy")
                request.versionInfo = current.versionInfo
                proxy.send(request)
                // The first answer is to the second question.
                proxy.ask(.other("type.googleapis.com/test"), for: "x")
                proxy.ask(.listener)
                let response = try await proxy.response()
                #expect(response.typeURL == TypeURL.listener.rawValue)
            }
        }
    }

    @Test func `a proxy that closes its side ends the stream well`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1"]])) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                _ = try await proxy.response()
                proxy.close()
                #expect(try await proxy.nextResponse() == nil)
                #expect(rig.registry.streams.isEmpty)
            }
        }
    }

    @Test func `too many types end the stream`() async throws {
        try await Rig.serving(TestWorld([:])) { rig in
            let error = await rig.refusal {
                try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                    for number in 0...32 {
                        proxy.ask(.other("type.googleapis.com/test\(number)"), for: "x", as: "proxy")
                    }
                    while true { _ = try await proxy.response() }
                }
            }
            #expect(error?.code == .resourceExhausted)
        }
    }
}
