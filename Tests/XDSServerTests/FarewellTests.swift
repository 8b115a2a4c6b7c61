// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import NIOHTTP2
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import XDSServer

/// A stream that the server ends, and what the client does then.
struct FarewellTests {
    private static let stream = DiscoveryMethod.streams.first { $0.type == nil && $0.variant == .sotw }

    /// Without a node, so that it is refused.
    private func refused(isLast: Bool) throws -> (EmbeddedConnection, HTTP2StreamID) {
        let registry = StreamRegistry(logger: EventLog().logger)
        let connection = try EmbeddedConnection(to: DiscoveryServer(cache: SnapshotCache(), registry: registry))
        let request = Envoy_Service_Discovery_V3_DiscoveryRequest.with { $0.typeURL = TypeURL.cluster.rawValue }
        let id = try connection.call(try #require(Self.stream), request, isLast: isLast)
        try connection.pump()
        #expect(connection.calls[id]?.status == 3)
        return (connection, id)
    }

    @Test func `a client that does not end its side is cut off`() throws {
        let (connection, id) = try self.refused(isLast: false)
        try connection.advance(by: 4)
        #expect(connection.calls[id]?.reset == nil)
        try connection.advance(by: 2)
        #expect(connection.calls[id]?.reset == .cancel)
        connection.close()
    }

    @Test func `one that has ended it is not`() throws {
        let (connection, id) = try self.refused(isLast: true)
        try connection.advance(by: 6)
        #expect(connection.calls[id]?.reset == nil)
        connection.close()
    }
}
