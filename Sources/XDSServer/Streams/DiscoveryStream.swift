// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import NIOCore
import XDSProtocol

/// The shell around one stream: it hears of requests, snapshots and times, hands them to the session and passes on what is
/// to be sent. To be used on its event loop only.
final class DiscoveryStream {
    enum Output {
        case send([UInt8])
        /// What was sent is all for now.
        case flush
        /// Whether to read on.
        case read(Bool)
        /// End the stream, with OK if nil.
        case end(RPCError?)
    }

    private let server: DiscoveryServer
    private let loop: any EventLoop
    private let isWritable: () -> Bool
    private let hasRoom: () -> Bool
    private let output: (Output) -> Void
    private let session: StreamSession
    private let record: StreamRecord
    /// Requests that wait for their turn: the first of a type, and what came after it.
    private var waiting: [RequestMessage] = []
    /// Where they queue when answers may be made again; nil if that is not what they wait for.
    private var waitsForRoom: AdmissionQueue?
    private var held = HeldRequest()
    /// Times that passed while no answer could be made.
    private var overdue: [Int] = []
    /// The cache has a snapshot that was not taken, because the proxy does not read.
    private var hasSnapshot = false
    private var nextPush = NIODeadline.uptimeNanoseconds(0)
    private var timers: [Int: Scheduled<Void>] = [:]
    private var isHalfClosed = false
    private var isOver = false

    init(
        method: DiscoveryMethod,
        server: DiscoveryServer,
        peer: String,
        connection: Account,
        loop: any EventLoop,
        isWritable: @escaping () -> Bool,
        hasRoom: @escaping () -> Bool,
        output: @escaping (Output) -> Void
    ) {
        self.server = server
        self.loop = loop
        self.isWritable = isWritable
        self.hasRoom = hasRoom
        self.output = output
        self.record = server.registry.open(method: method, peer: peer)
        self.session = StreamSession(method: method, server: server, record: self.record, connection: connection)
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.record.attach(self.session) { loop.execute { bound.value.drain() } }
        // The client had not heard of it yet.
        if server.registry.isDraining { self.record.drain() }
    }

    // MARK: What happened

    func received(_ bytes: [UInt8], _ admissions: AdmissionQueue) {
        guard !self.isOver else { return }
        let message: RequestMessage
        do {
            message = try self.session.read(bytes)
        } catch {
            self.finish(error, reason: "\(error.code): \(error.message)")
            return
        }
        guard self.waiting.isEmpty else {
            self.waiting.append(message)
            return
        }
        if self.session.isFirst(message) || !self.hasRoom() {
            self.waiting.append(message)
            // What comes meanwhile stays with the client.
            self.output(.read(false))
            admissions.admit { self.admitted(admissions) }
        } else {
            self.take(message)
        }
    }

    private func admitted(_ admissions: AdmissionQueue) {
        guard !self.isOver else { return }
        guard self.hasRoom() else {
            self.waitsForRoom = admissions
            let bytes = self.waiting.reduce(0) { $0 + $1.byteCount }
            guard !self.held.hold(bytes, self.server.budget) else { return }
            let error = RPCError.tooManyLargeRequests
            self.finish(error, reason: "\(error.code): \(error.message)")
            return
        }
        self.held.release(self.server.budget)
        let messages = self.waiting
        self.waiting = []
        for (index, message) in messages.enumerated() where !self.isOver {
            if index > 0, self.session.isFirst(message) || !self.hasRoom() {
                self.waiting = Array(messages[index...])
                admissions.admit { self.admitted(admissions) }
                return
            }
            self.take(message)
        }
        guard !self.isOver else { return }
        self.output(.read(true))
        // What came with that may be a first one that waits for its turn again.
        if self.isHalfClosed, self.waiting.isEmpty { self.finish(nil, reason: "closed by the proxy") }
    }

    private func take(_ message: RequestMessage) {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let mayPush = self.server.limits.pushTimeAmount == nil || NIODeadline.now() >= self.earliestPush
        self.perform {
            try self.session.received(message, takesNewest: mayPush) { [loop] in
                loop.execute { bound.value.snapshotDelivered() }
            }
        }
    }

    /// A few changes after a rest go out at once; only a storm is slowed down.
    private var earliestPush: NIODeadline {
        guard let interval = self.server.limits.pushTimeAmount else { return self.nextPush }
        return self.nextPush - interval * StreamLimits.pushBurst
    }

    private func snapshotDelivered() {
        guard !self.isOver else { return }
        guard self.isWritable() else {
            self.hasSnapshot = true
            return
        }
        self.hasSnapshot = false
        if let interval = self.server.limits.pushTimeAmount {
            let now = NIODeadline.now()
            if now < self.earliestPush {
                // Newer snapshots take this one's place meanwhile.
                let bound = NIOLoopBound(self, eventLoop: self.loop)
                self.timers[0] = self.loop.scheduleTask(deadline: self.earliestPush) { bound.value.snapshotDelivered() }
                return
            }
            self.nextPush = max(now, self.nextPush) + interval
        }
        self.perform { self.session.snapshotDelivered() }
    }

    func becameWritable() {
        if let admissions = self.waitsForRoom {
            self.waitsForRoom = nil
            admissions.admit { self.admitted(admissions) }
        }
        let overdue = self.overdue
        self.overdue = []
        for number in overdue { self.deadlinePassed(number) }
        if self.hasSnapshot { self.snapshotDelivered() }
    }

    private func deadlinePassed(_ number: Int) {
        self.timers[number] = nil
        guard self.hasRoom() else {
            self.overdue.append(number)
            return
        }
        self.perform { self.session.deadlinePassed(number) }
    }

    func halfClosed() {
        self.isHalfClosed = true
        if self.waiting.isEmpty { self.finish(nil, reason: "closed by the proxy") }
    }

    /// The connection shuts down.
    func retire() {
        self.finish(nil, reason: "the connection is old enough")
    }

    /// The server shuts down.
    private func drain() {
        self.finish(nil, reason: "drained")
    }

    // MARK: What to do

    private func perform(_ event: () throws -> [StreamStateMachine.Action]) {
        guard !self.isOver else { return }
        do {
            let actions = try event()
            guard !actions.isEmpty else { return }
            for action in actions { try self.perform(action) }
            self.output(.flush)
        } catch let error as RPCError {
            self.finish(error, reason: "\(error.code): \(error.message)")
        } catch {
            self.finish(RPCError(code: .internalError, message: ""), reason: "\(error)")
        }
    }

    private func perform(_ action: StreamStateMachine.Action) throws {
        switch action {
        case .respond(let response):
            self.server.registry.metrics.sent(response)
            self.output(.send(self.session.encoded(response)))
        case .report(let rejection): self.server.registry.report(rejection, from: self.record)
        case .wake(let number, let duration):
            let bound = NIOLoopBound(self, eventLoop: self.loop)
            self.timers[number] = self.loop.scheduleTask(in: TimeAmount(duration)) {
                bound.value.deadlinePassed(number)
            }
        case .close(let violation): throw RPCError(violation)
        }
    }

    private func finish(_ error: RPCError?, reason: String) {
        guard !self.isOver else { return }
        self.end(reason: reason)
        self.output(.end(error))
    }

    /// The stream is over; nothing is sent any more.
    func end(reason: String) {
        guard !self.isOver else { return }
        self.isOver = true
        for timer in self.timers.values { timer.cancel() }
        self.timers = [:]
        self.waiting = []
        self.waitsForRoom = nil
        self.overdue = []
        self.held.release(self.server.budget)
        if self.server.released.add(self.session.end()) {
            let released = self.server.released
            self.loop.scheduleTask(in: ReleasedMemory.delay) { released.giveBack() }
        }
        self.server.registry.close(self.record, reason: reason)
    }
}
