// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import Testing
import XDSProtocol

@testable import XDSServer

/// The services of one type each, and which type URLs a service takes.
@Suite(.timeLimit(.minutes(1))) struct PerTypeStreamTests {
    /// A resource of every type that there is a service for.
    private static let world = TestWorld([
        .listener: ["l": "LDS"], .routeConfiguration: ["r": "RDS"], .virtualHost: ["v": "VHDS"],
        .cluster: ["c": "CDS"], .endpoints: ["e": "EDS"], .secret: ["s": "SDS"],
        .scopedRouteConfiguration: ["s": "SRDS"], .runtime: ["t": "RTDS"], .extensionConfig: ["x": "ECDS"],
    ])

    static let perType = DiscoveryMethod.streams.filter { $0.type != nil }

    @Test func `there is a service of each type, in both variants where the protocol has both`() {
        let served = Self.perType.map { "\($0.type?.shortName ?? "") \($0.variant.rawValue)" }.sorted()
        #expect(
            served == [
                "CDS delta", "CDS sotw", "ECDS delta", "ECDS sotw", "EDS delta", "EDS sotw", "LDS delta", "LDS sotw",
                "RDS delta", "RDS sotw", "RTDS delta", "RTDS sotw", "SDS delta", "SDS sotw", "SRDS delta",
                "SRDS sotw", "VHDS delta",
            ]
        )
    }

    @Test(arguments: perType)
    func `it serves its type, named or not`(method: DiscoveryMethod) async throws {
        let type = try #require(method.type)
        try await Rig.serving(Self.world) { rig in
            for typeURL in [type.rawValue, ""] {
                let contents = try await rig.firstContents(method, typeURL, as: "proxy")
                #expect(contents == [type.shortName])
            }
        }
    }

    @Test(arguments: perType)
    func `it refuses another type`(method: DiscoveryMethod) async throws {
        let other: TypeURL = method.type == .cluster ? .listener : .cluster
        try await Rig.serving(Self.world) { rig in
            for typeURL in [other.rawValue, "type.googleapis.com/unknown", "nonsense"] {
                let error = await rig.refusal {
                    _ = try await rig.firstContents(method, typeURL, as: "proxy")
                }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains(typeURL) == true)
            }
        }
    }

    @Test(arguments: perType)
    func `it follows what is published`(method: DiscoveryMethod) async throws {
        let type = try #require(method.type)
        try await Rig.serving(TestWorld([type: ["x": "1"]])) { rig in
            switch method.variant {
            case .sotw:
                try await rig.converse(method.descriptor) { (proxy: inout SotWConversation) in
                    proxy.ask(type, for: "x", as: "proxy")
                    let first = try await proxy.response()
                    #expect(first.contents == ["1"])
                    proxy.ack(first, "x")
                    rig.cache.publish(TestWorld([type: ["x": "2"]]))
                    #expect(try await proxy.response().contents == ["2"])
                }
            case .delta:
                try await rig.converse(method.descriptor) { (proxy: inout DeltaConversation) in
                    proxy.ask(type, for: "x", as: "proxy")
                    let first = try await proxy.response()
                    #expect(first.contents == ["x": "1"])
                    proxy.ack(first)
                    rig.cache.publish(TestWorld([type: ["x": "2"]]))
                    #expect(try await proxy.response().contents == ["x": "2"])
                }
            }
        }
    }

    @Test(arguments: DiscoveryMethod.streams)
    func `its streams are of the kind that its resources have to point at`(method: DiscoveryMethod) async throws {
        try await Rig.serving(Self.world) { rig in
            let type = method.type ?? .cluster
            _ = try await rig.firstContents(method, type.rawValue, as: "proxy")
            let kind: StreamKind =
                if method.type == nil {
                    method.variant == .delta ? .aggregated : .aggregatedSotW
                } else {
                    method.variant == .delta ? .deltaPerType : .sotwPerType
                }
            #expect(Self.world.groupsAsked.contains(NodeGroup(members: ["all"], streams: kind)))
        }
    }

    @Test(arguments: DiscoveryMethod.streams.filter { $0.type == nil })
    func `an aggregated stream takes every type that is named`(method: DiscoveryMethod) async throws {
        try await Rig.serving(Self.world) { rig in
            for type in [TypeURL.listener, .routeConfiguration, .virtualHost, .cluster, .endpoints, .secret] {
                let contents = try await rig.firstContents(method, type.rawValue, as: "proxy")
                #expect(contents == [type.shortName])
            }
            for typeURL in ["", "nonsense"] {
                let error = await rig.refusal {
                    _ = try await rig.firstContents(method, typeURL, as: "proxy")
                }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains("type_url") == true)
            }
        }
    }

    @Test func `what is not served is not registered`() async throws {
        try await Rig.serving(Self.world) { rig in
            let method = MethodDescriptor(
                fullyQualifiedService: "envoy.service.status.v3.ClientStatusDiscoveryService",
                method: "StreamClientStatus"
            )
            let error = await rig.refusal { _ = try await rig.firstSotW(.cluster, from: method) }
            #expect(error?.code == .unimplemented)
        }
    }
}

extension DiscoveryMethod: CustomTestStringConvertible {
    var testDescription: String { "\(self.descriptor)" }
}
