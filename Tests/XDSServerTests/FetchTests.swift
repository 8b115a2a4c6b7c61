// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import Testing
import XDSProtocol

@testable import XDSServer

@Suite(.timeLimit(.minutes(1))) struct FetchTests {
    private let world = TestWorld([
        .listener: ["l": "LDS"], .routeConfiguration: ["r": "RDS"], .cluster: ["c": "CDS"],
        .endpoints: ["e": "EDS"], .secret: ["s": "SDS"], .scopedRouteConfiguration: ["s": "SRDS"],
        .runtime: ["t": "RTDS"], .extensionConfig: ["x": "ECDS"],
    ])

    @Test(arguments: DiscoveryMethod.fetches)
    func `a fetch is answered with what there is`(method: DiscoveryMethod) async throws {
        let type = try #require(method.type)
        try await Rig.serving(self.world) { rig in
            for typeURL in [type.rawValue, ""] {
                var request = SotWRequestMessage.ask(type, for: ["*"], as: "proxy")
                request.typeURL = typeURL
                let response = try await rig.fetch(request, from: method.descriptor)
                #expect(response.typeURL == type.rawValue)
                #expect(response.contents == [type.shortName])
                #expect(!response.versionInfo.isEmpty)
            }
        }
    }

    @Test(arguments: DiscoveryMethod.fetches)
    func `a fetch of what is not there is answered with nothing`(method: DiscoveryMethod) async throws {
        let type = try #require(method.type)
        try await Rig.serving(self.world) { rig in
            let response = try await rig.fetch(.ask(type, for: ["unknown"], as: "proxy"), from: method.descriptor)
            #expect(response.typeURL == type.rawValue)
            #expect(response.contents == [])
        }
    }

    @Test(arguments: DiscoveryMethod.fetches)
    func `a fetch passes the same checks as a stream`(method: DiscoveryMethod) async throws {
        let type = try #require(method.type)
        let other: TypeURL = type == .cluster ? .listener : .cluster
        try await Rig.serving(self.world) { rig in
            for request in [
                SotWRequestMessage.ask(type), .ask(type, as: ""), .ask(other, as: "proxy"),
                .ask(.other("nonsense"), as: "proxy"),
            ] {
                let error = await rig.refusal { _ = try await rig.fetch(request, from: method.descriptor) }
                #expect(error?.code == .invalidArgument)
            }
        }
    }

    @Test func `a fetch of more names than anybody has is refused before they are read`() async throws {
        let names = (0...50_000).map { "\($0)" }
        try await Rig.serving(self.world) { rig in
            // Without a node: what comes first is refused first.
            let error = await rig.refusal {
                let fetch = DiscoveryMethod.CDS.FetchClusters.descriptor
                _ = try await rig.fetch(SotWRequestMessage.ask(.cluster, for: names), from: fetch)
            }
            #expect(error?.code == .resourceExhausted && error?.message == "more than 50000 names in one request")
        }
    }

    @Test(arguments: DiscoveryMethod.fetches)
    func `a fetch has no way to say unchanged, so what the client has does not matter`(
        method: DiscoveryMethod
    ) async throws {
        let type = try #require(method.type)
        try await Rig.serving(self.world) { rig in
            var request = SotWRequestMessage.ask(type, for: ["*"], as: "proxy")
            let first = try await rig.fetch(request, from: method.descriptor)
            request.versionInfo = first.versionInfo
            request.responseNonce = first.nonce
            #expect(try await rig.fetch(request, from: method.descriptor) == first)
        }
    }

    @Test func `a fetch before there is anything, or by a proxy that nothing selects, is told to come back`()
        async throws
    {
        try await Rig.serving { rig in
            let method = DiscoveryMethod.CDS.FetchClusters.descriptor
            let early = await rig.refusal { _ = try await rig.fetch(.ask(.cluster, as: "proxy"), from: method) }
            #expect(early?.code == .unavailable)
            rig.cache.publish(TestWorld(["all": [.cluster: ["c": "1"]]], members: ["selected": "all"]))
            let nobody = await rig.refusal { _ = try await rig.fetch(.ask(.cluster, as: "proxy"), from: method) }
            #expect(nobody?.code == .unavailable)
            let response = try await rig.fetch(.ask(.cluster, as: "selected"), from: method)
            #expect(response.contents == ["1"])
        }
    }

    @Test func `nothing is remembered of a fetch`() async throws {
        try await Rig.serving(self.world) { rig in
            _ = try await rig.fetch(
                .ask(.cluster, as: "proxy"),
                from: DiscoveryMethod.CDS.FetchClusters.descriptor
            )
            let next = TestWorld([.cluster: ["c": "2"]])
            rig.cache.publish(next)
            #expect(next.groupsAsked == [])
            #expect(rig.registry.streams.isEmpty)
        }
    }
}
