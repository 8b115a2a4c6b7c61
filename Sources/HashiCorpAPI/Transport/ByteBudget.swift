// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// What all answers under way may take together. Each is bounded by itself, and many at once would still be too much.
///
/// When it is used up, one answer goes on, and the others wait for it: so one that is large is read, though nothing else
/// is at the same time.
final class ByteBudget: Sendable {
    struct Exceeded: Error {
        var limit: Int
    }

    private struct State {
        var ledger: ByteLedger<ObjectIdentifier>
        var promises: [ObjectIdentifier: EventLoopPromise<Void>] = [:]
    }

    private let state: Mutex<State>
    private let ceiling: Int

    init(limit: Int, ceiling: Int) {
        let ledger = ByteLedger<ObjectIdentifier>(limit: limit, ceiling: ceiling)
        self.ceiling = ledger.ceiling
        self.state = Mutex(State(ledger: ledger))
    }

    /// Succeeds when there is room. Each taker waits for one at a time, and calls `end` in any case.
    func take(_ bytes: Int, for taker: ObjectIdentifier, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let waiting = self.state.withLock { state -> Result<EventLoopFuture<Void>?, Exceeded> in
            switch state.ledger.take(bytes, for: taker) {
            case true?: return .success(nil)
            case false?: return .failure(Exceeded(limit: self.ceiling))
            case nil:
                let promise = eventLoop.makePromise(of: Void.self)
                state.promises[taker] = promise
                return .success(promise.futureResult)
            }
        }
        switch waiting {
        case .success(let future): return future ?? eventLoop.makeSucceededVoidFuture()
        case .failure(let error): return eventLoop.makeFailedFuture(error)
        }
    }

    /// It takes no more, and gives back what it has.
    func end(_ taker: ObjectIdentifier, returning bytes: Int) {
        let told = self.state.withLock { state in
            state.ledger.end(taker, returning: bytes).map { taker, isGranted in
                (promise: state.promises.removeValue(forKey: taker), isGranted: isGranted)
            }
        }
        for (promise, isGranted) in told {
            if isGranted { promise?.succeed() } else { promise?.fail(Exceeded(limit: self.ceiling)) }
        }
    }
}
