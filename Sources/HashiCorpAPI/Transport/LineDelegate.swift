// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Stands between a response and the reader of its lines: stops the one while the other is busy.
final class LineDelegate: HTTPClientResponseDelegate {
    typealias Response = Void

    /// How many lines wait for the reader before the connection does.
    private static let strategy = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
        lowWatermark: 1,
        highWatermark: 8
    )

    private struct State {
        var splitter: LineSplitter
        var source: LineStream.Lines.Source?
        var task: HTTPClient.Task<Void>?
        /// The answer, if it is no stream.
        var refusal: APIResponse?
        /// What the connection waits for while the reader is busy.
        var resumption: EventLoopPromise<Void>?
        /// When the last line ended, or the reader was ready again.
        var lastActivity = NIODeadline.now()
        var timer: Scheduled<Void>?
        var hasEnded = false
        /// Nobody reads the lines any more.
        var isUnwanted = false
    }

    /// Nil when the stream starts, or the answer that came instead.
    let head: EventLoopPromise<APIResponse?>
    private let product: APIConfiguration.Product
    private let idle: TimeAmount
    private let state: Mutex<State>

    init(product: APIConfiguration.Product, limit: Int, idle: TimeAmount, head: EventLoopPromise<APIResponse?>) {
        self.product = product
        self.idle = idle
        self.head = head
        self.state = Mutex(State(splitter: LineSplitter(limit: limit)))
    }

    /// Call once, before the request starts: its lines may come at once.
    func lines() -> LineStream.Lines {
        let new = LineStream.Lines.makeSequence(
            backPressureStrategy: Self.strategy,
            finishOnDeinit: true,
            delegate: self
        )
        self.state.withLock { $0.source = new.source }
        return new.sequence
    }

    /// The request has started.
    func started(_ task: HTTPClient.Task<Void>) {
        let isUnwanted = self.state.withLock { state in
            if !state.hasEnded { state.task = task }
            return state.isUnwanted
        }
        if isUnwanted { task.cancel() }
    }

    /// Always comes, and last, also for a request that never started.
    func ended(_ result: Result<Void, any Error>) {
        let (source, refusal, timer) = self.state.withLock { state in
            defer {
                state.source = nil
                state.task = nil
            }
            state.hasEnded = true
            return (state.source, state.refusal, state.timer)
        }
        timer?.cancel()
        self.resume()
        switch result {
        case .success:
            self.head.succeed(refusal)
            source?.finish()
        case .failure(let error):
            self.head.fail(error)
            source?.finish(error)
        }
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        if head.status == .ok {
            self.state.withLock { $0.lastActivity = .now() }
            self.watch(task, from: .now())
            self.head.succeed(nil)
        } else {
            self.state.withLock { state in
                state.refusal = APIResponse(
                    self.product,
                    status: Int(head.status.code),
                    headers: head.headers,
                    body: ByteBuffer()
                )
            }
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let promise = task.eventLoop.makePromise(of: Void.self)
        let lines: [ByteBuffer]
        let source: LineStream.Lines.Source?
        do {
            (lines, source) = try self.state.withLock { state throws(LineSplitter.LineTooLong) in
                try Self.receive(buffer, resumption: promise, &state)
            }
        } catch {
            promise.fail(error)
            return promise.futureResult
        }
        guard !lines.isEmpty, let source, case .stopProducing = source.yield(contentsOf: lines) else {
            self.resume()
            return promise.futureResult
        }
        return promise.futureResult
    }

    private static func receive(
        _ buffer: ByteBuffer,
        resumption: EventLoopPromise<Void>,
        _ state: inout State
    ) throws(LineSplitter.LineTooLong) -> ([ByteBuffer], LineStream.Lines.Source?) {
        var buffer = buffer
        guard state.refusal == nil else {
            let room = APIResponse.explanationBytes - (state.refusal?.body.readableBytes ?? 0)
            if let start = buffer.readSlice(length: min(room, buffer.readableBytes)) {
                state.refusal?.body.writeImmutableBuffer(start)
            }
            state.resumption = resumption
            return ([], nil)
        }
        if buffer.readableBytesView.contains(UInt8(ascii: "\n")) { state.lastActivity = .now() }
        let lines = try state.splitter.receive(buffer)
        // Before the lines are handed over, as the reader may be done with them at once.
        state.resumption = resumption
        return (lines, state.source)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {}

    /// Looks again when the time would be up if nothing came until then.
    private func watch(_ task: HTTPClient.Task<Void>, from start: NIODeadline) {
        let timer = task.eventLoop.scheduleTask(deadline: start + self.idle) {
            let now = NIODeadline.now()
            let last = self.state.withLock { state in
                // A busy reader is no silence of the server's.
                state.resumption == nil ? state.lastActivity : now
            }
            if now - last >= self.idle {
                task.fail(reason: HTTPClientError.readTimeout)
            } else {
                self.watch(task, from: last)
            }
        }
        let hasEnded = self.state.withLock { state in
            state.timer = timer
            return state.hasEnded
        }
        if hasEnded { timer.cancel() }
    }
}

extension LineDelegate: NIOAsyncSequenceProducerDelegate {
    func produceMore() {
        self.state.withLock { $0.lastActivity = .now() }
        self.resume()
    }

    /// The reader is gone.
    func didTerminate() {
        let task = self.state.withLock { state in
            state.isUnwanted = true
            return state.task
        }
        task?.cancel()
        self.resume()
    }

    private func resume() {
        let resumption = self.state.withLock { state in
            defer { state.resumption = nil }
            return state.resumption
        }
        resumption?.succeed()
    }
}
