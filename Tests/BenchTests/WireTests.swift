// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import Bench

/// The hand-written parser and writer against swift-protobuf.
@Suite struct WireTests {
    typealias DeltaResponse = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse
    typealias SotWResponse = Envoy_Service_Discovery_V3_DiscoveryResponse

    @Test func `a delta response is read as swift-protobuf writes it`() throws {
        let message = DeltaResponse.with {
            $0.systemVersionInfo = "7"
            $0.resources = [
                .with {
                    $0.name = "a"
                    $0.version = "a1"
                    $0.aliases = ["b"]
                    $0.ttl = .init(seconds: 5)
                    $0.resource = .init(.cluster, [1, 2, 3])
                },
                .with { $0.name = "b" },
            ]
            $0.typeURL = TypeURL.cluster.rawValue
            $0.nonce = "n1"
            $0.removedResources = ["x", "y"]
            $0.controlPlane.identifier = "somebody"
        }
        try message.parsed(.delta) { response in
            #expect(response.type == .cluster)
            #expect(response.nonce.elementsEqual("n1".utf8))
            #expect(response.versionInfo.elementsEqual("7".utf8))
            #expect(response.removals == 2)
            let names = try response.names
            #expect(names == ["a", "b"])
        }
    }

    @Test(arguments: ResourceType.allCases)
    func `a state-of-the-world response is read as swift-protobuf writes it`(type: ResourceType) throws {
        let (url, messages): (TypeURL, [any Message]) =
            switch type {
            case .cluster:
                (.cluster, ["a", "b"].map { name in Envoy_Config_Cluster_V3_Cluster.with { $0.name = name } })
            case .endpoints: (.endpoints, ["a", "b"].map { .endpoints($0, port: 80) })
            case .listener:
                (.listener, ["a", "b"].map { name in Envoy_Config_Listener_V3_Listener.with { $0.name = name } })
            case .route:
                (
                    .routeConfiguration,
                    ["a", "b"].map { name in Envoy_Config_Route_V3_RouteConfiguration.with { $0.name = name } }
                )
            }
        let message = try SotWResponse.with {
            $0.versionInfo = "v"
            $0.resources = try messages.map { .init(url, try $0.serializedBytes()) }
            $0.canary = true
            $0.typeURL = url.rawValue
            $0.nonce = "n2"
            $0.controlPlane.identifier = "field 6, which is no removal here"
        }
        try message.parsed(.sotw) { response in
            #expect(response.type == type)
            #expect(response.nonce.elementsEqual("n2".utf8))
            #expect(response.versionInfo.elementsEqual("v".utf8))
            #expect(response.removals == 0)
            let names = try response.names
            #expect(names == ["a", "b"])
        }
    }

    @Test func `delta tells contents apart by version, state of the world by bytes`() throws {
        func delta(_ version: String, _ bytes: [UInt8]) throws -> UInt64 {
            let message = DeltaResponse.with {
                $0.typeURL = TypeURL.cluster.rawValue
                $0.resources = [
                    .with {
                        $0.name = "a"
                        $0.version = version
                        $0.resource = .init(.cluster, bytes)
                    }
                ]
            }
            return try message.parsed(.delta) { try $0.fingerprints[0] }
        }
        func sotw(_ port: UInt32) throws -> UInt64 {
            let message = try SotWResponse.with {
                $0.typeURL = TypeURL.endpoints.rawValue
                $0.resources = [
                    .init(
                        .endpoints,
                        try Envoy_Config_Endpoint_V3_ClusterLoadAssignment.endpoints("a", port: port).serializedBytes()
                    )
                ]
            }
            return try message.parsed(.sotw) { try $0.fingerprints[0] }
        }
        #expect(try delta("1", [1]) == delta("1", [2]))
        #expect(try delta("1", [1]) != delta("2", [1]))
        #expect(try sotw(8080) == sotw(8080))
        #expect(try sotw(8080) != sotw(8081))
    }

    @Test func `a message that is cut anywhere is malformed or shorter, and never read beyond its end`() throws {
        let bytes: [UInt8] = try DeltaResponse.with {
            $0.resources = [.with { $0.name = "name" }]
            $0.typeURL = TypeURL.cluster.rawValue
        }.serializedBytes()
        for length in 0..<bytes.count {
            #expect(throws: MalformedMessage.self) {
                try Array(bytes[..<length]).withUnsafeBytes { _ = try ReceivedResponse($0, variant: .delta) }
            }
        }
    }

    @Test(
        arguments: [
            [0x0b], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            Array(repeating: 0xff, count: 11),
            [0x09, 1, 2, 3],
        ] as [[UInt8]]
    )
    func `what is no protobuf is malformed`(bytes: [UInt8]) {
        #expect(throws: MalformedMessage.self) {
            try bytes.withUnsafeBytes { bytes in
                var reader = WireReader(bytes)
                while try reader.next() != nil { continue }
            }
        }
    }

    @Test func `delta requests are what swift-protobuf reads`() throws {
        let names = EncodedNames([Array("a".utf8), Array(repeating: 98, count: 200)])
        let request = FramedRequest(
            .delta,
            type: .endpoints,
            node: FramedRequest.node(id: "n"),
            nonce: "7".utf8,
            names: names
        )
        let message = try Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: request.payload)
        #expect(message.typeURL == TypeURL.endpoints.rawValue)
        #expect(message.node.id == "n")
        #expect(message.node.cluster == "bench")
        #expect(message.node.userAgentName == "envoy")
        #expect(message.responseNonce == "7")
        #expect(message.resourceNamesSubscribe == ["a", String(repeating: "b", count: 200)])
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test func `state-of-the-world requests are what swift-protobuf reads`() throws {
        let request = FramedRequest(
            .sotw,
            type: .listener,
            node: FramedRequest.node(id: "n"),
            versionInfo: "v".utf8,
            nonce: "7".utf8,
            names: EncodedNames([Array("a".utf8)])
        )
        let message = try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: request.payload)
        #expect(message.typeURL == TypeURL.listener.rawValue)
        #expect(message.node.id == "n")
        #expect(message.versionInfo == "v")
        #expect(message.responseNonce == "7")
        #expect(message.resourceNames == ["a"])
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test(arguments: 1...40)
    func `messages are put together however they were cut`(size: Int) throws {
        let messages: [[UInt8]] = [[], [1], Array(repeating: 2, count: 300), [3, 3], Array(repeating: 4, count: 20)]
        var stream: [UInt8] = []
        for message in messages {
            stream.append(0)
            stream.append(integer: UInt32(message.count))
            stream += message
        }
        var assembler = MessageAssembler()
        var got: [[UInt8]] = []
        while !stream.isEmpty {
            let part = Array(stream.prefix(size))
            stream.removeFirst(part.count)
            try part.withUnsafeBytes { try assembler.feed($0) { got.append(Array($0)) } }
        }
        #expect(got == messages)
    }

    @Test func `names have numbers, equal names equal ones`() {
        var table = NameTable()
        let names = (0..<1_000).map { "service-\($0)" }
        for name in names + names { _ = Array(name.utf8).withUnsafeBytes { table.index(of: $0) } }
        #expect(table.names.count == 1_000)
        #expect(table.known("service-999") == 999)
        #expect(table.known("service-1000") == nil)
    }
}
