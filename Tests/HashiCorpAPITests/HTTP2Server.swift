// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// A server of a test's own that speaks HTTP/2 and answers when the test says so.
final class HTTP2Server: Sendable {
    private struct State {
        var connections: [any Channel] = []
        /// Path to the stream that waits.
        var waiting: [String: (channel: any Channel, stream: HTTP2StreamID)] = [:]
        var headers: [HPACKHeaders] = []
    }

    private let state = Mutex(State())
    private let channel: any Channel

    /// The paths that are asked for and not answered, without their queries.
    var waiting: Set<String> { self.state.withLock { Set($0.waiting.keys) } }
    /// Of all requests, in their order.
    var headers: [HPACKHeaders] { self.state.withLock(\.headers) }
    var openConnections: Int { self.state.withLock { $0.connections.count { $0.isActive } } }
    var address: APIAddress { .https(host: "127.0.0.1", port: self.channel.localAddress?.port ?? 0) }

    /// - Parameters:
    ///   - streams: how many are allowed; nil: it does not say.
    ///   - isMute: it does the handshake and nothing else.
    ///   - greeting: what a mute one says first.
    init(_ tls: NIOSSLContext, streams: Int? = 100, isMute: Bool = false, greeting: String? = nil) async throws {
        let holder = Mutex<HTTP2Server?>(nil)
        let shared = Shared(holder)
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = shared.server.withLock({ $0 }) else { return }
                    server.state.withLock { $0.connections.append(channel) }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: tls))
                    guard !isMute else {
                        if let greeting { try pipeline.addHandler(Greeter(greeting)) }
                        return
                    }
                    var connection = NIOHTTP2Handler.ConnectionConfiguration()
                    connection.initialSettings =
                        streams.map { [.init(parameter: .maxConcurrentStreams, value: $0)] } ?? []
                    try pipeline.addHandler(
                        NIOHTTP2Handler(
                            mode: .server,
                            connectionConfiguration: connection,
                            streamConfiguration: .init()
                        )
                    )
                    try pipeline.addHandler(Reader(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        shared.server.withLock { $0 = self }
    }

    private final class Shared: Sendable {
        let server: Mutex<HTTP2Server?>
        init(_ server: consuming Mutex<HTTP2Server?>) { self.server = server }
    }

    /// - Parameter isInformed: a head that only informs comes first.
    func answer(_ path: String, status: Int = 200, index: UInt64?, body: String = "[]", isInformed: Bool = false) {
        guard let (channel, stream) = self.state.withLock({ $0.waiting.removeValue(forKey: path) }) else { return }
        if isInformed {
            let head = HTTP2Frame.FramePayload.headers(.init(headers: [":status": "103", "x-consul-index": "1"]))
            channel.write(HTTP2Frame(streamID: stream, payload: head), promise: nil)
        }
        var headers: HPACKHeaders = [":status": String(status)]
        if let index { headers.add(name: "x-consul-index", value: String(index)) }
        channel.write(HTTP2Frame(streamID: stream, payload: .headers(.init(headers: headers))), promise: nil)
        let data = HTTP2Frame.FramePayload.Data(data: .byteBuffer(ByteBuffer(string: body)), endStream: true)
        channel.writeAndFlush(HTTP2Frame(streamID: stream, payload: .data(data)), promise: nil)
    }

    func reset(_ path: String, _ code: HTTP2ErrorCode) {
        guard let (channel, stream) = self.state.withLock({ $0.waiting.removeValue(forKey: path) }) else { return }
        channel.writeAndFlush(HTTP2Frame(streamID: stream, payload: .rstStream(code)), promise: nil)
    }

    /// From now on.
    func allow(streams: Int) {
        for channel in self.state.withLock(\.connections) {
            let settings = HTTP2Frame.FramePayload.Settings.settings([
                .init(parameter: .maxConcurrentStreams, value: streams)
            ])
            channel.writeAndFlush(HTTP2Frame(streamID: .rootStream, payload: .settings(settings)), promise: nil)
        }
    }

    func sayGoodbye() {
        for channel in self.state.withLock(\.connections) {
            let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil)
            channel.writeAndFlush(HTTP2Frame(streamID: .rootStream, payload: payload), promise: nil)
        }
    }

    func closeAll() {
        for channel in self.state.withLock(\.connections) { channel.close(promise: nil) }
    }

    func stop() async throws {
        self.closeAll()
        try await self.channel.close()
    }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let greeting: String

        init(_ greeting: String) { self.greeting = greeting }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: self.greeting)), promise: nil)
            context.fireChannelActive()
        }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame

        private let server: HTTP2Server

        init(_ server: HTTP2Server) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = self.unwrapInboundIn(data)
            switch frame.payload {
            case .headers(let head):
                let path = head.headers.first(name: ":path") ?? ""
                let plain = String(path.prefix { $0 != "?" })
                self.server.state.withLock {
                    $0.headers.append(head.headers)
                    $0.waiting[plain] = (context.channel, frame.streamID)
                }
            default: return
            }
        }
    }
}
