// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// What all streams of a connection, and of a node, may cost together.
@Suite(.timeLimit(.minutes(1))) struct AccountTests {
    private static func limits(nameBytes: Int = 32 << 20, requests: Double = 5_000) -> StreamLimits {
        var limits = StreamLimits()
        limits.nameBytesPerConnection = nameBytes
        limits.requestBurst = requests
        limits.requestsPerSecond = 0.001
        return limits
    }

    /// 100 names of 936 bytes, and 64 more each.
    private static func request(_ stream: Int, as node: String) -> DeltaRequestMessage {
        .ask(.cluster, for: (0..<100).map { "\(stream)-\($0)-".padded(to: 936) }, as: node)
    }

    @Test func `streams that are below the limit are beyond it together`() async throws {
        try await Rig.serving(TestWorld([:]), limits: Self.limits(nameBytes: 250_000)) { rig in
            try await rig.converse(.deltaADS) { (first: inout DeltaConversation) in
                first.send(Self.request(1, as: "a"))
                _ = try await first.response()
                let error = try await rig.converse(.deltaADS) { (second: inout DeltaConversation) in
                    second.send(Self.request(2, as: "b"))
                    _ = try await second.response()
                    return await rig.refusal {
                        let _: DeltaResponseMessage = try await rig.first(Self.request(3, as: "c"), from: .deltaADS)
                    }
                }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "more than 250000 bytes of names on all streams of one connection")
                // The second is gone, and what it had is free again; the first noticed nothing.
                await rig.log.waits(for: "stream closed", times: 2)
                let _: DeltaResponseMessage = try await rig.first(Self.request(4, as: "d"), from: .deltaADS)
                first.ask(.endpoints, for: "x")
                _ = try await first.response()
            }
        }
    }

    @Test(arguments: [true, false])
    func `names count until they are given up`(areGivenUp: Bool) async throws {
        try await Rig.serving(TestWorld([:]), limits: Self.limits(nameBytes: 250_000)) { rig in
            let (nonces, error) = try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                var nonces: Set<String> = []
                do {
                    for number in 0..<10 {
                        var request = Self.request(number, as: "proxy")
                        if areGivenUp, number > 0 {
                            let last = Self.request(number - 1, as: "proxy")
                            request.resourceNamesUnsubscribe = last.resourceNamesSubscribe
                        }
                        proxy.send(request)
                        let response = try await proxy.response()
                        #expect(response.removedResources.count == 100, "nobody knows them")
                        nonces.insert(response.nonce)
                        proxy.ack(response)
                    }
                } catch let error as RPCError {
                    return (nonces, RPCError?.some(error))
                }
                return (nonces, nil)
            }
            if areGivenUp {
                #expect(error == nil)
                #expect(nonces.count == 10)
            } else {
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "more than 250000 bytes of names on all streams of one connection")
                #expect(nonces.count == 2, "the third hundred is beyond the limit")
            }
        }
    }

    @Test func `what a client says that it holds counts until it is told that it is gone`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1"]]), limits: Self.limits(nameBytes: 250_000)) { rig in
            try await rig.converse(.deltaADS) { (proxy: inout DeltaConversation) in
                proxy.send(Self.claim(1))
                proxy.ack(try await proxy.response())
                // What is gone is said in a response of its own.
                let removals = try await proxy.response()
                #expect(removals.removedResources.count == 100)
                let error = await rig.refusal {
                    let _: DeltaResponseMessage = try await rig.first(Self.claim(2, 3), from: .deltaADS)
                }
                #expect(error?.code == .resourceExhausted)
                proxy.ack(removals)
                proxy.ask(.endpoints, for: "x")
                _ = try await proxy.response()
                let _: DeltaResponseMessage = try await rig.first(Self.claim(2, 3), from: .deltaADS)
            }
        }
    }

    /// A proxy that comes back and says that it holds what nobody knows.
    private static func claim(_ numbers: Int...) -> DeltaRequestMessage {
        var message = DeltaRequestMessage.ask(.cluster, as: "proxy")
        for name in numbers.flatMap({ Self.request($0, as: "proxy").resourceNamesSubscribe }) {
            message.initialResourceVersions[name] = "1"
        }
        return message
    }

    @Test func `requests are counted over all streams of a connection, and fetches with them`() async throws {
        try await Rig.serving(TestWorld([.cluster: ["a": "1"]]), limits: Self.limits(requests: 10)) { rig in
            try await rig.converse(.deltaADS) { (first: inout DeltaConversation) in
                first.ask(.cluster, as: "first")
                let response = try await first.response()
                for number in 0..<4 { _ = try await rig.firstDelta(.cluster, as: "proxy-\(number)") }
                for _ in 0..<5 { _ = try await rig.fetch(.ask(.cluster, as: "proxy"), from: Self.fetch) }
                for method in [Self.fetch, .deltaADS] {
                    let error = await rig.refusal {
                        if method == .deltaADS {
                            _ = try await rig.firstDelta(.cluster, as: "last")
                        } else {
                            _ = try await rig.fetch(.ask(.cluster, as: "last"), from: method)
                        }
                    }
                    #expect(error?.code == .resourceExhausted)
                    #expect(error?.message == "too many requests on all streams of one connection")
                }
                // Who is there already goes on.
                first.ack(response)
                rig.cache.publish(TestWorld([.cluster: ["a": "2"]]))
                #expect(try await first.response().contents == ["a": "2"])
            }
        }
    }

    @Test func `fetches are counted over all connections of a node, and with its streams`() throws {
        let limits = Self.limits(requests: 10)
        let cache = SnapshotCache()
        cache.publish(TestWorld([.cluster: ["a": "1"]]))
        let server = DiscoveryServer(cache: cache, registry: StreamRegistry(logger: EventLog().logger), limits: limits)
        let method = try #require(DiscoveryMethod.fetches.first { $0.type == .cluster })
        let fetch = { (node: String) in
            let request = SotWRequestMessage.ask(.cluster, as: node)
            _ = try server.fetch(request.serializedBytes(), by: method, on: .connection(limits))
        }
        let account = server.registry.account(of: Node(id: "a"), limits)
        for _ in 0..<15 { try fetch("a") }
        for _ in 0..<5 { try account.takeRequest() }
        let error = #expect(throws: RPCError.self) { try fetch("a") }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "too many requests on all streams of one node")
        try fetch("b")
    }

    private static let fetch = DiscoveryMethod.CDS.FetchClusters.descriptor

    @Test func `a node may have twice as much, on whatever connections`() throws {
        var nodes = NodeAccounts()
        let limits = Self.limits(nameBytes: 1_000, requests: 10)
        let (account, _) = nodes.open("a", limits)
        #expect(nodes.open("a", limits).account === account)
        #expect(nodes.open("a", limits).streams == 3)
        #expect(account.add(nameBytes: 1_000) == nil)
        #expect(account.add(nameBytes: 1_000) == nil)
        let refusal = account.add(nameBytes: 1)
        #expect(refusal?.message == "more than 2000 bytes of names on all streams of one node")
        #expect(account.add(nameBytes: -1) == nil)
        for _ in 0..<20 { try account.takeRequest() }
        #expect(throws: RPCError.self) { try account.takeRequest() }
        // Another node has its own.
        try nodes.open("b", limits).account.takeRequest()
    }

    @Test func `a node that comes back at once does not begin anew`() throws {
        var nodes = NodeAccounts()
        let limits = Self.limits(requests: 10)
        for _ in 0..<20 {
            let (account, streams) = nodes.open("a", limits)
            #expect(streams == 1)
            try account.takeRequest()
            nodes.close("a")
        }
        #expect(throws: RPCError.self) { try nodes.open("a", limits).account.takeRequest() }
    }

    @Test func `nodes that are gone are forgotten in the end`() throws {
        var nodes = NodeAccounts()
        let limits = Self.limits()
        let (used, _) = nodes.open("used", limits)
        try used.takeRequest()
        nodes.close("used")
        let (unused, _) = nodes.open("unused", limits)
        nodes.close("unused")
        let (open, _) = nodes.open("open", limits)
        for number in 0..<5_000 {
            _ = nodes.open("\(number)", limits)
            nodes.close("\(number)")
        }
        #expect(nodes.open("open", limits).account === open)
        #expect(nodes.open("used", limits).account === used)
        #expect(nodes.open("unused", limits).account !== unused)
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String { self + String(repeating: "x", count: count - self.utf8.count) }
}
