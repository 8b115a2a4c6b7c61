// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import Bench

/// What a simulated proxy asks for, in which order, and what it counts.
@Suite struct SimulatedEnvoyTests {
    typealias DeltaRequest = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest
    typealias SotWRequest = Envoy_Service_Discovery_V3_DiscoveryRequest

    /// A proxy with what it shares.
    struct Proxy {
        var envoy: SimulatedEnvoy
        var names = SharedNames()
        var nonce = 0

        init(_ variant: Variant) { self.envoy = SimulatedEnvoy(variant) }

        mutating func delta(
            _ type: TypeURL,
            _ versions: [String: String],
            awaiting: NameTable.Index? = nil
        ) throws -> SimulatedEnvoy.Receipt {
            self.nonce += 1
            let message = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse.with {
                $0.typeURL = type.rawValue
                $0.nonce = "\(self.nonce)"
                $0.resources = versions.sorted { $0.key < $1.key }.map { name, version in
                    .with {
                        $0.name = name
                        $0.version = version
                    }
                }
            }
            return try self.receive(try message.serializedBytes(), awaiting)
        }

        mutating func sotw(
            _ type: TypeURL,
            _ resources: [any Message],
            awaiting: NameTable.Index? = nil
        ) throws -> SimulatedEnvoy.Receipt {
            self.nonce += 1
            let message = try Envoy_Service_Discovery_V3_DiscoveryResponse.with {
                $0.typeURL = type.rawValue
                $0.versionInfo = "v\(self.nonce)"
                $0.nonce = "\(self.nonce)"
                $0.resources = try resources.map { .init(type, try $0.serializedBytes()) }
            }
            return try self.receive(try message.serializedBytes(), awaiting)
        }

        private mutating func receive(_ bytes: [UInt8], _ awaited: NameTable.Index?) throws -> SimulatedEnvoy.Receipt {
            try bytes.withUnsafeBytes {
                try self.envoy.received($0, awaiting: awaited, names: &self.names)
            }
        }
    }

    @Test func `delta: clusters, their endpoints, listeners, routes`() throws {
        var proxy = Proxy(.delta)
        let first = try DeltaRequest(serializedBytes: proxy.envoy.opened(as: "bench-00000").payload)
        #expect(first.node.id == "bench-00000")
        #expect(first.typeURL == TypeURL.cluster.rawValue)
        #expect(first.resourceNamesSubscribe.isEmpty)

        let clusters = try proxy.delta(.cluster, ["b": "1", "a": "1"]).deltaRequests
        #expect(clusters.map(\.typeURL) == [TypeURL.cluster, .endpoints].map(\.rawValue))
        #expect(clusters.map(\.responseNonce) == ["1", ""])
        #expect(clusters[1].resourceNamesSubscribe == ["a", "b"])

        let some = try proxy.delta(.endpoints, ["a": "1"]).deltaRequests
        #expect(some.map(\.responseNonce) == ["2"])
        #expect(some[0].resourceNamesSubscribe.isEmpty)
        let rest = try proxy.delta(.endpoints, ["b": "1"]).deltaRequests
        #expect(rest.map(\.typeURL) == [TypeURL.endpoints, .listener].map(\.rawValue))
        #expect(!proxy.envoy.isInSync)

        let listeners = try proxy.delta(.listener, ["listener": "1"]).deltaRequests
        #expect(listeners.map(\.typeURL) == [TypeURL.listener, .routeConfiguration].map(\.rawValue))
        #expect(listeners[1].resourceNamesSubscribe == ["routes"])
        #expect(!proxy.envoy.isInSync)
        #expect(try proxy.delta(.routeConfiguration, ["routes": "1"]).requests.count == 1)
        #expect(proxy.envoy.isInSync)
        #expect(proxy.envoy.held == Fleet.Held(clusters: 2, resources: 6))
    }

    @Test func `state of the world: every ACK repeats version and names`() throws {
        var proxy = Proxy(.sotw)
        let first = try SotWRequest(serializedBytes: proxy.envoy.opened(as: "bench-00000").payload)
        #expect(first.node.id == "bench-00000")
        #expect(first.versionInfo.isEmpty)

        let clusters = try proxy.sotw(.cluster, ["b", "a"].map { .cluster($0) }).sotwRequests
        #expect(clusters.map(\.typeURL) == [TypeURL.cluster, .endpoints].map(\.rawValue))
        #expect(clusters.map(\.versionInfo) == ["v1", ""])
        #expect(clusters.map(\.responseNonce) == ["1", ""])
        #expect(clusters.map(\.resourceNames) == [[], ["a", "b"]])
        #expect(!clusters[0].hasNode)

        let endpoints = try proxy.sotw(.endpoints, ["a", "b"].map { .endpoints($0, port: 1) }).sotwRequests
        #expect(endpoints.map(\.typeURL) == [TypeURL.endpoints, .listener].map(\.rawValue))
        #expect(endpoints[0].versionInfo == "v2")
        #expect(endpoints[0].responseNonce == "2")
        #expect(endpoints[0].resourceNames == ["a", "b"])

        let more = try proxy.sotw(.cluster, ["a", "b", "c"].map { .cluster($0) }).sotwRequests
        #expect(more[1].resourceNames == ["a", "b", "c"])
        #expect(more[1].versionInfo == "v2")
        #expect(more[1].responseNonce == "2")
    }

    @Test func `a server with nothing is in sync when it has said so`() throws {
        var proxy = Proxy(.delta)
        _ = proxy.envoy.opened(as: "bench-00000")
        #expect(!proxy.envoy.isInSync)
        #expect(try proxy.delta(.cluster, [:]).deltaRequests.map(\.typeURL).last == TypeURL.listener.rawValue)
        #expect(!proxy.envoy.isInSync)
        _ = try proxy.delta(.listener, [:])
        #expect(proxy.envoy.isInSync)
    }

    @Test func `what is sent again unchanged is counted, what was waited for is found`() throws {
        var proxy = Proxy(.delta)
        _ = proxy.envoy.opened(as: "bench-00000")
        _ = try proxy.delta(.cluster, ["a": "1", "b": "1"])
        _ = try proxy.delta(.endpoints, ["a": "1", "b": "1"])
        let awaited = proxy.names.endpoints("b")
        #expect(awaited != nil)

        let same = try proxy.delta(.endpoints, ["a": "1", "b": "1"], awaiting: awaited)
        #expect(same.unchanged == 2)
        #expect(!same.hasAwaited)
        let other = try proxy.delta(.endpoints, ["a": "2"], awaiting: awaited)
        #expect(other.unchanged == 0)
        #expect(!other.hasAwaited)
        let both = try proxy.delta(.endpoints, ["a": "2", "b": "2"], awaiting: awaited)
        #expect(both.resources == 2)
        #expect(both.unchanged == 1)
        #expect(both.hasAwaited)
        // A cluster of the same name is not what was waited for.
        #expect(try !proxy.delta(.cluster, ["b": "2"], awaiting: awaited).hasAwaited)

        var traffic = Traffic()
        for receipt in [same, other, both] { traffic.add(receipt, bytes: 10) }
        #expect(traffic.bytes == 30)
        #expect(traffic.unchanged[ResourceType.endpoints.rawValue] == 3)
        #expect(traffic.unexpected == 1)
    }

    @Test func `proxies that ask for the same names share the list`() throws {
        var (one, two) = (Proxy(.delta), Proxy(.delta))
        _ = try one.delta(.cluster, ["a": "1", "b": "1"])
        two.names = one.names
        let mine = try one.delta(.cluster, ["c": "1"]).requests.last?.names
        let theirs = try two.delta(.cluster, ["a": "1", "b": "1"]).requests.last?.names
        #expect(mine?.bytes != theirs?.bytes)
        #expect(theirs?.bytes == [0x1a, 1, 97, 0x1a, 1, 98])
    }
}

extension SimulatedEnvoy.Receipt {
    var deltaRequests: [Envoy_Service_Discovery_V3_DeltaDiscoveryRequest] {
        get throws { try self.requests.map { try .init(serializedBytes: $0.payload) } }
    }

    var sotwRequests: [Envoy_Service_Discovery_V3_DiscoveryRequest] {
        get throws { try self.requests.map { try .init(serializedBytes: $0.payload) } }
    }
}

extension Message where Self == Envoy_Config_Cluster_V3_Cluster {
    fileprivate static func cluster(_ name: String) -> Self { .with { $0.name = name } }
}
