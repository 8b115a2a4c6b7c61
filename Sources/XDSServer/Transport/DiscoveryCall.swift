// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2
import XDSProtocol

/// What a proxy does with one HTTP/2 stream: which method it calls, its messages, its end. All on the connection's event
/// loop, without a task: a push is a hop to the loop and a write.
///
/// Whether the stream can be written to is the back-pressure: while a proxy does not read, nothing is made for it.
final class DiscoveryCall {
    private enum State {
        /// No headers yet.
        case none
        case stream(DiscoveryStream)
        /// Without its request.
        case fetch(DiscoveryMethod)
        /// A fetch that waits for its turn to be answered, with its request.
        case turn([UInt8], DiscoveryMethod)
        case over
    }

    /// How long a client may take to end its side after the stream was ended on ours.
    private static let linger = TimeAmount.seconds(5)

    private let server: DiscoveryServer
    private let admissions: AdmissionQueue
    private let connection: Account
    private let stream: HTTP2Stream
    private var state = State.none
    private var deframer: MessageDeframer
    private var held = HeldRequest()
    private var hasSentHeaders = false
    private var isHalfClosed = false
    /// Ends the stream if what is on its way does not come.
    private var deadline: Scheduled<Void>?
    /// As well, if the client does not end its side.
    private var farewell: Scheduled<Void>?

    init(on stream: HTTP2Stream, server: DiscoveryServer, admissions: AdmissionQueue, connection: Account) {
        self.stream = stream
        self.server = server
        self.admissions = admissions
        self.connection = connection
        self.deframer = MessageDeframer(limit: server.limits.requestBytes, budget: server.budget)
    }

    // MARK: What happens to the stream

    func received(_ headers: HPACKHeaders, isLast: Bool) {
        if case .none = self.state { self.begin(headers) }
        if isLast { self.halfClosed() }
    }

    func received(_ bytes: ByteBuffer, isLast: Bool) {
        self.received(bytes)
        if isLast { self.halfClosed() }
    }

    func becameWritable() {
        switch self.state {
        case .stream(let stream): stream.becameWritable()
        case .turn: self.admissions.admit { self.haveTurn() }
        case .none, .fetch, .over: return
        }
    }

    /// Nothing of an answer is read, and others wait for the room that it takes.
    func stalled() {
        self.finish(reason: "\(RPCError.Code.resourceExhausted): an answer was not read")
        // What would be said stood behind the answer. A client takes this for RESOURCE_EXHAUSTED.
        self.stream.reset(.enhanceYourCalm)
    }

    /// The connection is old enough. A fetch is answered still.
    func retire() {
        if case .stream(let stream) = self.state { stream.retire() }
    }

    /// - Parameter reason: nil if both sides ended it, or the connection is gone.
    func closed(_ reason: String?) {
        // The timer would keep this call for seconds, and there may be many that come and go.
        self.farewell?.cancel()
        self.finish(reason: reason ?? (self.isHalfClosed ? "closed by the proxy" : "connection lost"))
    }

    // MARK: Requests

    private func begin(_ headers: HPACKHeaders) {
        guard headers.first(name: "content-type")?.hasPrefix("application/grpc") == true else {
            self.state = .over
            self.stream.write(.headers(.init(headers: GRPCHeaders.unsupportedMediaType, endStream: true)))
            return
        }
        let path = headers.first(name: ":path") ?? ""
        guard let (method, isStream) = DiscoveryMethod.byPath[path] else {
            // Rule 11: what is not served is not there.
            self.end(RPCError(code: .unimplemented, message: "\(path.prefix(200)) is not served here"))
            return
        }
        if let problem = GRPCHeaders.problem(headers) {
            self.end(problem)
            return
        }
        self.awaitRequest()
        guard isStream else {
            self.state = .fetch(method)
            return
        }
        // Now, before there is anything to say: a client takes the stream for good.
        self.sendHeaders()
        self.state = .stream(
            DiscoveryStream(
                method: method,
                server: self.server,
                peer: self.stream.peerName,
                connection: self.connection,
                loop: self.stream.eventLoop,
                isWritable: { [stream] in stream.isWritable },
                hasRoom: { [stream] in stream.hasRoom },
                // Both refer to each other until `finish`.
                output: { self.perform($0) }
            )
        )
    }

    private func received(_ bytes: ByteBuffer) {
        self.deframer.append(bytes)
        do {
            while let message = try self.nextMessage() {
                self.stream.received(message: message.count)
                switch self.state {
                case .stream(let stream): stream.received(message, self.admissions)
                case .fetch(let method): self.takeTurn(message, method)
                case .none, .turn, .over: return
                }
                self.stopWaiting()
            }
            self.awaitRest()
        } catch let error as RPCError {
            self.end(error)
        } catch {
            self.end(RPCError(code: .internalError, message: ""))
        }
    }

    /// While nothing is read it is not the client that is late.
    private func awaitRest() {
        if self.stream.isReading, !self.deframer.isEmpty, self.deadline == nil { self.awaitRequest() }
    }

    private func awaitRequest() {
        let time = self.server.limits.requestTime
        let bound = NIOLoopBound(self, eventLoop: self.stream.eventLoop)
        self.deadline = self.stream.eventLoop.scheduleTask(in: TimeAmount(time)) {
            bound.value.end(RPCError(code: .resourceExhausted, message: "a request did not come within \(time)"))
        }
    }

    private func stopWaiting() {
        self.deadline?.cancel()
        self.deadline = nil
    }

    private func nextMessage() throws -> [UInt8]? {
        switch self.state {
        case .turn, .over:
            self.deframer = MessageDeframer(limit: 0, budget: self.server.budget)
            return nil
        case .none, .stream, .fetch: return try self.deframer.next()
        }
    }

    /// The answer is a first one, so it may be large.
    private func takeTurn(_ message: [UInt8], _ method: DiscoveryMethod) {
        self.state = .turn(message, method)
        self.admissions.admit { self.haveTurn() }
    }

    private func haveTurn() {
        // It may have been given up meanwhile.
        guard case .turn(let message, let method) = self.state else { return }
        guard self.stream.hasRoom else {
            if !self.held.hold(message.count, self.server.budget) { self.end(.tooManyLargeRequests) }
            return
        }
        self.fetch(message, method)
    }

    private func fetch(_ message: [UInt8], _ method: DiscoveryMethod) {
        do {
            let response = try self.server.fetch(message, by: method, on: self.connection)
            self.sendHeaders()
            self.send(response)
            self.end(nil)
        } catch let error as RPCError {
            self.end(error)
        } catch {
            self.end(RPCError(code: .internalError, message: ""))
        }
    }

    private func halfClosed() {
        self.isHalfClosed = true
        switch self.state {
        case .stream(let stream): stream.halfClosed()
        case .fetch: self.end(RPCError(code: .invalidArgument, message: "a fetch needs a request"))
        // What waits for its turn is answered still.
        case .none, .turn, .over: return
        }
    }

    // MARK: Responses

    private func perform(_ output: DiscoveryStream.Output) {
        guard case .stream = self.state else { return }
        switch output {
        case .send(let bytes): self.send(bytes)
        case .flush: self.stream.flush()
        case .read(let isOn):
            if !isOn { self.stopWaiting() }
            self.stream.setReading(isOn)
            self.awaitRest()
        case .end(let error): self.end(error)
        }
    }

    private func sendHeaders() {
        self.hasSentHeaders = true
        self.stream.write(.headers(.init(headers: GRPCHeaders.response)))
    }

    private func send(_ message: [UInt8]) {
        var buffer = ByteBufferAllocator().buffer(capacity: message.count + 5)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(message.count))
        buffer.writeBytes(message)
        self.stream.write(.data(.init(data: .byteBuffer(buffer))))
    }

    private func end(_ error: RPCError?) {
        let trailers = GRPCHeaders.trailers(error, isOnly: !self.hasSentHeaders)
        self.finish(reason: error.map { "\($0.code): \($0.message)" } ?? "ended")
        // The stream may be closed by what is written.
        if !self.isHalfClosed { self.awaitFarewell() }
        self.stream.writeLast(.headers(.init(headers: trailers, endStream: true)))
    }

    private func awaitFarewell() {
        let bound = NIOLoopBound(self, eventLoop: self.stream.eventLoop)
        self.farewell = self.stream.eventLoop.scheduleTask(in: Self.linger) {
            // It has ended its side since then, perhaps with the request that was answered, and may take its time to read.
            if !bound.value.isHalfClosed { bound.value.stream.reset() }
        }
    }

    private func finish(reason: String) {
        self.stopWaiting()
        self.deframer.release()
        // Also what they take: this call may live for some seconds more.
        self.deframer = MessageDeframer(limit: 0, budget: self.server.budget)
        self.held.release(self.server.budget)
        if case .stream(let stream) = self.state { stream.end(reason: reason) }
        self.state = .over
    }
}
