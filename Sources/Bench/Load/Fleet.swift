// SPDX-License-Identifier: Apache-2.0

import Glibc

/// All streams of a load test with what they share, what they wait for and what they have received.
///
/// On the caller's thread alone: it needs no locks and leaves the other core to the server. Nothing happens between two calls.
final class Fleet {
    /// A wait for something that happens once for each stream, and for the answer to a change.
    private struct Wait {
        let what: String
        /// The endpoints to look out for; nil: for being in sync.
        var endpoints: NameTable.Index?
        let began = Fleet.now
        var isMissing: [Bool]
        var times: [Int64] = []
        /// Nanoseconds until the change was answered; nil until then.
        var answer: Int64?

        var isOver: Bool { self.times.count == self.isMissing.count && (self.endpoints == nil || self.answer != nil) }
    }

    /// How much a stream holds.
    struct Held: Hashable, Sendable {
        var clusters: Int
        var resources: Int
    }

    private static let adminToken = Int(UInt32.max)
    /// Streams that are opened before what came meanwhile is looked at.
    private static let batch = 16

    private let options: LoadTest.Options
    private let address: Socket.Address
    private let headers: [UInt8]
    private let poller: Poller
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    private let admin: AdminConnection?
    private var output = Output()
    private var names = SharedNames()
    /// Nil: it ended.
    private var connections: [StreamConnection?] = []
    private var firstNumber = 0
    private var traffic = Traffic()
    private var wait: Wait?
    /// What a stream held when it was in sync; more than one if they disagree.
    private var holdings: Set<Held> = []

    /// With the admin connection open, unless nothing is to be changed.
    init(_ options: LoadTest.Options) throws {
        self.options = options
        self.address = try Socket.Address(options.address)
        self.headers = try StreamConnection.requestHeaders(options.variant, authority: "\(options.address)")
        self.poller = try Poller()
        guard options.cycles == nil, options.changes > 0 else {
            self.admin = nil
            return
        }
        let socket = try Socket(to: try Socket.Address(options.adminAddress), timeout: options.timeout)
        self.admin = AdminConnection(socket, authority: "\(options.adminAddress)")
        self.poller.add(socket, token: Self.adminToken)
    }

    deinit {
        self.buffer.deallocate()
    }

    // MARK: What is done

    /// Opens streams and returns when all are in sync: nanoseconds until each was.
    func open(_ streams: Range<Int>) throws -> [Int64] {
        self.firstNumber = streams.lowerBound
        self.wait = Wait(what: "in sync", isMissing: Array(repeating: true, count: streams.count))
        for stream in streams {
            let socket = try Socket(to: self.address, timeout: self.options.timeout)
            let connection = StreamConnection(socket, number: stream, variant: self.options.variant)
            self.connections.append(connection)
            connection.open(self.headers, &self.output)
            self.poller.add(socket, token: stream - streams.lowerBound)
            try self.flush(socket, token: stream - streams.lowerBound)
            if self.connections.count.isMultiple(of: Self.batch) { try self.turn(milliseconds: 0) }
        }
        return try self.finishWait().times
    }

    /// Changes the endpoints of a service: nanoseconds until each stream had them, and until the change was answered.
    func touch(_ service: Int) throws -> ([Int64], Int64) {
        let name = WorldDocument.serviceName(service)
        guard let endpoints = self.names.endpoints(name) else {
            throw LoadFailure("the server has no endpoints named \(name)")
        }
        let isMissing = Array(repeating: true, count: self.connections.count)
        self.wait = Wait(what: "sent the change", endpoints: endpoints, isMissing: isMissing)
        try self.admin?.post("/touch?service=\(service)")
        let wait = try self.finishWait()
        return (wait.times, wait.answer ?? 0)
    }

    /// Goes on being many proxies for so long.
    func run(for time: Duration) throws {
        let end = Self.now + Int64(time / .nanoseconds(1))
        while true {
            let left = end - Self.now
            guard left > 0 else { return }
            try self.turn(milliseconds: CInt(clamping: (left + 999_999) / 1_000_000))
        }
    }

    /// Closes every connection, as proxies do that are stopped.
    func closeStreams() {
        self.connections = []
    }

    /// What was received since the last call.
    func takeTraffic() -> Traffic {
        defer { self.traffic = Traffic() }
        return self.traffic
    }

    /// What each stream holds.
    func held() throws(LoadFailure) -> Held {
        guard self.holdings.count == 1, let everywhere = self.holdings.first else {
            throw LoadFailure("streams disagree: \(self.holdings)")
        }
        return everywhere
    }

    // MARK: What happens

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func finishWait() throws -> Wait {
        defer { self.wait = nil }
        let timeout = self.options.timeout
        let end = Self.now + Int64(timeout / .nanoseconds(1))
        // Not held meanwhile: see `arrived`.
        while self.wait?.isOver == false {
            let left = end - Self.now
            guard left > 0 else { break }
            try self.turn(milliseconds: CInt(clamping: (left + 999_999) / 1_000_000))
        }
        guard let wait else { throw LoadFailure("nothing is waited for") }
        guard !wait.isOver else { return wait }
        let (count, missing) = (wait.isMissing.count, wait.isMissing.count(where: \.self))
        throw LoadFailure("\(missing) of \(count) streams were not \(wait.what) within \(timeout.components.seconds) s")
    }

    private func turn(milliseconds: CInt) throws {
        try self.poller.wait(milliseconds: milliseconds) { token, isWritable in
            if token == Self.adminToken { return try self.handleAdmin() }
            guard let connection = self.connections[token] else { return }
            do {
                try self.handle(connection, token: token, isWritable: isWritable)
            } catch {
                self.connections[token] = nil
                self.output.clear()
                throw LoadFailure("stream \(self.firstNumber + token): \(error)")
            }
        }
    }

    private func handleAdmin() throws {
        guard let admin, let count = try admin.socket.read(into: self.buffer) else { return }
        guard count > 0 else { throw LoadFailure("the admin connection was closed") }
        guard try admin.received(UnsafeRawBufferPointer(self.buffer).upTo(count)), let began = self.wait?.began else {
            return
        }
        self.wait?.answer = Self.now - began
    }

    private func handle(_ connection: StreamConnection, token: Int, isWritable: Bool) throws {
        if isWritable {
            try connection.socket.writeRest()
            if !connection.socket.isBehind { self.poller.update(connection.socket, token: token) }
        }
        guard let count = try connection.socket.read(into: self.buffer) else { return }
        guard count > 0 else { throw LoadFailure("the connection was closed") }
        let time = Self.now
        let news = try connection.received(
            UnsafeRawBufferPointer(self.buffer).upTo(count),
            awaiting: self.wait?.endpoints,
            names: &self.names,
            &self.output
        )
        for (receipt, bytes) in news.receipts {
            self.traffic.add(receipt, bytes: bytes)
            if receipt.hasAwaited { self.arrived(token, at: time) }
        }
        if let held = news.synced {
            self.holdings.insert(held)
            if self.wait?.endpoints == nil { self.arrived(token, at: time) }
        }
        try self.flush(connection.socket, token: token)
    }

    private func flush(_ socket: Socket, token: Int) throws {
        guard !self.output.isEmpty else { return }
        try socket.write(self.output.bytes, self.output.tail)
        self.output.clear()
        if socket.isBehind { self.poller.update(socket, token: token) }
    }

    /// In place: a copy of the wait would copy what is missing at each arrival.
    private func arrived(_ stream: Int, at time: Int64) {
        guard let began = self.wait?.began, self.wait?.isMissing[stream] == true else { return }
        self.wait?.isMissing[stream] = false
        self.wait?.times.append(time - began)
    }
}
