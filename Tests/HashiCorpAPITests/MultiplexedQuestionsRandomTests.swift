// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import HashiCorpAPI

/// Random lives of a connection against a model that looks through lists for everything.
@Suite struct MultiplexedQuestionsRandomTests {
    typealias Machine = MultiplexedQuestions

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `whatever comes, it does what the naive model does`(seed: UInt64) {
        var (life, told) = (Life(seed: seed), 0)
        for _ in 0..<2_000 {
            life.step()
            guard life.isOver else { continue }
            told += life.told
            life = Life(seed: life.random.next())
        }
        #expect(told + life.told > 30)
    }

    private struct Exchange {
        var stream: Int
        var key: String
        var deadline: Duration
        var isWanted = true
        var status: Int?
        var index: UInt64?
        var bytes = 0
        var isOpen = true
        var isTold = false

        var answer: Machine.Answer { self.index.map { .index($0) } ?? .refused(self.status) }
    }

    private struct Life {
        var random: SeededGenerator
        var machine = Machine()
        var now = Duration.zero
        var told = 0
        var isOver = false

        // The model: all that was ever asked, and what is wanted now.
        private var exchanges: [Exchange] = []
        private var wanted: [APIMultiplex.Question] = []
        private var limit: Int
        private var calls = 0
        private var waitingCall: Machine.Call?
        private var completed: [Int: Int] = [:]
        private var isPinged = false

        init(seed: UInt64) {
            self.random = SeededGenerator(seed: seed)
            self.limit = [3, 5, 8, 20].randomElement(using: &self.random) ?? 3
            #expect(self.machine.negotiated(isHTTP2: true).count == 1)
            #expect(self.machine.received(settings: self.limit) == [.opened(self.limit)])
        }

        private var open: [Exchange] { self.exchanges.filter(\.isOpen) }
        private var unanswered: [String] {
            self.wanted.map(\.key).filter { key in !self.news.keys.contains(key) }
        }
        private var news: [String: Machine.Answer] {
            var news: [String: Machine.Answer] = [:]
            for exchange in self.exchanges where !exchange.isOpen && exchange.isWanted && !exchange.isTold {
                news[exchange.key] = exchange.answer
            }
            return news
        }

        mutating func step() {
            self.now += .milliseconds(Int.random(in: 0...200, using: &self.random))
            switch Int.random(in: 0..<100, using: &self.random) {
            case 0..<12: self.ask()
            case 12..<36: self.head()
            case 36..<60: self.end()
            case 60..<65: self.body()
            case 65..<93: self.check(self.machine.readCompleted(at: self.now), isRead: true)
            case 93: self.settings()
            case 94: self.ping()
            case 95..<99:
                self.machine.ponged()
                self.isPinged = false
            default: if Int.random(in: 0..<10, using: &self.random) == 0 { self.check(self.machine.lost(), .closed) }
            }
        }

        private mutating func ask() {
            let keys = (0..<8).map { "k\($0)" }.shuffled(using: &self.random)
            let count = Int.random(in: 0...min(8, self.limit), using: &self.random)
            let isTooMany = self.limit < 8 && Int.random(in: 0..<100, using: &self.random) == 0
            self.wanted = keys.prefix(isTooMany ? self.limit + 1 : count).map { key in
                .init(key: key, index: UInt64.random(in: 1...3, using: &self.random))
            }
            self.calls += 1
            let call = Machine.Call(number: self.calls)
            for place in self.exchanges.indices {
                let question = self.wanted.first { $0.key == self.exchanges[place].key }
                if question == nil { self.exchanges[place].isWanted = false }
                if let question, !self.exchanges[place].isOpen, self.exchanges[place].answer == .index(question.index) {
                    self.exchanges[place].isTold = true
                }
            }
            let replaced = self.waitingCall
            self.waitingCall = call
            var actions = self.machine.asked(call, self.wanted, lifetime: .seconds(20), at: self.now)
            if let replaced {
                #expect(actions.first == .answer(replaced, [:]))
                self.completed[replaced.number, default: 0] += 1
                actions = Array(actions.dropFirst())
            }
            if isTooMany { self.check(actions, .limited(self.limit)) } else { self.check(actions, isRead: true) }
        }

        /// Mostly on a stream that is open.
        private mutating func stream() -> (stream: Int, place: Int?) {
            let isOpen = Int.random(in: 0..<10, using: &self.random) > 0
            let places = self.exchanges.indices.filter { self.exchanges[$0].isOpen == isOpen }
            guard let place = places.randomElement(using: &self.random) else { return (999_999, nil) }
            return (self.exchanges[place].stream, isOpen ? place : nil)
        }

        private mutating func head() {
            let (stream, place) = self.stream()
            let status = ["200", "200", "200", "403", "103", "x", nil].randomElement(using: &self.random) ?? nil
            let index = ["1", "2", "3", "y", nil].randomElement(using: &self.random) ?? nil
            self.machine.received(status: status, index: index, on: stream)
            guard let place, self.exchanges[place].status == nil, let number = status.flatMap({ Int($0) }),
                number != 103
            else { return }
            self.exchanges[place].status = number
            if number == 200 { self.exchanges[place].index = index.flatMap { UInt64($0) } }
        }

        private mutating func end() {
            let (stream, place) = self.stream()
            self.machine.ended(stream)
            if let place { self.exchanges[place].isOpen = false }
        }

        private mutating func body() {
            let (stream, place) = self.stream()
            let bytes = Int.random(in: 0...6_000, using: &self.random)
            if let place { self.exchanges[place].bytes += bytes }
            let isLarge = place.map { self.exchanges[$0].bytes > 16_384 } ?? false
            self.check(self.machine.received(bytes: bytes, on: stream), isLarge ? .tooLarge : nil)
        }

        private mutating func settings() {
            let limit = [3, 5, 8, 20].randomElement(using: &self.random) ?? 3
            self.limit = limit
            let isLow = self.unanswered.count > limit
            self.check(self.machine.received(settings: limit), isLow ? .limited(limit) : nil)
        }

        private mutating func ping() {
            let isOverdue = self.isPinged || self.open.contains { $0.deadline < self.now }
            let actions = self.machine.pingIsDue(at: self.now)
            if isOverdue { return self.check(actions, .overdue) }
            self.isPinged = true
            #expect(actions == [.ping])
        }

        /// - Parameter isRead: whether now is the time to ask and to tell.
        private mutating func check(
            _ actions: [Machine.Action],
            _ failure: Machine.Failure? = nil,
            isRead: Bool = false
        ) {
            var expected: [Machine.Action] = []
            if isRead {
                for question in self.wanted where self.open.count < self.limit {
                    let isAsked = self.exchanges.contains {
                        $0.key == question.key && $0.isWanted && ($0.isOpen || !$0.isTold)
                    }
                    // Until the next call, one that was told is not wanted.
                    if isAsked { continue }
                    let stream = self.exchanges.count * 2 + 1
                    self.exchanges.append(
                        Exchange(stream: stream, key: question.key, deadline: self.now + .seconds(20))
                    )
                    expected.append(.ask(stream, question))
                }
            }
            let news = self.news
            if isRead || failure != nil, !news.isEmpty, let call = self.waitingCall {
                expected.append(.answer(call, news))
                self.completed[call.number, default: 0] += 1
                self.waitingCall = nil
                self.told += 1
                for place in self.exchanges.indices where !self.exchanges[place].isOpen {
                    self.exchanges[place].isTold = true
                }
                self.wanted.removeAll { news.keys.contains($0.key) }
            }
            if let failure {
                if let call = self.waitingCall {
                    expected.append(.fail(call, failure))
                    self.completed[call.number, default: 0] += 1
                }
                expected.append(.close(failure))
                self.isOver = true
                #expect((0..<self.calls).allSatisfy { self.completed[$0 + 1] == 1 })
            }
            #expect(actions == expected)
        }
    }
}
