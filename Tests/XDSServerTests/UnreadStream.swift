// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import NIOCore
import NIOPosix
import SwiftProtobuf
import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// A stream without a connection, whose proxy reads when the test says so.
struct UnreadStream: Sendable {
    private final class State {
        var isWritable = true
        var sent: [[UInt8]] = []
        var stream: DiscoveryStream?
        let admissions: AdmissionQueue

        init(_ loop: any EventLoop) {
            self.admissions = AdmissionQueue(loop: loop)
        }
    }

    private let loop: any EventLoop
    private let state: NIOLoopBound<State>

    static func open(
        on cache: SnapshotCache,
        _ registry: StreamRegistry,
        variant: StreamStateMachine.Variant = .delta
    ) async throws -> UnreadStream {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let method = try #require(DiscoveryMethod.streams.first { $0.type == nil && $0.variant == variant })
        return try await loop.submit {
            let state = State(loop)
            state.stream = DiscoveryStream(
                method: method,
                server: DiscoveryServer(cache: cache, registry: registry),
                peer: "test",
                connection: .connection(StreamLimits()),
                loop: loop,
                isWritable: { state.isWritable },
                hasRoom: { true },
                output: { output in
                    if case .send(let bytes) = output { state.sent.append(bytes) }
                }
            )
            return UnreadStream(loop: loop, state: NIOLoopBound(state, eventLoop: loop))
        }.get()
    }

    /// All of them at once, as if they came in one frame.
    func receive<Request: Message>(_ messages: Request...) async throws {
        let all: [[UInt8]] = try messages.map { try $0.serializedBytes() }
        try await self.loop.submit {
            for bytes in all { self.state.value.stream?.received(bytes, self.state.value.admissions) }
        }.get()
    }

    func setWritable(_ isWritable: Bool) async throws {
        try await self.loop.submit {
            self.state.value.isWritable = isWritable
            if isWritable { self.state.value.stream?.becameWritable() }
        }.get()
    }

    /// What was sent until now: everything that was under way before this call has arrived.
    func sent<Response: Message>(_ type: Response.Type = DeltaResponseMessage.self) async throws -> [Response] {
        // What waits its turn has it in one of the next rounds of the loop.
        for _ in 0..<8 { try await self.loop.submit {}.get() }
        let sent = try await self.loop.submit { self.state.value.sent }.get()
        return try sent.map { try Response(serializedBytes: $0) }
    }

    func close() async throws {
        try await self.loop.submit {
            self.state.value.stream?.end(reason: "test")
            self.state.value.stream = nil
        }.get()
    }
}
