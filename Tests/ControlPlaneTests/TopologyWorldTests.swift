// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Documents
import EnvoyAPI
import EnvoyTranslation
import HashTreeCollections
import Routing
import SwiftProtobuf
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// Which proxies get what.
@Suite struct TopologyWorldTests {
    /// One gateway for each way to select.
    private static let world: TopologyWorld = {
        var files = Files()
        files.files["gateway.yaml"] = [
            Files.gateway("by-id", proxies: #"{ids: ["edge-*", exact]}"#, port: 1),
            Files.gateway("by-cluster", proxies: "{clusters: [front]}", port: 2),
            Files.gateway("by-metadata", proxies: "{metadata: {role: ingress, stage: live}}", port: 3),
            Files.gateway("by-both", proxies: "{ids: [exact], clusters: [front]}", port: 4),
        ].joined(separator: "\n---\n")
        files.files["routes.yaml"] = Files.route("web", gateways: ["by-id", "by-cluster"], backends: ["web": 1])
        return TopologyWorld(files.pipeline().topology)
    }()

    @Test(arguments: [
        (Node(id: "edge-1"), ["by-id"]), (Node(id: "exact"), ["by-id"]), (Node(id: "exact-1"), nil),
        (Node(id: "x"), nil),
        (Node(id: "x", cluster: "front"), ["by-cluster"]), (Node(id: "x", cluster: "front-2"), nil),
        (Node(id: "x", metadata: ["role": "ingress", "stage": "live", "more": "1"]), ["by-metadata"]),
        (Node(id: "x", metadata: ["role": "ingress"]), nil),
        (Node(id: "x", metadata: ["role": "ingress", "stage": "test"]), nil),
        (Node(id: "exact", cluster: "front"), ["by-both", "by-cluster", "by-id"]),
    ])
    func `a proxy's group is the gateways that select it, in order`(node: Node, gateways: [String]?) {
        #expect(Self.world.group(of: node, streams: .aggregated)?.members == gateways)
    }

    @Test func `a group gets what its gateways have, and what they share once`() throws {
        let node = Node(id: "exact", cluster: "front")
        let group = try #require(Self.world.group(of: node, streams: .aggregated))
        let snapshot = Snapshot(generation: 1, resources: Self.world.resources(for: group))
        #expect(
            snapshot.names == [
                "CDS web", "EDS web", "LDS by-both/http", "LDS by-cluster/http", "LDS by-id/http", "RDS by-both/http",
                "RDS by-cluster/http", "RDS by-id/http",
            ]
        )
        let alone = try #require(Self.world.group(of: Node(id: "edge-1"), streams: .aggregated))
        #expect(
            Snapshot(generation: 1, resources: Self.world.resources(for: alone)).names
                == ["CDS web", "EDS web", "LDS by-id/http", "RDS by-id/http"]
        )
    }

    @Test func `gRPC clients get the proxyless listeners, proxies the others`() throws {
        var files = Files()
        files.files["gateway.yaml"] = """
            kind: gateway
            name: edge
            proxies: {}
            listeners: [{name: http, port: 10000}, {name: grpc, protocol: proxyless}]
            """
        let pipeline = files.pipeline()
        #expect(pipeline.codes == [])
        let client = pipeline.snapshot(for: Node(id: "client", userAgent: "gRPC Go 1.70"))
        let proxy = pipeline.snapshot(for: Node(id: "proxy", userAgent: "envoy 1.40.0"))
        #expect(client[.listener].keys.map(\.rawValue) == ["web.example.com"])
        #expect(proxy[.listener].keys.map(\.rawValue) == ["edge/http"])
    }

    @Test(arguments: [StreamKind.aggregated, .aggregatedSotW, .sotwPerType, .deltaPerType])
    func `resources point at the kind of stream that the proxy has`(streams: StreamKind) throws {
        let snapshot = Files().pipeline().snapshot(for: Node(id: "proxy"), streams)
        let resource = try #require(snapshot[.cluster, ResourceName("web")])
        let cluster = try Envoy_Config_Cluster_V3_Cluster(decoding: resource)
        let source = cluster.edsClusterConfig.edsConfig
        switch streams {
        case .aggregated, .aggregatedSotW: #expect(source.configSourceSpecifier == .ads(.init()))
        case .sotwPerType: #expect(source.apiConfigSource.apiType == .grpc)
        case .deltaPerType: #expect(source.apiConfigSource.apiType == .deltaGrpc)
        }
        if [.sotwPerType, .deltaPerType].contains(streams) {
            #expect(source.apiConfigSource.grpcServices.map(\.envoyGrpc.clusterName) == [controlPlaneClusterName])
        }
    }

    @Test func `the variants of the aggregated stream share a group, unless clusters are had on demand`() throws {
        var files = Files()
        let kinds = [StreamKind.aggregated, .aggregatedSotW]
        let shared = TopologyWorld(files.pipeline().topology)
        #expect(kinds.map { shared.group(of: Node(id: "proxy"), streams: $0)?.streams } == [.aggregated, .aggregated])

        files.files["gateway.yaml"] = Files.gateway("edge") + "\nclusters: on-demand"
        let world = TopologyWorld(files.pipeline().topology)
        #expect(kinds.map { world.group(of: Node(id: "proxy"), streams: $0)?.streams } == kinds)
        let client = Node(id: "client", userAgent: "gRPC Go 1.70")
        #expect(kinds.map { world.group(of: client, streams: $0)?.streams } == [.aggregated, .aggregated])

        let group = try #require(world.group(of: Node(id: "proxy"), streams: .aggregatedSotW))
        #expect(world.resources(for: group)[.cluster]?.values.contains(where: \.isOnDemand) == false)
        #expect(world.diagnostics.map(\.code) == ["SB211"])
    }

    @Test func `what translation finds is told, once however many groups find it`() throws {
        var files = Files()
        files.files["second.yaml"] = Files.gateway("second")
        let world = TopologyWorld(files.pipeline().topology)
        #expect(world.diagnostics == [])
        for streams in [StreamKind.aggregated, .deltaPerType] {
            let group = try #require(world.group(of: Node(id: "proxy"), streams: streams))
            _ = world.resources(for: group)
        }
        #expect(world.diagnostics.map(\.code) == ["SB204"])
    }
}

extension Envoy_Config_Cluster_V3_Cluster {
    /// From what a proxy would be sent.
    init(decoding resource: Resource) throws {
        let response = Response(
            type: .cluster,
            nonce: Nonce("1"),
            versionInfo: "1",
            resources: [resource],
            removals: []
        )
        let message = try Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: response.encodedSotW())
        try self.init(unpackingAny: message.resources[0])
    }
}
