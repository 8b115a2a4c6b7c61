// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import XDSServer

/// Who a proxy says it is, and what follows from it.
@Suite(.timeLimit(.minutes(1))) struct NodeTests {
    private let world = TestWorld([.cluster: ["a": "1"], .secret: ["s": "1"]])

    @Test(arguments: DiscoveryMethod.streams)
    func `a stream whose first request has no node is refused`(method: DiscoveryMethod) async throws {
        try await Rig.serving(self.world) { rig in
            for node in [nil, ""] {
                let error = await rig.refusal {
                    _ = try await rig.firstContents(method, TypeURL.cluster.rawValue, as: node)
                }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains("node.id") == true)
            }
        }
    }

    @Test func `a node that changes within a stream is refused`() async throws {
        try await Rig.serving(self.world) { rig in
            for node in ["other", ""] {
                let error = await rig.refusal {
                    try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                        proxy.ask(.cluster, as: "proxy")
                        proxy.ack(try await proxy.response())
                        proxy.ask(.listener, as: node)
                        _ = try await proxy.response()
                    }
                }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains("node.id") == true)
            }
        }
    }

    @Test func `a node may be said again, and need not be`() async throws {
        try await Rig.serving(self.world) { rig in
            try await rig.converse(.sotwADS) { (proxy: inout SotWConversation) in
                proxy.ask(.cluster, as: "proxy")
                proxy.ack(try await proxy.response())
                proxy.ask(.listener, as: "proxy")
                proxy.ack(try await proxy.response())
                proxy.ask(.secret, for: "s")
                #expect(try await proxy.response().typeURL == TypeURL.secret.rawValue)
            }
        }
    }

    @Test func `a proxy that nothing selects is sent nothing, and everything once something does`() async throws {
        let nobody = TestWorld(["all": [.cluster: ["a": "1"]]], members: [:])
        try await Rig.serving(nobody) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                proxy.ask(.endpoints, for: "e")
                await rig.log.waits(for: "stream opened")
                let record = try #require(rig.registry.streams.first)
                #expect(record.node?.id == "proxy")
                #expect(record.group == nil)
                rig.cache.publish(nobody)
                let status = try #require(record.status)
                #expect(status.first?.type == .cluster)
                #expect(status.allSatisfy { $0.responsesSent == 0 && $0.wanted.isEmpty && $0.inFlight == nil })

                rig.cache.publish(TestWorld([.cluster: ["a": "2"], .endpoints: ["e": "2"]]))
                let clusters = try await proxy.response()
                #expect(clusters.contents == ["a": "2"])
                #expect(try await proxy.response().contents == ["e": "2"])
                #expect(record.group == NodeGroup(members: ["all"], streams: .aggregated))
            }
        }
    }

    @Test func `a proxy that another group selects is sent the difference`() async throws {
        let groups: [String: TestWorld.Contents] = [
            "one": [.cluster: ["a": "1", "b": "1"]], "two": [.cluster: ["b": "1", "c": "1"]],
        ]
        try await Rig.serving(TestWorld(groups, members: ["proxy": "one"])) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.ask(.cluster, as: "proxy")
                let before = try await proxy.response()
                #expect(before.contents == ["a": "1", "b": "1"])
                proxy.ack(before)
                rig.cache.publish(TestWorld(groups, members: ["proxy": "two"]))
                let added = try await proxy.response()
                #expect(added.contents == ["c": "1"])
                proxy.ack(added)
                #expect(try await proxy.response().removedResources == ["a"])
            }
        }
    }

    @Test func `two proxies of one group are sent the same, those of another group something else`() async throws {
        let groups: [String: TestWorld.Contents] = ["one": [.cluster: ["a": "1"]], "two": [.cluster: ["b": "1"]]]
        try await Rig.serving(TestWorld(groups, members: ["x": "one", "y": "one"], others: "two")) { rig in
            let x = try await rig.firstDelta(.cluster, as: "x")
            let y = try await rig.firstDelta(.cluster, as: "y")
            let z = try await rig.firstDelta(.cluster, as: "z")
            #expect(x.resources == y.resources && x.systemVersionInfo == y.systemVersionInfo)
            #expect(x.contents == ["a": "1"])
            #expect(z.contents == ["b": "1"])
        }
    }

    @Test func `what a selector looks at is read from the node`() {
        let node = Node(
            .with {
                $0.id = "proxy"
                $0.cluster = "edge"
                $0.metadata.fields["role"] = .init(stringValue: "front")
                $0.metadata.fields["weight"] = .init(numberValue: 1)
                $0.userAgentName = "envoy"
                $0.userAgentBuildVersion.version = .with {
                    $0.majorNumber = 1
                    $0.minorNumber = 40
                }
            }
        )
        #expect(
            node == Node(id: "proxy", cluster: "edge", metadata: ["role": "front"], userAgent: "envoy 1.40.0")
        )
        let client = Node(
            .with {
                $0.userAgentName = "gRPC C-core"
                $0.userAgentVersion = "1.60"
            }
        )
        #expect(client.userAgent == "gRPC C-core 1.60")
        #expect(Node(.with { $0.userAgentName = "curl" }).userAgent == "curl")
    }
}
