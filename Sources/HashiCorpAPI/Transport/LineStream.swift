// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
package import NIOCore

/// The lines of an answer that does not end, as they come, without their ends and without empty ones. Read it once.
///
/// It ends when the server ends it, whatever it had still to say: a line that is cut off is dropped. Dropping the stream,
/// or cancelling the task that reads it, ends the request.
package struct LineStream: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    package typealias Failure = APIError

    typealias Lines = NIOThrowingAsyncSequenceProducer<
        ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, LineDelegate
    >

    let lines: Lines
    let client: APIClient
    let limit: Int

    package struct AsyncIterator: AsyncIteratorProtocol {
        private var lines: Lines.AsyncIterator
        private let client: APIClient
        private let limit: Int

        init(_ stream: LineStream) {
            self.lines = stream.lines.makeAsyncIterator()
            self.client = stream.client
            self.limit = stream.limit
        }

        package mutating func next() async throws(APIError) -> ByteBuffer? {
            try await self.next(isolation: #isolation)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(APIError) -> ByteBuffer? {
            do {
                if let line = try await self.lines.next(isolation: actor) { return line }
            } catch {
                throw self.client.failure(error, limit: self.limit)
            }
            guard !Task.isCancelled else { throw self.client.failure(CancellationError(), limit: self.limit) }
            return nil
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}

extension APIClient {
    /// Starts a request whose answer is a stream of lines, such as Nomad's `/v1/event/stream`. It keeps one of the
    /// connections for as long as it lasts.
    ///
    /// - Parameters:
    ///   - request: its deadline is for the start of the answer, its `maximumBytes` for each line.
    ///   - idle: the stream fails as timed out if no line, not even an empty one, ends for so long.
    /// - Throws: also if the status is not 200, as `status`.
    package func stream(_ request: APIRequest, idle: Duration) async throws(APIError) -> LineStream {
        let deadline = NIODeadline.now() + request.deadline.timeAmount
        let limit = max(1, request.maximumBytes)
        do {
            try await self.gate.enter(deadline: deadline)
            let prepared: HTTPClient.Request
            do {
                prepared = try self.prepare(request)
            } catch {
                self.gate.leave()
                throw error
            }
            let delegate = LineDelegate(
                product: self.configuration.product,
                limit: limit,
                idle: idle.timeAmount,
                head: HTTPClient.defaultEventLoopGroup.any().makePromise()
            )
            let lines = delegate.lines()
            let task = self.client.execute(request: prepared, delegate: delegate)
            delegate.started(task)
            task.futureResult.whenComplete { [gate = self.gate] result in
                gate.leave()
                delegate.ended(result)
            }
            let timer = task.eventLoop.scheduleTask(deadline: deadline) {
                task.fail(reason: HTTPClientError.deadlineExceeded)
            }
            defer { timer.cancel() }
            if let refusal = try await withTaskCancellationHandler(
                operation: { try await delegate.head.futureResult.get() },
                onCancel: { task.cancel() }
            ) {
                self.noteStatus(UInt(refusal.status))
                throw APIError.unexpected(self.masked(refusal), from: self.configuration)
            }
            return LineStream(lines: lines, client: self, limit: limit)
        } catch {
            throw self.failure(error, limit: limit)
        }
    }
}
