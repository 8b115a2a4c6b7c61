// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// What all answers under way may take together. Each is bounded by itself, and many at once would still be too much.
final class ByteBudget: Sendable {
    let limit: Int
    private let used = Atomic(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// False: there is not so much left, and nothing was taken.
    func take(_ bytes: Int) -> Bool {
        let (_, used) = self.used.wrappingAdd(bytes, ordering: .relaxed)
        guard used > self.limit else { return true }
        self.used.wrappingSubtract(bytes, ordering: .relaxed)
        return false
    }

    func give(_ bytes: Int) {
        self.used.wrappingSubtract(bytes, ordering: .relaxed)
    }
}

/// Gathers one answer, as long as it is within its own limit and the budget of all. What it takes of that is free again
/// when it is gone.
final class BoundedAccumulator: HTTPClientResponseDelegate, Sendable {
    typealias Response = HTTPClient.Response

    struct BudgetExceeded: Error {
        var limit: Int
    }

    /// Whoever takes less than this is no part of the trouble, such as the request that asks if all is well.
    private static let free = 64 * 1024

    private let body: ResponseAccumulator
    private let budget: ByteBudget
    private let received = Atomic(0)
    private let taken = Atomic(0)

    init(_ request: HTTPClient.Request, limit: Int, budget: ByteBudget) {
        self.body = ResponseAccumulator(request: request, maxBodySize: limit)
        self.budget = budget
    }

    deinit {
        self.budget.give(self.taken.load(ordering: .relaxed))
    }

    func didVisitURL(task: HTTPClient.Task<Response>, _ request: HTTPClient.Request, _ head: HTTPResponseHead) {
        self.body.didVisitURL(task: task, request, head)
    }

    func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        self.body.didReceiveHead(task: task, head)
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let bytes = part.readableBytes
        if self.received.wrappingAdd(bytes, ordering: .relaxed).newValue > Self.free {
            guard self.budget.take(bytes) else {
                return task.eventLoop.makeFailedFuture(BudgetExceeded(limit: self.budget.limit))
            }
            self.taken.wrappingAdd(bytes, ordering: .relaxed)
        }
        return self.body.didReceiveBodyPart(task: task, part)
    }

    func didReceiveError(task: HTTPClient.Task<Response>, _ error: any Error) {
        self.body.didReceiveError(task: task, error)
    }

    func didFinishRequest(task: HTTPClient.Task<Response>) throws -> Response {
        try self.body.didFinishRequest(task: task)
    }
}
