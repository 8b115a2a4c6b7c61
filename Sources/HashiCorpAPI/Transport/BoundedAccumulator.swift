// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Gathers one answer, as long as it is within its own limit and the budget of all. What it takes of that is free again
/// when it is gone.
final class BoundedAccumulator: HTTPClientResponseDelegate, Sendable {
    typealias Response = HTTPClient.Response

    /// Whoever takes less than this is no part of the trouble, such as the request that asks if all is well.
    private static let free = 64 * 1024

    private struct State {
        var received = 0
        var taken = 0
        var omission: JSONOmission?
    }

    private let body: ResponseAccumulator
    private let budget: ByteBudget
    private let state: Mutex<State>

    init(_ request: HTTPClient.Request, limit: Int, omitting key: String?, budget: ByteBudget) {
        self.body = ResponseAccumulator(request: request, maxBodySize: limit)
        self.budget = budget
        self.state = Mutex(State(omission: key.map(JSONOmission.init)))
    }

    deinit {
        self.end()
    }

    func didVisitURL(task: HTTPClient.Task<Response>, _ request: HTTPClient.Request, _ head: HTTPResponseHead) {
        self.body.didVisitURL(task: task, request, head)
    }

    func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        // The words of an error are for people.
        if head.status != .ok { self.state.withLock { $0.omission = nil } }
        return self.body.didReceiveHead(task: task, head)
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let (part, bytes) = self.state.withLock { state in
            let part = state.omission?.apply(to: part) ?? part
            state.received += part.readableBytes
            return (part, state.received > Self.free ? part.readableBytes : 0)
        }
        guard bytes > 0 else { return self.body.didReceiveBodyPart(task: task, part) }
        return self.budget.take(bytes, for: ObjectIdentifier(self), on: task.eventLoop).flatMap {
            self.state.withLock { $0.taken += bytes }
            return self.body.didReceiveBodyPart(task: task, part)
        }
    }

    func didReceiveError(task: HTTPClient.Task<Response>, _ error: any Error) {
        self.body.didReceiveError(task: task, error)
        self.end()
    }

    func didFinishRequest(task: HTTPClient.Task<Response>) throws -> Response {
        try self.body.didFinishRequest(task: task)
    }

    private func end() {
        let taken = self.state.withLock { state in
            defer { state.taken = 0 }
            return state.taken
        }
        self.budget.end(ObjectIdentifier(self), returning: taken)
    }
}
