// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// A server of a test's own that answers with whatever bytes the test wants, HTTP or not.
final class TestServer: Sendable {
    struct Request: Sendable {
        /// How many came before it, over all connections.
        var number: Int
        /// The request line and the headers, and the body after an empty line.
        var text: String
        var body: String

        func header(_ name: String) -> String? {
            for line in self.text.split(separator: "\r\n").dropFirst() where !line.isEmpty {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, parts[0].lowercased() == name.lowercased() else { continue }
                return String(parts[1].drop { $0 == " " })
            }
            return nil
        }

        var line: String { self.text.split(separator: "\r\n").first.map(String.init) ?? "" }
    }

    typealias Reply = @Sendable (Request, TestConnection) -> Void

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: [ObjectIdentifier: any Channel] = [:]
        var mostOpen = 0
    }

    private let state = Mutex(State())
    private let channel: Mutex<(any Channel)?> = Mutex(nil)
    let address: APIAddress

    var requests: [Request] { self.state.withLock(\.requests) }
    /// How many there were.
    var connections: Int { self.state.withLock(\.connections) }
    var openConnections: Int { self.state.withLock(\.open.count) }
    /// The most that there were at a time.
    var mostConnections: Int { self.state.withLock(\.mostOpen) }

    private init(address: APIAddress) {
        self.address = address
    }

    /// - Parameters:
    ///   - socket: of a Unix socket; nil: a free port of this machine.
    ///   - greeting: what it says before it is asked.
    static func start(
        tls: NIOSSLContext? = nil,
        socket: String? = nil,
        greeting: String = "",
        reply: @escaping Reply
    ) async throws -> TestServer {
        let holder = Holder()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    guard let server = holder.server.withLock({ $0 }) else { return }
                    try channel.pipeline.syncOperations.addHandler(RequestReader(server, greeting: greeting, reply))
                }
            }
        let channel: any Channel
        if let socket {
            channel = try await bootstrap.bind(unixDomainSocketPath: socket).get()
        } else {
            channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        }
        let port = channel.localAddress?.port ?? 0
        let address: APIAddress =
            if let socket {
                .unix(path: socket)
            } else if tls != nil {
                .https(host: "127.0.0.1", port: port)
            } else {
                .http(host: "127.0.0.1", port: port)
            }
        let new = TestServer(address: address)
        new.channel.withLock { $0 = channel }
        holder.server.withLock { $0 = new }
        return new
    }

    /// No new connections, and an end to the old ones.
    func stop() async throws {
        let channel = self.channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try await channel?.close()
        for channel in self.state.withLock({ Array($0.open.values) }) {
            try? await channel.close()
        }
    }

    /// An end to all connections; new ones are taken.
    func closeAll() {
        for channel in self.state.withLock({ Array($0.open.values) }) { channel.close(promise: nil) }
    }

    private final class Holder: Sendable {
        let server = Mutex<TestServer?>(nil)
    }

    fileprivate func opened(_ channel: any Channel) {
        self.state.withLock { state in
            state.connections += 1
            state.open[ObjectIdentifier(channel)] = channel
            state.mostOpen = max(state.mostOpen, state.open.count)
        }
    }

    fileprivate func closed(_ channel: any Channel) {
        _ = self.state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    fileprivate func received(_ text: String, _ body: String) -> Request {
        self.state.withLock { state in
            let request = Request(number: state.requests.count, text: text, body: body)
            state.requests.append(request)
            return request
        }
    }
}

/// The server's end of a connection.
struct TestConnection: Sendable {
    let channel: any Channel

    func write(_ text: String) {
        self.channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    /// A whole answer.
    func answer(_ status: String = "200 OK", headers: String = "", _ body: String = "[]") {
        self.write("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    func close() {
        self.channel.close(promise: nil)
    }

    /// Does it again and again, as long as there is somebody to do it for.
    func every(_ interval: TimeAmount, _ body: @escaping @Sendable () -> Void) {
        self.channel.eventLoop.scheduleTask(in: interval) {
            guard self.channel.isActive else { return }
            body()
            self.every(interval, body)
        }
    }

    func after(_ delay: TimeAmount, _ body: @escaping @Sendable () -> Void) {
        self.channel.eventLoop.scheduleTask(in: delay, body)
    }

    /// Writes as fast as the other end takes it, up to so many times.
    func pour(_ chunk: ByteBuffer, times: Int, written: @escaping @Sendable (Int) -> Void) {
        guard times > 0, self.channel.isActive else { return }
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenSuccess {
            written(chunk.readableBytes)
            self.pour(chunk, times: times - 1, written: written)
        }
        self.channel.writeAndFlush(chunk, promise: promise)
    }
}

/// Takes requests from the bytes as they come, and hands them to the test.
private final class RequestReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: TestServer
    private let reply: TestServer.Reply
    private let greeting: String
    private var text = ""

    init(_ server: TestServer, greeting: String, _ reply: @escaping TestServer.Reply) {
        self.server = server
        self.greeting = greeting
        self.reply = reply
    }

    func channelActive(context: ChannelHandlerContext) {
        self.server.opened(context.channel)
        if !self.greeting.isEmpty { TestConnection(channel: context.channel).write(self.greeting) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.server.closed(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.text += String(buffer: self.unwrapInboundIn(data))
        while let end = self.text.firstRange(of: "\r\n\r\n") {
            let head = String(self.text[..<end.upperBound])
            let probe = TestServer.Request(number: 0, text: head, body: "")
            let length = probe.header("Content-Length").flatMap { Int($0) } ?? 0
            let rest = self.text[end.upperBound...]
            guard rest.utf8.count >= length else { return }
            let body = String(decoding: rest.utf8.prefix(length), as: UTF8.self)
            self.text = String(decoding: rest.utf8.dropFirst(length), as: UTF8.self)
            let request = self.server.received(head, body)
            self.reply(request, TestConnection(channel: context.channel))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Runs a test with a client, and shuts it down.
func withClient(
    _ address: APIAddress,
    product: APIConfiguration.Product = .consul,
    pathPrefix: String = "",
    maximumConnections: Int = 64,
    maximumBytesUnderWay: Int = 256 * 1024 * 1024,
    tls: TLSOptions = TLSOptions(),
    token: TokenSource = .none,
    basicAuth: BasicAuth? = nil,
    _ body: (APIClient) async throws -> Void
) async throws {
    let configuration = APIConfiguration(
        product: product,
        address: address,
        pathPrefix: pathPrefix,
        tls: tls,
        basicAuth: basicAuth,
        maximumConnections: maximumConnections,
        maximumBytesUnderWay: maximumBytesUnderWay,
        token: token
    )
    let client = APIClient(configuration)
    do {
        try await body(client)
    } catch {
        await client.shutdown()
        throw error
    }
    await client.shutdown()
}

extension APIResponse {
    func expect(_ status: Int, _ location: SourceLocation = #_sourceLocation) {
        #expect(self.status == status, sourceLocation: location)
    }
}

/// A number that closures share.
final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { self.count.withLock { $0 } }

    func add(_ number: Int) {
        self.count.withLock { $0 += number }
    }
}

/// The error that the body ends with.
func failure(_ body: () async throws(APIError) -> Void) async -> APIError? {
    do {
        try await body()
        return nil
    } catch {
        return error
    }
}

/// Waits until it is so, or for 5 s.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<500 {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}
