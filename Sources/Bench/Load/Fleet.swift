// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// All streams of a load test, on one event loop: what they share, what they wait for, and what they have received.
///
/// One event loop, because it needs no locks and leaves the other core to the server. Everything here is called on it.
final class Fleet {
    /// A wait for something that happens once for each stream.
    private struct Wait {
        let what: String
        /// The endpoints to look out for; nil: for being in sync.
        let endpoints: NameTable.Index?
        let began: NIODeadline
        var missing: Set<Int>
        var times: [Int64] = []
        let promise: EventLoopPromise<[Int64]>
        let timeout: Scheduled<Void>
    }

    /// How much a stream holds.
    struct Held: Hashable, Sendable {
        var clusters: Int
        var resources: Int
    }

    let variant: Variant
    /// What the stream of each begins with: see `StreamHandler.requestHeaders`.
    let requestHeaders: ByteBuffer
    var names = SharedNames()
    private let loop: any EventLoop
    private var connections: [Int: any Channel] = [:]
    private var traffic = Traffic()
    private var wait: Wait?
    private var failure: LoadFailure?
    /// Those that are open, or are to be.
    private var streams: Set<Int> = []
    /// What a stream held when it was in sync; more than one if they disagree.
    private(set) var held: Set<Held> = []

    init(variant: Variant, requestHeaders: ByteBuffer, loop: any EventLoop) {
        self.variant = variant
        self.requestHeaders = requestHeaders
        self.loop = loop
    }

    /// The endpoints whose change is waited for.
    var awaited: NameTable.Index? { self.wait?.endpoints }

    /// What was received since the last call.
    func takeTraffic() -> Traffic {
        defer { self.traffic = Traffic() }
        return self.traffic
    }

    /// Nanoseconds from now until each of `streams` is in sync.
    func awaitSync(_ streams: some Sequence<Int>, timeout: TimeAmount) -> EventLoopFuture<[Int64]> {
        self.streams.formUnion(streams)
        return self.begin("in sync", nil, Set(streams), timeout: timeout)
    }

    /// Nanoseconds from now until each open stream has a change of these endpoints.
    func awaitChange(of endpoints: NameTable.Index, timeout: TimeAmount) -> EventLoopFuture<[Int64]> {
        self.begin("sent the change", endpoints, self.streams, timeout: timeout)
    }

    private func begin(
        _ what: String,
        _ endpoints: NameTable.Index?,
        _ streams: Set<Int>,
        timeout: TimeAmount
    ) -> EventLoopFuture<[Int64]> {
        precondition(self.wait == nil, "one wait at a time")
        if let failure { return self.loop.makeFailedFuture(failure) }
        let promise = self.loop.makePromise(of: [Int64].self)
        let scheduled = self.loop.assumeIsolated().scheduleTask(in: timeout) { self.timedOut(after: timeout) }
        self.wait = Wait(
            what: what,
            endpoints: endpoints,
            began: .now(),
            missing: streams,
            promise: promise,
            timeout: scheduled
        )
        return promise.futureResult
    }

    // MARK: What happens on the streams

    func opened(_ stream: Int, _ channel: any Channel) {
        self.connections[stream] = channel
    }

    func received(_ receipt: SimulatedEnvoy.Receipt, bytes: Int, _ stream: Int, at time: NIODeadline) {
        self.traffic.add(receipt, bytes: bytes)
        if receipt.hasAwaited { self.arrived(stream, at: time) }
    }

    func inSync(_ stream: Int, holding held: Held, at time: NIODeadline) {
        self.held.insert(held)
        if self.wait?.endpoints == nil { self.arrived(stream, at: time) }
    }

    /// A stream ended that should not have.
    func lost(_ stream: Int, _ reason: String) {
        if self.streams.contains(stream) { self.fail(LoadFailure("stream \(stream): \(reason)")) }
    }

    /// Ends the wait, and all that follow. The first reason counts.
    func fail(_ failure: LoadFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        self.finishWait { $0.promise.fail(failure) }
    }

    private func arrived(_ stream: Int, at time: NIODeadline) {
        // In place: a copy of the wait would copy the set at each arrival.
        guard let began = self.wait?.began, self.wait?.missing.remove(stream) != nil else { return }
        self.wait?.times.append((time - began).nanoseconds)
        if self.wait?.missing.isEmpty == true { self.finishWait { $0.promise.succeed($0.times) } }
    }

    private func timedOut(after timeout: TimeAmount) {
        guard let wait else { return }
        let total = wait.missing.count + wait.times.count
        let seconds = timeout.nanoseconds / 1_000_000_000
        self.fail(LoadFailure("\(wait.missing.count) of \(total) streams were not \(wait.what) within \(seconds) s"))
    }

    private func finishWait(_ finish: (Wait) -> Void) {
        guard let wait = self.wait.take() else { return }
        wait.timeout.cancel()
        finish(wait)
    }

    /// Closes every connection, as proxies do that are stopped.
    func close() -> EventLoopFuture<Void> {
        self.streams = []
        let closed = self.connections.values.map { connection in
            connection.close(mode: .all, promise: nil)
            return connection.closeFuture
        }
        self.connections = [:]
        return EventLoopFuture.andAllComplete(closed, on: self.loop)
    }
}
