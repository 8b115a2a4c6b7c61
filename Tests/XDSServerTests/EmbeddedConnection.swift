// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import SwiftProtobuf
import Testing

@testable import XDSServer

/// One connection as the listener makes it, on a loop whose turns and time are the test's, and at its other end an HTTP/2
/// client that answers PINGs and reads what its windows let in: they open when the test says so.
///
/// To be used on one thread.
final class EmbeddedConnection {
    /// One call as the client sees it.
    struct Call {
        var bytes = 0
        var status: Int?
        var reset: HTTP2ErrorCode?
        /// By how many bytes the server opened its window for the call, each time.
        var grants: [Int] = []
    }

    let loop = EmbeddedEventLoop()
    private let server: EmbeddedChannel
    private let client: EmbeddedChannel
    private(set) var calls: [HTTP2StreamID: Call] = [:]
    private var nextID = HTTP2StreamID(1)

    /// - Parameter window: of each stream. That of the connection is what HTTP/2 begins with.
    init(to server: DiscoveryServer, window: Int = 65_535) throws {
        self.server = EmbeddedChannel(loop: self.loop)
        self.client = EmbeddedChannel(loop: self.loop)
        let listener = XDSListener(address: .unix(path: ""), server: server, logger: EventLog().logger)
        try listener.configure(self.server, AdmissionQueue(loop: self.loop))
        let settings = [HTTP2Setting(parameter: .initialWindowSize, value: window)]
        try self.client.pipeline.syncOperations.addHandler(NIOHTTP2Handler(mode: .client, initialSettings: settings))
        for channel in [self.server, self.client] {
            channel.connect(to: try SocketAddress(unixDomainSocketPath: "test"), promise: nil)
        }
        try self.pump()
    }

    // MARK: What the client says

    /// Begins a call, with its first message. It comes with what is said until `deliver`, in one read.
    @discardableResult
    func call(_ method: DiscoveryMethod, _ message: any Message, isLast: Bool = true) throws -> HTTP2StreamID {
        let id = self.nextID
        self.nextID = id.advanced(by: 2)
        let headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":path": "/\(method.descriptor.fullyQualifiedMethod)",
            ":authority": "test", "te": "trailers", "content-type": "application/grpc",
        ]
        self.calls[id] = Call()
        self.say(.headers(.init(headers: headers)), on: id)
        try self.say(message, on: id, isLast: isLast)
        return id
    }

    func say(_ message: any Message, on id: HTTP2StreamID, isLast: Bool = false) throws {
        let bytes: [UInt8] = try message.serializedBytes()
        var buffer = ByteBuffer(integer: UInt8(0))
        buffer.writeInteger(UInt32(bytes.count))
        buffer.writeBytes(bytes)
        self.say(.data(.init(data: .byteBuffer(buffer), endStream: isLast)), on: id)
    }

    func say(_ payload: HTTP2Frame.FramePayload, on id: HTTP2StreamID) {
        self.client.write(HTTP2Frame(streamID: id, payload: payload), promise: nil)
    }

    func grant(_ bytes: Int, on id: HTTP2StreamID) {
        for each in [id, .rootStream] { self.say(.windowUpdate(windowSizeIncrement: bytes), on: each) }
    }

    // MARK: What happens

    /// What the client said is read by the server, at once; what is put off to later turns of the loop is not done.
    func deliver() throws {
        self.client.flush()
        try Self.move(from: self.client, to: self.server)
        try self.collect()
    }

    /// All that is said and all that is to be done now.
    func pump() throws {
        for _ in 0..<8 {
            try self.deliver()
            self.loop.run()
        }
        try self.collect()
    }

    /// How many calls are over after what the loop has to do now, and before what comes of that.
    func overAfterNextTurn() throws -> Int {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let number = self.loop.submit {
            try bound.value.collect()
            return bound.value.calls.values.filter { $0.status != nil }.count
        }
        self.loop.run()
        return try number.wait()
    }

    func advance(by seconds: Int64) throws {
        for _ in 0..<seconds {
            self.loop.advanceTime(by: .seconds(1))
            try self.pump()
        }
    }

    /// What the server has sent.
    func collect() throws {
        try Self.move(from: self.server, to: self.client)
        while let frame = try self.client.readInbound(as: HTTP2Frame.self) {
            switch frame.payload {
            case .data(let content): self.calls[frame.streamID]?.bytes += content.data.readableBytes
            case .headers(let head):
                guard let status = head.headers.first(name: "grpc-status") else { continue }
                self.calls[frame.streamID]?.status = Int(status)
            case .rstStream(let code): self.calls[frame.streamID]?.reset = code
            case .windowUpdate(let bytes): self.calls[frame.streamID]?.grants.append(bytes)
            default: continue
            }
        }
    }

    func close() {
        _ = try? self.server.finish()
        _ = try? self.client.finish()
    }

    private static func move(from: EmbeddedChannel, to: EmbeddedChannel) throws {
        var all = ByteBuffer()
        while let data = try from.readOutbound(as: IOData.self) {
            guard case .byteBuffer(var bytes) = data else { continue }
            all.writeBuffer(&bytes)
        }
        if all.readableBytes > 0 { try to.writeInbound(all) }
    }
}
