// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import NIOHTTP2
import Testing
import XDSProtocol

@testable import XDSServer

/// When fetches are answered, and how long they may take.
struct FetchTurnTests {
    private static let method = DiscoveryMethod.fetches.first { $0.type == .cluster }

    private func connection(_ bytes: Int, window: Int = 65_535) throws -> EmbeddedConnection {
        let cache = SnapshotCache()
        cache.publish(TestWorld([.cluster: ["c": String(repeating: "c", count: bytes)]]))
        let registry = StreamRegistry(logger: EventLog().logger)
        return try EmbeddedConnection(to: DiscoveryServer(cache: cache, registry: registry), window: window)
    }

    @Test func `a long answer may take its time to be read`() throws {
        let connection = try self.connection(1_000_000)
        let fetch = try connection.call(#require(Self.method), SotWRequestMessage.ask(.cluster, as: "proxy"))
        try connection.pump()
        for _ in 0..<20 {
            #expect(try #require(connection.calls[fetch]).status == nil)
            try connection.advance(by: 1)
            connection.grant(50_000, on: fetch)
        }
        try connection.pump()
        let call = try #require(connection.calls[fetch])
        #expect(call.status == 0 && call.reset == nil && call.bytes > 1_000_000)
        connection.close()
    }

    @Test func `a client that does not end its side is not waited for`() throws {
        let connection = try self.connection(1)
        let fetch = try connection.call(
            #require(Self.method),
            SotWRequestMessage.ask(.cluster, as: "proxy"),
            isLast: false
        )
        try connection.advance(by: 4)
        var call = try #require(connection.calls[fetch])
        #expect(call.status == 0 && call.reset == nil)
        try connection.advance(by: 2)
        call = try #require(connection.calls[fetch])
        #expect(call.reset == .cancel)
        connection.close()
    }

    @Test func `of fetches that come at once one is answered, and then others have their turn`() throws {
        let connection = try self.connection(1)
        for _ in 0..<10 { try connection.call(#require(Self.method), SotWRequestMessage.ask(.cluster, as: "proxy")) }
        try connection.deliver()
        #expect(try connection.overAfterNextTurn() == 1)
        try connection.pump()
        #expect(connection.calls.values.allSatisfy { $0.status == 0 && $0.bytes > 0 })
        connection.close()
    }

    @Test func `a fetch that is given up before its turn is not answered`() throws {
        let connection = try self.connection(1)
        let given = try connection.call(#require(Self.method), SotWRequestMessage.ask(.cluster, as: "proxy"))
        let kept = try connection.call(#require(Self.method), SotWRequestMessage.ask(.cluster, as: "proxy"))
        try connection.deliver()
        connection.say(.rstStream(.cancel), on: given)
        try connection.deliver()
        try connection.pump()
        #expect(connection.calls[given]?.bytes == 0)
        #expect(connection.calls[kept]?.status == 0)
        connection.close()
    }

    @Test func `what ends a stream does not wait until something else is said`() throws {
        let connection = try self.connection(1)
        let refused = try connection.call(#require(Self.method), SotWRequestMessage.ask(.cluster))
        try connection.pump()
        #expect(connection.calls[refused]?.status == 3)
        connection.close()
    }
}
