// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// Lets so many requests be under way at a time, and the others wait in the order they came.
///
/// The HTTP client's own queue would do if it knew of a request's deadline: it gives up after the time that a connection
/// may take, and all that wait when one connection cannot be made.
final class ConnectionGate: Sendable {
    private struct State {
        var free: Int
        var nextID: UInt64 = 0
        var waiting: [(id: UInt64, turn: EventLoopPromise<Void>)] = []
    }

    private let state: Mutex<State>
    private let group: any EventLoopGroup

    init(limit: Int, group: any EventLoopGroup) {
        self.state = Mutex(State(free: limit))
        self.group = group
    }

    /// Each return is paired with one call of `leave`; a throw is not.
    func enter(deadline: NIODeadline) async throws {
        let eventLoop = self.group.any()
        let ticket = self.state.withLock { state -> (id: UInt64, turn: EventLoopPromise<Void>)? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            let ticket = (id: state.nextID, turn: eventLoop.makePromise(of: Void.self))
            state.nextID += 1
            state.waiting.append(ticket)
            return ticket
        }
        guard let ticket else { return }
        let timer = eventLoop.scheduleTask(deadline: deadline) {
            self.abandon(ticket.id, APIError(.timedOut, "all connections were in use until the request's deadline"))
        }
        defer { timer.cancel() }
        try await withTaskCancellationHandler {
            try await ticket.turn.futureResult.get()
        } onCancel: {
            self.abandon(ticket.id, CancellationError())
        }
    }

    func leave() {
        let next = self.state.withLock { state -> EventLoopPromise<Void>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().turn
        }
        next?.succeed()
    }

    /// Nothing if its turn came meanwhile: then whoever waited goes on, and leaves.
    private func abandon(_ id: UInt64, _ reason: any Error) {
        let turn = self.state.withLock { state -> EventLoopPromise<Void>? in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiting.remove(at: index).turn
        }
        turn?.fail(reason)
    }
}
