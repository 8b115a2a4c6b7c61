// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import TestSupport
import Testing

@testable import Discovery

/// A server that does what servers do: it changes, restarts, loses its state, answers late or not at all; and for a
/// moment after a restart it shows half of what it knows, with the index of that half.
private struct ModelServer {
    struct State: Equatable {
        var index: UInt64
        var content: UInt64
    }

    /// How long it shows half after a restart.
    static let partialTime = Duration.milliseconds(110)

    var state = State(index: 10, content: 1)
    /// Until when it shows less than there is.
    var partialUntil = Duration.zero
    var isUp = true
    var generator: SeededGenerator
    private var nextContent: UInt64 = 2

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
    }

    mutating func change() {
        self.state.index += UInt64.random(in: 1...5, using: &self.generator)
        self.state.content = self.nextContent
        self.nextContent += 1
    }

    mutating func restart(at now: Duration) {
        self.partialUntil = now + Self.partialTime
    }

    /// It starts from nothing; what was there comes back in its own time, as another state.
    mutating func loseState() {
        self.state.index = UInt64.random(in: 1...12, using: &self.generator)
        self.state.content = self.nextContent
        self.nextContent += 1
    }

    /// What it shows: content 0 stands for a half that must not be believed.
    func shown(at now: Duration, consistent: Bool) -> State {
        guard now < self.partialUntil, !consistent else { return self.state }
        return State(index: max(1, self.state.index / 2), content: 0)
    }
}

/// Conversations with a server that misbehaves at random.
@Suite(.longComputation) struct BlockingModelTests {
    /// The ways a conversation may go, and what came of it.
    private struct Conversation {
        var server: ModelServer
        var query = BlockingQuery(wait: .seconds(60), now: .zero)
        var now = Duration.zero
        var generator: SeededGenerator
        var believed: UInt64 = 0
        var sends: [Duration] = []
        /// Whether the connection of the request under way has ended.
        var isCut = false

        init(seed: UInt64) {
            self.server = ModelServer(seed: seed)
            self.generator = SeededGenerator(seed: seed ^ 0xFF)
        }

        /// One request, during which the world changes as it likes; `events` by when they happen.
        mutating func step(_ events: inout [(at: Duration, what: Event)]) {
            switch self.query.next(now: self.now) {
            case .wait(let until):
                #expect(until > self.now)
                self.now = until
            case .send(let index, let wait, let consistency, let deadline):
                self.sends.append(self.now)
                self.ask(index, wait ?? .zero, consistency == .consistent, self.now + deadline, &events)
            }
            self.happen(&events)
        }

        private mutating func happen(_ events: inout [(at: Duration, what: Event)]) {
            while let event = events.last, event.at <= self.now {
                events.removeLast()
                self.apply(event.what, at: event.at)
            }
        }

        private mutating func apply(_ event: Event, at time: Duration) {
            self.isCut = self.isCut || event.cutsConnections
            switch event {
            case .change: self.server.change()
            case .restart: self.server.restart(at: time)
            case .loseState: self.server.loseState()
            case .down: self.server.isUp = false
            case .up:
                self.server.isUp = true
                self.server.restart(at: time)
            }
        }

        /// Blocks as a server does: until the index is beyond the one given, or for the wait.
        private mutating func ask(
            _ index: UInt64?,
            _ wait: Duration,
            _ isConsistent: Bool,
            _ deadline: Duration,
            _ events: inout [(at: Duration, what: Event)]
        ) {
            let start = self.now
            self.isCut = false
            self.now += .milliseconds(Int64.random(in: 1...20, using: &self.generator))
            while true {
                self.happen(&events)
                guard self.server.isUp, !self.isCut else { return self.fail(.unreachable) }
                let shown = self.server.shown(at: self.now, consistent: isConsistent)
                let isDue = self.now - start >= wait * 17 / 16
                if index == nil || shown.index > index ?? 0 || isDue { return self.answer(shown, deadline) }
                let next = min(
                    start + wait * 17 / 16,
                    events.last?.at ?? .seconds(1_000_000),
                    self.now < self.server.partialUntil ? self.server.partialUntil : .seconds(1_000_000)
                )
                self.now = max(next, self.now + .milliseconds(1))
            }
        }

        private mutating func answer(_ shown: ModelServer.State, _ deadline: Duration) {
            switch Int.random(in: 0..<20, using: &self.generator) {
            case 0:
                self.now = deadline
                return self.fail(.timedOut)
            case 1:
                _ = self.query.answered(
                    status: 500,
                    index: 1,
                    knownLeader: false,
                    now: self.now,
                    using: &self.generator
                )
                return
            default: break
            }
            let verdict = self.query.answered(
                status: 200,
                index: shown.index,
                knownLeader: true,
                now: self.now,
                using: &self.generator
            )
            switch verdict {
            case .accept: self.believed = shown.content
            case .unchanged: #expect(shown.content == self.believed)
            case .confirm, .failed: break
            }
            #expect(self.believed != 0 || self.query.index == nil)
        }

        private mutating func fail(_ kind: APIError.Kind) {
            _ = self.query.failed(APIError(kind, ""), now: self.now, using: &self.generator)
        }
    }

    private enum Event {
        case change
        case restart
        case loseState
        case down
        case up

        var cutsConnections: Bool {
            switch self {
            case .change, .up: false
            case .restart, .loseState, .down: true
            }
        }
    }

    /// Latest first, within the first 1,000 s.
    private static func events(_ generator: inout SeededGenerator) -> [(at: Duration, what: Event)] {
        var events: [(at: Duration, what: Event)] = []
        var time = Duration.zero
        while time < .seconds(1000) {
            let gap: Int64 = Int.random(in: 0..<4, using: &generator) == 0 ? 20_000 : 50
            time += .milliseconds(Int64.random(in: 1...gap, using: &generator))
            switch Int.random(in: 0..<40, using: &generator) {
            case 0: events.append((time, .restart))
            case 1: events.append((time, .loseState))
            case 2:
                events.append((time, .down))
                time += .milliseconds(Int64.random(in: 1...30_000, using: &generator))
                events.append((time, .up))
            default: events.append((time, .change))
            }
        }
        return events.reversed()
    }

    @Test func `whatever a server does, half a truth is never believed and the truth is found`() {
        for seed in UInt64(0)..<300 {
            var conversation = Conversation(seed: seed)
            var events = Self.events(&conversation.generator)
            while !events.isEmpty || conversation.believed == 0 { conversation.step(&events) }
            let last = conversation.now
            // The longest back-off, a failed attempt, and an answer.
            while conversation.believed != conversation.server.state.content,
                conversation.now < last + .seconds(600)
            {
                conversation.step(&events)
            }
            #expect(conversation.believed == conversation.server.state.content, "seed \(seed)")
            let sends = conversation.sends
            for (first, later) in zip(sends, sends.dropFirst(100)) {
                // 40 from the two buckets, full, and what comes back meanwhile, 11 a second.
                #expect(later - first >= .seconds(5), "seed \(seed)")
            }
        }
    }
}
