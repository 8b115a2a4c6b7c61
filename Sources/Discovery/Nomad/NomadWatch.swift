// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// Asks whether a table has changed, by a blocking query that is answered with next to nothing.
///
/// While there is an event stream, it finds what the stream does not tell: events that were lost, a stream that is dead
/// and does not show it, and what Nomad collects in silence. Without one it takes its place.
struct NomadWatch: Sendable {
    /// How long events may lag behind an answer before they are missed.
    static let grace = Duration.seconds(1)

    private var query: BlockingQuery
    private(set) var request: NomadRequestID?
    private(set) var due = Duration.zero
    /// An index that nothing else has reached yet, and whether it is lower than one before.
    private(set) var ahead: (index: UInt64, hasFallen: Bool, since: Duration)?
    private var lastIndex: UInt64 = 0
    private(set) var failure: NomadFailure?
    private var failedAt = Duration.zero
    /// A refusal is asked for again soon: a token may come back at any time, and nothing else tells.
    private static let patience = Duration.seconds(3)

    init(wait: Duration, now: Duration) {
        self.query = BlockingQuery(wait: wait, now: now)
    }

    mutating func advance(_ table: NomadTable, namespace: String, scope: Int, _ effects: inout NomadEffects) {
        guard self.request == nil, self.due <= effects.now else { return }
        let isPatient = self.failure.map { !$0.isRefusal } ?? true
        if !isPatient, effects.now >= self.failedAt + Self.patience { self.query.hurry(now: effects.now) }
        switch self.query.next(now: effects.now) {
        case .wait(let until):
            self.due = isPatient ? until : min(until, max(effects.now, self.failedAt + Self.patience))
        case .send(let index, let wait, _, let deadline):
            self.request = effects.send(
                .watch(table, namespace: namespace, index: index, wait: wait, deadline: deadline),
                for: .watch(scope: scope, table)
            )
        }
    }

    /// - Parameters:
    ///   - known: the index that is known of the table, by reading it and by events.
    ///   - isStreaming: events are expected to tell the same.
    mutating func answered(_ answer: NomadAnswer, known: UInt64, isStreaming: Bool, _ effects: inout NomadEffects) {
        self.request = nil
        self.due = effects.now
        self.failure = nil
        let verdict = self.query.answered(
            status: 200,
            index: answer.index,
            knownLeader: answer.knownLeader,
            now: effects.now,
            using: &effects.random
        )
        guard verdict == .accept, let index = self.query.index else { return }
        if isStreaming { self.query.toldNothingNew(now: effects.now) }
        // What is known may be newer than the answer.
        let hasFallen = index < self.lastIndex
        self.lastIndex = index
        if hasFallen || index > known { self.ahead = (index, hasFallen, self.ahead?.since ?? effects.now) }
    }

    mutating func failed(_ failure: NomadFailure, _ effects: inout NomadEffects) {
        self.request = nil
        self.failure = failure
        self.due = effects.now
        if let error = failure.error {
            _ = self.query.failed(error, now: effects.now, using: &effects.random)
        } else {
            _ = self.query.answered(
                status: failure.status ?? 500,
                index: nil,
                knownLeader: nil,
                now: effects.now,
                using: &effects.random
            )
        }
        self.failedAt = effects.now
    }

    /// Something else was answered: this is worth another attempt, and what went wrong before is over.
    mutating func hurry(at now: Duration) {
        self.failure = nil
        self.query.hurry(now: now)
        if self.request == nil { self.due = min(self.due, now) }
    }

    /// When what is ahead is overdue.
    func isOverdue(at now: Duration, isStreaming: Bool) -> Bool {
        self.ahead.map { now >= $0.since + (isStreaming ? Self.grace : .zero) } ?? false
    }

    /// Whether nothing else has caught up.
    mutating func settle(known: UInt64) -> Bool {
        defer { self.ahead = nil }
        return self.ahead.map { $0.hasFallen || $0.index > known } ?? false
    }

    /// It is not needed any more: what it waits for is of no interest.
    mutating func stop(_ effects: inout NomadEffects) {
        self.failure = nil
        self.ahead = nil
        guard let request = self.request else { return }
        effects.cancel(request)
        self.request = nil
        _ = self.query.failed(APIError(.cancelled, "not needed"), now: effects.now, using: &effects.random)
    }
}
