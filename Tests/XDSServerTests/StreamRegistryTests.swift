// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// What people see of the streams.
@Suite(.timeLimit(.minutes(1))) struct StreamRegistryTests {
    @Test func `a stream shows what is wanted, acknowledged, in flight and rejected`() async throws {
        let world = TestWorld([.cluster: ["a": "1", "b": "1"], .endpoints: ["a": "1"], .listener: ["l": "bad"]])
        try await Rig.serving(world) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                let clusters = try await proxy.response()
                proxy.ack(clusters)
                proxy.ask(.listener)
                proxy.nack(try await proxy.response(), "no such port")
                proxy.ask(.endpoints, for: "a", "later")
                let endpoints = try await proxy.response()

                let record = try #require(rig.registry.streams.first)
                #expect(rig.registry.streams.count == 1)
                #expect(record.method == "DeltaAggregatedResources")
                #expect(record.variant == .delta)
                #expect(record.node?.id == "proxy")
                #expect(record.group?.members == ["all"])
                let status = try #require(record.status)
                #expect(status.map(\.type) == [.cluster, .endpoints, .listener])

                #expect(status[0].subscription.isWildcard)
                #expect(status[0].wanted.keys.sorted() == ["a", "b"])
                #expect(
                    status[0].acknowledged.mapValues { $0?.description }
                        == Dictionary(
                            uniqueKeysWithValues: clusters.resources.map { (ResourceName($0.name), $0.version) }
                        )
                )
                #expect(status[0].inFlight == nil)
                #expect(status[0].rejected.isEmpty)
                #expect(status[0].responsesSent == 1)
                #expect(status[0].resourcesSent == 2)

                #expect(!status[1].subscription.isWildcard)
                #expect(status[1].subscription.names == ["a", "later"])
                #expect(status[1].wanted.keys.sorted() == ["a"])
                #expect(status[1].acknowledged.isEmpty)
                #expect(status[1].inFlight?.nonce.rawValue == endpoints.nonce)
                #expect(status[1].inFlight?.names == ["a", "later"])

                #expect(status[2].acknowledged.values.allSatisfy { $0 == nil })
                #expect(status[2].rejected.map(\.name) == ["l"])
                #expect(status[2].rejected.map(\.message) == ["no such port"])
                #expect(status[2].rejected.map(\.version) == [status[2].wanted["l"]])
            }
        }
    }

    @Test func `a stream that has not said who it is yet is there`() async throws {
        try await Rig.serving(TestWorld([:])) { rig in
            try await rig.converse(.sotwADS) { (proxy: inout SotWConversation) in
                let record = try #require(rig.registry.streams.first)
                #expect(record.node == nil)
                #expect(record.group == nil)
                #expect(record.status?.isEmpty == true)
            }
        }
    }

    @Test func `the status of a stream that has ended is nothing, and told at once`() async throws {
        try await Rig.serving(TestWorld([:])) { rig in
            let record = try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                _ = try await proxy.response()
                let record = try #require(rig.registry.streams.first)
                proxy.close()
                #expect(try await proxy.nextResponse() == nil)
                return record
            }
            let clock = ContinuousClock()
            let elapsed = clock.measure {
                #expect(record.status == nil)
            }
            #expect(elapsed < .seconds(10))
        }
    }

    @Test func `the newest 256 rejections are kept`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "0"]])) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                for number in 0..<300 {
                    proxy.nack(try await proxy.response(), "no \(number)")
                    await rig.log.waits(for: "proxy rejected resources")
                    rig.cache.publish(TestWorld([.cluster: ["a": "\(number + 1)"]]))
                }
            }
            let messages = rig.registry.rejections.map(\.message)
            #expect(messages == (44..<300).map { "no \($0)" })
            #expect(Set(rig.registry.rejections.map(\.nodeID)) == ["proxy"])
        }
    }

    @Test func `rejections outlast the stream`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "0"]])) { rig in
            for node in ["x", "y"] {
                try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                    proxy.ask(.cluster, as: node)
                    proxy.nack(try await proxy.response(), "no")
                    await rig.log.waits(for: "proxy rejected resources")
                }
            }
            await rig.log.waits(for: "stream closed")
            #expect(rig.registry.rejections.map(\.nodeID) == ["x", "y"])
        }
    }

    @Test func `a report says where all that is blamed comes from, each once, and of many how many`() {
        func origins(_ origins: [String]...) -> String {
            StreamRegistry.origins(
                of: origins.enumerated().map { number, origins in
                    Resource(type: .cluster, name: ResourceName("\(number)"), message: [], origins: origins)
                }
            )
        }
        #expect(origins() == "")
        #expect(origins(["a.yaml:1"], [], ["b.yaml:2", "a.yaml:1"]) == "a.yaml:1,b.yaml:2")
        #expect(origins(["a", "b", "c"], ["d"], ["e"]) == "a,b,c,d,e")
        #expect(origins(["a", "b", "c", "d"], ["e", "f"], ["g", "a"]) == "a,b,c,d,e and 2 more")
    }
}
