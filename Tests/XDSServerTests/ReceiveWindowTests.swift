// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import NIOHTTP2
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import XDSServer

/// How much a client may send before it is read.
struct ReceiveWindowTests {
    private static let stream = DiscoveryMethod.streams.first { $0.type == nil && $0.variant == .sotw }

    /// A request of about so many bytes, and how often the server opens its window while many of them come.
    private func grants(of size: Int, requests: Int, streams: Int = 1) throws -> [(grants: [Int], sent: Int)] {
        let cache = SnapshotCache()
        cache.publish(TestWorld([:]))
        let registry = StreamRegistry(logger: EventLog().logger)
        let connection = try EmbeddedConnection(to: DiscoveryServer(cache: cache, registry: registry))
        var request = Envoy_Service_Discovery_V3_DiscoveryRequest.with {
            $0.node.id = "proxy"
            $0.typeURL = TypeURL.endpoints.rawValue
            $0.resourceNames = (0..<size / 12).map { "name-\(10_000 + $0)" }
        }
        let bytes: [UInt8] = try request.serializedBytes()
        var ids: [HTTP2StreamID] = []
        for _ in 0..<streams { ids.append(try connection.call(try #require(Self.stream), request, isLast: false)) }
        request.clearNode()
        for _ in 0..<requests {
            try connection.pump()
            for id in ids { try connection.say(request, on: id) }
        }
        try connection.pump()
        let calls = try ids.map { try #require(connection.calls[$0]) }
        #expect(calls.allSatisfy { $0.status == nil && $0.reset == nil })
        #expect(registry.streams.count == streams)
        connection.close()
        return calls.map { ($0.grants, bytes.count * (requests + 1)) }
    }

    @Test func `small requests leave it as it is`() throws {
        let (grants, sent) = try #require(try self.grants(of: 10_000, requests: 100).first)
        #expect(grants.allSatisfy { $0 < HTTP2Stream.firstWindow })
        #expect(grants.count > sent / HTTP2Stream.firstWindow)
    }

    @Test func `who sends large ones again and again is not told each time that there is room`() throws {
        let (grants, sent) = try #require(try self.grants(of: 120_000, requests: 30).first)
        #expect(grants.count <= sent / (HTTP2Stream.firstWindow + 1) + 1)
        // The other streams of the connection are left a part of its window.
        #expect(grants.reduce(0, +) - sent < HTTP2Stream.connectionWindow - HTTP2Stream.firstWindow)
    }

    @Test func `few streams of a connection may send so much`() throws {
        let all = try self.grants(of: 120_000, requests: 12, streams: 5)
        let granted = all.map { $0.grants.reduce(0, +) - $0.sent }
        #expect(granted.count { $0 > HTTP2Stream.firstWindow } <= 2)
    }
}
