// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Testing

/// For suites and tests that compute for long. One of their cases runs at a time, so that of the few threads that all tests
/// share there is one for those that wait for somebody, with time limits.
package struct LongComputation: SuiteTrait, TestTrait, TestScoping {
    private static let turn = Turn()

    package var isRecursive: Bool { true }

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
        testCase == nil ? nil : self
    }

    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.turn.take()
        defer { Self.turn.pass() }
        try await function()
    }
}

extension Trait where Self == LongComputation {
    package static var longComputation: Self { Self() }
}

/// Whose turn it is: first come, first served.
private final class Turn: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func pass() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.isTaken = false
            return nil
        }
        next?.resume()
    }
}
