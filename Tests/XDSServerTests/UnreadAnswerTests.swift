// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import NIOHTTP2
import Testing
import XDSProtocol

@testable import XDSServer

/// Answers that nobody reads take a bounded amount of memory, and whoever reads is served beside them.
struct UnreadAnswerTests {
    private static let size = 60_000
    private static let stream = DiscoveryMethod.streams.first { $0.type == nil && $0.variant == .delta }
    private static let fetch = DiscoveryMethod.fetches.first { $0.type == .cluster }

    private let server: DiscoveryServer

    init() {
        let cache = SnapshotCache()
        cache.publish(TestWorld([.cluster: ["c": String(repeating: "c", count: Self.size)]]))
        var limits = StreamLimits()
        // Two answers use it up.
        limits.answerBudgetBytes = 100_000
        self.server = DiscoveryServer(
            cache: cache,
            registry: StreamRegistry(logger: EventLog().logger),
            limits: limits
        )
    }

    private var answers: Int {
        self.server.registry.streams.reduce(0) { $0 + ($1.status?.first?.responsesSent ?? 0) }
    }

    private func ask(_ connection: EmbeddedConnection, _ number: Int) throws -> HTTP2StreamID {
        let request = DeltaRequestMessage.ask(.cluster, as: "proxy-\(number)")
        let id = try connection.call(#require(Self.stream), request, isLast: false)
        // So that they come in this order.
        try connection.deliver()
        return id
    }

    @Test func `a client that reads nothing is sent no more when the budget is used up, and goes on when it reads`()
        throws
    {
        let connection = try EmbeddedConnection(to: self.server, window: 0)
        let streams = try (0..<20).map { try self.ask(connection, $0) }
        try connection.pump()
        #expect(self.answers == 2)
        #expect(self.server.answers.isUsedUp)

        for stream in streams {
            #expect(self.server.answers.bytes < 3 * Self.size)
            connection.grant(2 * Self.size, on: stream)
            try connection.pump()
        }
        try connection.pump()
        #expect(connection.calls.values.allSatisfy { $0.bytes > Self.size && $0.reset == nil })
        #expect(self.server.answers.bytes == 0)
        connection.close()
    }

    @Test func `beside clients that read nothing, each connection has an answer at a time`() throws {
        let hostile = try EmbeddedConnection(to: self.server, window: 0)
        for number in 0..<5 { _ = try self.ask(hostile, number) }
        try hostile.pump()
        let other = try EmbeddedConnection(to: self.server, window: 1 << 20)
        other.say(.windowUpdate(windowSizeIncrement: 1 << 20), on: .rootStream)
        let streams = try (5..<10).map { try self.ask(other, $0) }
        try other.pump()
        for stream in streams { #expect(try #require(other.calls[stream]).bytes > Self.size) }
        #expect(self.answers == 2 + streams.count)
        #expect(self.server.answers.isUsedUp)
        // What is left of who is gone does not count.
        hostile.close()
        #expect(self.server.answers.bytes == 0)
        other.close()
    }

    @Test func `fetches wait, too`() throws {
        let connection = try EmbeddedConnection(to: self.server, window: 0)
        let fetches = try (0..<20).map { _ in
            try connection.call(#require(Self.fetch), SotWRequestMessage.ask(.cluster, as: "proxy"))
        }
        try connection.pump()
        #expect(self.server.answers.isUsedUp)
        #expect(self.server.answers.bytes < 3 * Self.size)
        for fetch in fetches {
            connection.grant(2 * Self.size, on: fetch)
            try connection.pump()
        }
        #expect(connection.calls.values.allSatisfy { $0.status == 0 && $0.bytes > Self.size })
        #expect(self.server.answers.bytes == 0)
        connection.close()
    }

    @Test(arguments: [0, 1, 100])
    func `when the budget is used up, who reads next to nothing for a minute makes room, and who reads slowly does not`(
        bytes: Int
    ) throws {
        let slow = try EmbeddedConnection(to: self.server, window: 0)
        let slowStream = try self.ask(slow, 0)
        try slow.pump()
        let silent = try EmbeddedConnection(to: self.server, window: 0)
        let streams = try (1..<3).map { try self.ask(silent, $0) }
        try silent.pump()
        #expect(self.answers == 2)
        for _ in 0..<8 {
            slow.grant(2_000, on: slowStream)
            if bytes > 0 { silent.grant(bytes, on: streams[0]) }
            try slow.advance(by: 10)
            try silent.advance(by: 10)
        }
        #expect(slow.calls[slowStream]?.reset == nil)
        #expect(silent.calls[streams[0]]?.reset == .enhanceYourCalm)
        // It waited for this.
        #expect(silent.calls[streams[1]]?.reset == nil)
        #expect(self.answers == 2)
        #expect(self.server.registry.streams.count == 2)
        for connection in [slow, silent] { connection.close() }
        #expect(self.server.answers.bytes == 0)
    }

    @Test func `while there is room, who reads nothing is let be`() throws {
        let connection = try EmbeddedConnection(to: self.server, window: 0)
        let stream = try self.ask(connection, 0)
        try connection.advance(by: 600)
        #expect(self.answers == 1)
        connection.grant(2 * Self.size, on: stream)
        try connection.pump()
        let call = try #require(connection.calls[stream])
        #expect(call.bytes > Self.size && call.reset == nil)
        connection.close()
    }
}
