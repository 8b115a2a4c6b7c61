// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import TestSupport
import Testing

@testable import Discovery

/// The rules of blocking queries, one at a time.
@Suite struct BlockingQueryTests {
    private static let wait = BlockingQuery.nomadWait

    /// A query and the clock and chance that it needs.
    private struct Rig {
        var query = BlockingQuery(wait: BlockingQueryTests.wait, now: .zero)
        var now = Duration.zero
        var generator = SeededGenerator(seed: 1)

        /// Waits as long as it says, and returns what it then sends.
        mutating func sent() -> BlockingQuery.Action {
            while true {
                switch self.query.next(now: self.now) {
                case .wait(let time):
                    #expect(time > self.now)
                    self.now = time
                case let action: return action
                }
            }
        }

        mutating func answered(
            _ index: UInt64?,
            status: Int = 200,
            knownLeader: Bool? = true,
            after delay: Duration = .zero
        ) -> BlockingQuery.Verdict {
            self.now += delay
            return self.query.answered(
                status: status,
                index: index,
                knownLeader: knownLeader,
                now: self.now,
                using: &self.generator
            )
        }

        mutating func failed(_ kind: APIError.Kind = .unreachable, after delay: Duration = .zero)
            -> BlockingQuery.Verdict
        {
            self.now += delay
            return self.query.failed(APIError(kind, ""), now: self.now, using: &self.generator)
        }

        /// Asks, and is answered at once.
        @discardableResult
        mutating func ask(_ index: UInt64?) -> BlockingQuery.Verdict {
            _ = self.sent()
            return self.answered(index)
        }
    }

    private static func question(_ index: UInt64) -> BlockingQuery.Action {
        .send(index: index, wait: Self.wait, consistency: .default, deadline: .milliseconds(323_750))
    }

    /// The question after a failure.
    private static func probe(_ index: UInt64) -> BlockingQuery.Action {
        .send(index: index, wait: .seconds(2), consistency: .consistent, deadline: .milliseconds(12_125))
    }

    private static let first = BlockingQuery.Action.send(
        index: nil,
        wait: nil,
        consistency: .consistent,
        deadline: .seconds(10)
    )

    @Test func `the first question waits for nothing and wants the truth`() {
        var rig = Rig()
        #expect(rig.sent() == Self.first)
        #expect(rig.answered(7) == .accept)
        #expect(rig.sent() == Self.question(7))
    }

    @Test func `a change is accepted, and a wait without one changes nothing`() {
        var rig = Rig()
        rig.ask(7)
        _ = rig.sent()
        #expect(rig.answered(9, after: .seconds(3)) == .accept)
        #expect(rig.sent() == Self.question(9))
        #expect(rig.answered(9, after: Self.wait + .seconds(20)) == .unchanged)
        #expect(rig.sent() == Self.question(9))
    }

    @Test func `an index that falls is confirmed before it is believed`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.answered(113) == .confirm)
        #expect(rig.query.index == 609)
        #expect(rig.sent() == Self.first)
        #expect(rig.answered(115) == .accept)
        #expect(rig.sent() == Self.question(115))
    }

    @Test func `a fall that was a slip is forgotten`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.answered(113) == .confirm)
        _ = rig.sent()
        #expect(rig.answered(610) == .accept)
        #expect(rig.sent() == Self.question(610))
    }

    @Test func `a fall is confirmed by an answer and not by a failure`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.answered(113) == .confirm)
        _ = rig.sent()
        #expect(rig.answered(nil, status: 500) == .failed(.status(500)))
        #expect(rig.sent() == Self.first)
        #expect(rig.failed() == .failed(.error(APIError(.unreachable, ""))))
        #expect(rig.sent() == Self.first)
        #expect(rig.answered(115) == .accept)
    }

    @Test func `an answer that lost its index is confirmed`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.answered(nil) == .confirm)
        #expect(rig.sent() == Self.first)
        #expect(rig.answered(nil) == .accept)
        #expect(rig.sent() == Self.first)
    }

    @Test func `a server without a leader is not believed alone`() {
        var rig = Rig()
        rig.ask(7)
        _ = rig.sent()
        #expect(rig.answered(8, knownLeader: false) == .confirm)
        #expect(rig.sent() == Self.first)
        #expect(rig.answered(8) == .accept)
    }

    @Test(arguments: [0, 1])
    func `an index of zero counts as one, which blocks`(index: UInt64) {
        var rig = Rig()
        rig.ask(index)
        #expect(rig.sent() == Self.question(1))
        #expect(rig.answered(index, after: Self.wait) == .unchanged)
    }

    @Test func `a failure keeps the index, and the question after it waits shortly`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.failed() == .failed(.error(APIError(.unreachable, ""))))
        let probe = Self.probe(609)
        #expect(rig.sent() == probe)
        // 500 answers have an index of their own, which means nothing.
        #expect(rig.answered(1, status: 500, knownLeader: false) == .failed(.status(500)))
        #expect(rig.sent() == probe)
        #expect(rig.answered(12, after: .seconds(2)) == .confirm)
        #expect(rig.sent() == Self.first)
        #expect(rig.answered(12) == .accept)
        #expect(rig.sent() == Self.question(12))
    }

    @Test func `after a failure the same index may be another state`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        _ = rig.failed(after: .seconds(60))
        _ = rig.sent()
        #expect(rig.answered(609, after: .seconds(2)) == .accept)
        #expect(rig.sent() == Self.question(609))
        #expect(rig.answered(609, after: Self.wait) == .unchanged)
    }

    @Test func `the same index early may be a restored snapshot`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.answered(609, after: .milliseconds(20)) == .accept)
    }

    @Test func `what is not there can be waited for`() {
        var rig = Rig()
        _ = rig.sent()
        #expect(rig.answered(5, status: 404) == .accept)
        #expect(rig.sent() == Self.question(5))
        #expect(rig.answered(nil, status: 404) == .failed(.status(404)))
    }

    @Test(arguments: [301, 400, 401, 403, 429, 500, 503])
    func `other answers are failures`(status: Int) {
        var rig = Rig()
        _ = rig.sent()
        #expect(rig.answered(5, status: status) == .failed(.status(status)))
        #expect(rig.query.index == nil)
    }

    @Test func `an answer that turns out to be unreadable never came`() {
        var rig = Rig()
        rig.ask(609)
        _ = rig.sent()
        #expect(rig.answered(700) == .accept)
        rig.query.unreadable(now: rig.now, using: &rig.generator)
        #expect(rig.query.failures == 1)
        #expect(rig.query.next(now: rig.now) != Self.question(700))
        #expect(rig.sent() == Self.probe(609))
    }

    @Test func `a failing server is asked less and less, and never more than twice a second`() {
        for seed in UInt64(0)..<50 {
            var rig = Rig(generator: SeededGenerator(seed: seed))
            var sends: [Duration] = []
            for _ in 0..<20 {
                _ = rig.sent()
                sends.append(rig.now)
                _ = rig.failed()
            }
            let gaps = zip(sends, sends.dropFirst()).map { $1 - $0 }
            #expect(gaps.allSatisfy { $0 >= .milliseconds(250) && $0 <= .seconds(60) })
            #expect(zip(sends, sends.dropFirst(2)).allSatisfy { $1 - $0 >= .seconds(1) })
            #expect(gaps.suffix(5).allSatisfy { $0 >= .seconds(30) })
            #expect(Set(gaps.suffix(5)).count == 5)
        }
    }

    @Test func `success makes the next failure the first again`() {
        var rig = Rig()
        for _ in 0..<20 {
            _ = rig.sent()
            _ = rig.failed()
        }
        rig.ask(7)
        #expect(rig.query.failures == 0)
        _ = rig.sent()
        _ = rig.failed(after: .seconds(60))
        let start = rig.now
        _ = rig.sent()
        #expect(rig.now - start <= .milliseconds(500))
    }

    @Test func `a new token is worth an attempt before its time, and no storm`() {
        var rig = Rig()
        for _ in 0..<20 {
            _ = rig.sent()
            _ = rig.answered(nil, status: 403)
        }
        for _ in 0..<10 { rig.query.hurry(now: rig.now) }
        let start = rig.now
        _ = rig.sent()
        #expect(rig.now - start <= .seconds(1))
    }

    @Test func `it hurries nobody who was held up by something else`() {
        var rig = Rig()
        for _ in 0..<30 { rig.ask(7) }
        let next = rig.query.next(now: rig.now)
        rig.query.hurry(now: rig.now)
        #expect(rig.query.next(now: rig.now) == next)
        #expect(next == .wait(until: rig.now + .seconds(1)))
    }

    @Test(arguments: [UInt64?.some(7), .some(0), nil])
    func `a server that answers at once with nothing new is asked once a second`(index: UInt64?) {
        var rig = Rig()
        var sends = 0
        while rig.now < .seconds(100) {
            _ = rig.sent()
            sends += 1
            _ = rig.answered(index, after: .milliseconds(1))
        }
        #expect(sends > 100)
        #expect(sends <= 125)
    }

    @Test func `an index that rises and falls for ever does not drive a loop`() {
        var rig = Rig()
        var sends = 0
        while rig.now < .seconds(100) {
            _ = rig.sent()
            sends += 1
            _ = rig.answered(sends % 2 == 0 ? 5 : 10)
        }
        #expect(sends <= 1100)
    }

    @Test func `a burst of changes is followed at once`() {
        var rig = Rig()
        for index in 1...20 {
            _ = rig.sent()
            _ = rig.answered(UInt64(index), after: .milliseconds(10))
        }
        #expect(rig.now == .milliseconds(200))
    }

    @Test func `endless changes are followed ten times a second, each within a tenth`() {
        var rig = Rig()
        var sends = 0
        rig.ask(1)
        while rig.now < .seconds(100) {
            let before = rig.now
            _ = rig.sent()
            #expect(rig.now - before <= .milliseconds(100))
            sends += 1
            // A change every 10 ms: the index tells how many there were.
            _ = rig.answered(UInt64(rig.now / .milliseconds(10)) + 2, after: .milliseconds(10))
        }
        #expect(sends >= 1000)
        #expect(sends <= 1025)
    }

    @Test func `changes of others are followed once a second`() {
        var rig = Rig()
        var sends = 0
        while rig.now < .seconds(100) {
            _ = rig.sent()
            sends += 1
            _ = rig.answered(UInt64(sends), after: .milliseconds(1))
            rig.query.toldNothingNew(now: rig.now)
        }
        #expect(sends <= 125)
    }

    @Test func `a change after a quiet time is never held up`() {
        var rig = Rig()
        for index in 1...1000 {
            _ = rig.sent()
            _ = rig.answered(UInt64(index))
        }
        _ = rig.sent()
        #expect(rig.answered(2000, after: .seconds(60)) == .accept)
        #expect(rig.query.next(now: rig.now) == Self.question(2000))
    }
}
