// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HashiCorpAPI

/// What is decided about the questions of one connection.
@Suite struct MultiplexedQuestionsTests {
    typealias Machine = MultiplexedQuestions
    typealias Call = MultiplexedQuestions.Call

    private static let lifetime = Duration.seconds(250)

    private var machine = MultiplexedQuestions()
    private var calls = 0

    /// A connection that is open.
    private static func open(limit: Int? = nil, next: Int = 1) -> Self {
        var tests = Self()
        tests.machine = MultiplexedQuestions(next: next)
        _ = tests.machine.negotiated(isHTTP2: true)
        _ = tests.machine.received(settings: limit)
        return tests
    }

    private static func question(_ key: String, _ index: UInt64 = 5) -> APIMultiplex.Question {
        .init(key: key, index: index)
    }

    private mutating func ask(_ keys: String..., index: UInt64 = 5, at now: Duration = .zero) -> [Machine.Action] {
        self.calls += 1
        let questions = keys.map { Self.question($0, index) }
        return self.machine.asked(Call(number: self.calls), questions, lifetime: Self.lifetime, at: now)
    }

    /// Of an answer that is complete.
    private mutating func answer(_ stream: Int, status: String? = "200", index: String? = "7") {
        self.machine.received(status: status, index: index, on: stream)
        self.machine.ended(stream)
    }

    private mutating func read(at now: Duration = .zero) -> [Machine.Action] { self.machine.readCompleted(at: now) }

    // MARK: The beginning

    @Test(arguments: zip([nil, 7, 0, 5_000], [100, 7, 0, 1_000]))
    func `the first settings open it, for as many as are allowed and of use`(limit: Int?, capacity: Int) {
        var machine = Machine()
        #expect(machine.negotiated(isHTTP2: true) == [.refill(16 * 1024 * 1024)])
        #expect(machine.received(settings: limit) == [.opened(capacity)])
        #expect(machine.openingTimePassed() == [])
        #expect(machine.received(settings: limit) == [])
    }

    @Test func `what does not choose HTTP/2 takes no questions`() {
        var machine = Machine()
        #expect(machine.negotiated(isHTTP2: false) == [.opened(0), .close(.closed)])
        #expect(machine.openingTimePassed() == [])
        #expect(machine.lost() == [])
    }

    @Test(arguments: [false, true])
    func `what does not open in time is closed`(isNegotiated: Bool) {
        var machine = Machine()
        if isNegotiated { _ = machine.negotiated(isHTTP2: true) }
        #expect(machine.openingTimePassed() == [.close(.overdue)])
        #expect(machine.received(settings: 100) == [])
        #expect(machine.negotiated(isHTTP2: true) == [])
    }

    // MARK: Answers

    @Test func `each is asked once, on a stream of its own, and told with the others that came with it`() {
        var test = Self.open()
        #expect(
            test.ask("a", "b", "c") == [
                .ask(1, Self.question("a")), .ask(3, Self.question("b")), .ask(5, Self.question("c")),
            ]
        )
        test.answer(3)
        test.answer(1, index: "9")
        #expect(test.read() == [.answer(Call(number: 1), ["a": .index(9), "b": .index(7)])])
        #expect(test.ask("a", "b", "c", index: 9) == [.ask(7, Self.question("a", 9)), .ask(9, Self.question("b", 9))])
        #expect(test.read() == [])
    }

    @Test func `one that is put twice is asked once`() {
        var test = Self.open()
        #expect(test.ask("a", "a") == [.ask(1, Self.question("a"))])
    }

    @Test(arguments: [nil, "", "x", "-1", "7.5", "18446744073709551616", "7 "])
    func `an answer without a usable index is a refusal`(index: String?) {
        var test = Self.open()
        _ = test.ask("a")
        test.answer(1, index: index)
        #expect(test.read() == [.answer(Call(number: 1), ["a": .refused(200)])])
    }

    @Test(arguments: [403, 404, 429, 500])
    func `another status is a refusal, also with an index`(status: Int) {
        var test = Self.open()
        _ = test.ask("a")
        test.answer(1, status: String(status))
        #expect(test.read() == [.answer(Call(number: 1), ["a": .refused(status)])])
    }

    @Test(arguments: [nil, "", "OK"])
    func `a head without a status is none`(status: String?) {
        var test = Self.open()
        _ = test.ask("a")
        test.answer(1, status: status)
        #expect(test.read() == [.answer(Call(number: 1), ["a": .refused(nil)])])
    }

    @Test func `a head that only informs is no answer, and neither are trailers`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        for status in ["100", "103"] { test.machine.received(status: status, index: "6", on: 1) }
        test.machine.received(status: "200", index: "7", on: 1)
        test.machine.received(status: nil, index: "8", on: 1)
        test.machine.received(status: "403", index: nil, on: 1)
        #expect(test.read() == [])
        test.machine.ended(1)
        #expect(test.read() == [.answer(Call(number: 1), ["a": .index(7)])])
        // Of the other one there is nothing but that.
        _ = test.ask("b")
        test.machine.received(status: "103", index: "6", on: 3)
        test.machine.ended(3)
        #expect(test.read() == [.answer(Call(number: 2), ["b": .refused(nil)])])
    }

    @Test func `one whose stream is reset is refused and does not end the others`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        test.machine.ended(1)
        #expect(test.read() == [.answer(Call(number: 1), ["a": .refused(nil)])])
        #expect(test.ask("b") == [])
        // The head said all that matters.
        test.machine.received(status: "200", index: "7", on: 3)
        test.machine.ended(3)
        #expect(test.read() == [.answer(Call(number: 2), ["b": .index(7)])])
    }

    @Test func `one that is not processed is not put again by itself`() {
        var test = Self.open()
        _ = test.ask("a")
        test.machine.ended(1)
        #expect(test.read() == [.answer(Call(number: 1), ["a": .refused(nil)])])
        #expect(test.read() == [])
        #expect(test.ask("a") == [.ask(3, Self.question("a"))])
    }

    @Test func `an answer that ends twice counts once`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        test.answer(1)
        test.machine.ended(1)
        #expect(test.read() == [.answer(Call(number: 1), ["a": .index(7)])])
        test.machine.ended(1)
        _ = test.ask("b")
        #expect(test.read() == [])
    }

    // MARK: What is wanted changes

    @Test func `the answer to a question that was dropped meanwhile is no news`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        #expect(test.ask("b") == [.answer(Call(number: 1), [:])])
        test.answer(1)
        #expect(test.read() == [])
        test.answer(3)
        #expect(test.read() == [.answer(Call(number: 2), ["b": .index(7)])])
    }

    @Test func `a question that was dropped and is put again has another stream`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        _ = test.ask("b")
        #expect(test.ask("a", "b", index: 6) == [.answer(Call(number: 2), [:]), .ask(5, Self.question("a", 6))])
        test.answer(1, index: "6")
        #expect(test.read() == [])
        test.answer(5)
        #expect(test.read() == [.answer(Call(number: 3), ["a": .index(7)])])
    }

    @Test func `an answer that came between two calls is told to the second one`() {
        var test = Self.open()
        _ = test.ask("a", "b", "c")
        test.answer(1)
        _ = test.read()
        test.answer(3, index: "8")
        test.answer(5, status: "403")
        #expect(test.read() == [])
        #expect(test.ask("b", "c") == [.answer(Call(number: 2), ["b": .index(8), "c": .refused(403)])])
    }

    @Test func `an answer that came between two calls is no news to whom it is known or not wanted`() {
        var test = Self.open()
        _ = test.ask("a", "b", "c")
        test.answer(1)
        _ = test.read()
        test.answer(3, index: "8")
        test.answer(5, index: "8")
        // Not wanted: c.
        #expect(test.ask("b", index: 8) == [.ask(7, Self.question("b", 8))])
        #expect(test.read() == [])
        #expect(test.ask("b", "c") == [.answer(Call(number: 2), [:]), .ask(9, Self.question("c"))])
    }

    @Test func `a call whose place is taken while an answer is pending leaves it to the other one`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        test.answer(1)
        #expect(test.ask("a", "b") == [.answer(Call(number: 1), [:]), .answer(Call(number: 2), ["a": .index(7)])])
    }

    // MARK: Limits

    @Test func `what has no stream waits for one`() {
        var test = Self.open(limit: 2)
        _ = test.ask("a", "b")
        #expect(test.ask("c", "d") == [.answer(Call(number: 1), [:])])
        test.answer(3)
        // It has all its time from now on.
        #expect(test.read(at: .seconds(200)) == [.ask(5, Self.question("c"))])
        test.answer(1)
        #expect(test.read(at: .seconds(200)) == [.ask(7, Self.question("d"))])
        #expect(test.machine.pingIsDue(at: .seconds(450)) == [.ping])
    }

    @Test func `what waits for a stream and is dropped is never asked`() {
        var test = Self.open(limit: 1)
        _ = test.ask("a")
        #expect(test.ask("b") == [.answer(Call(number: 1), [:])])
        #expect(test.ask("c", index: 6) == [.answer(Call(number: 2), [:])])
        test.answer(1)
        #expect(test.read() == [.ask(3, Self.question("c", 6))])
    }

    @Test func `without a word about it, no more are asked than NIO sends`() {
        var test = Self.open(limit: nil)
        let questions = (0..<100).map { Self.question("\($0)") }
        let asked = test.machine.asked(Call(number: 1), questions, lifetime: .seconds(1), at: .zero)
        #expect(asked.count == 100)
        #expect(test.ask("x") == [.answer(Call(number: 1), [:])])
    }

    @Test func `a limit that falls below what waits ends it, and one that does not, leaves what waits`() {
        var test = Self.open(limit: 4)
        _ = test.ask("a", "b", "c", "d")
        _ = test.ask("c", "d")
        #expect(test.machine.received(settings: 2) == [])
        #expect(test.machine.received(settings: nil) == [])
        for stream in [1, 5] { test.answer(stream) }
        #expect(test.read() == [.answer(Call(number: 2), ["c": .index(7)])])
        // One that is dropped still has a stream, and so has another.
        #expect(test.ask("d", index: 7) == [])
        #expect(test.machine.received(settings: 0) == [.fail(Call(number: 3), .limited(0)), .close(.limited(0))])
    }

    @Test func `more than the limit is not put`() {
        var test = Self.open(limit: 3)
        #expect(test.machine.received(settings: 2) == [])
        #expect(test.ask("a", "b", "c") == [.fail(Call(number: 1), .limited(2)), .close(.limited(2))])
    }

    @Test func `a limit that rises is used`() {
        var test = Self.open(limit: 2)
        _ = test.ask("a", "b")
        _ = test.ask("b", "c")
        #expect(test.machine.received(settings: 3) == [])
        #expect(test.read() == [.ask(5, Self.question("c"))])
    }

    @Test func `when there are no streams left it ends`() {
        var test = Self.open(next: Machine.lastStream)
        #expect(test.ask("a") == [.ask(Int(Int32.max) - 2, Self.question("a"))])
        #expect(
            test.ask("a", "b") == [
                .answer(Call(number: 1), [:]), .fail(Call(number: 2), .exhausted), .close(.exhausted),
            ]
        )
    }

    // MARK: Bytes

    @Test(arguments: ["200", "403"])
    func `an answer that is large ends it`(status: String) {
        var test = Self.open()
        _ = test.ask("a", "b")
        test.machine.received(status: status, index: nil, on: 1)
        for stream in [1, 3, 1] { #expect(test.machine.received(bytes: 8 * 1024, on: stream) == []) }
        #expect(test.machine.received(bytes: 1, on: 1) == [.fail(Call(number: 1), .tooLarge), .close(.tooLarge)])
        #expect(test.machine.received(bytes: 1_000_000, on: 1) == [])
    }

    @Test func `one that nobody wants to know any more is not to be large, either`() {
        var test = Self.open()
        _ = test.ask("a")
        _ = test.ask("b")
        #expect(test.machine.received(bytes: 20_000, on: 1) == [.fail(Call(number: 2), .tooLarge), .close(.tooLarge)])
    }

    @Test func `a flood on a stream that was refused costs nothing and is given back`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        _ = test.machine.windowChanged(to: MultiplexWindow.full)
        test.machine.ended(1)
        _ = test.read()
        for _ in 0..<100 { #expect(test.machine.received(bytes: 16_384, on: 1) == []) }
        // Nobody sees the bytes of a stream that is gone, but they are missing.
        #expect(test.machine.windowChanged(to: MultiplexWindow.full - 16_383) == [])
        #expect(test.machine.windowChanged(to: MultiplexWindow.full - 100_000) == [.refill(100_000)])
        // It is on its way.
        #expect(test.machine.windowChanged(to: MultiplexWindow.full - 200_000) == [])
        #expect(test.machine.windowChanged(to: MultiplexWindow.full - 100_000) == [.refill(100_000)])
        #expect(test.machine.windowChanged(to: MultiplexWindow.full) == [])
        #expect(test.machine.lost() == [.close(.closed)])
        #expect(test.machine.windowChanged(to: 0) == [])
    }

    @Test func `before the first refill shows there is no other one`() {
        var machine = Machine()
        _ = machine.negotiated(isHTTP2: true)
        #expect(machine.windowChanged(to: 65_535) == [])
        #expect(machine.windowChanged(to: 30_000) == [])
        #expect(machine.windowChanged(to: MultiplexWindow.full) == [])
    }

    // MARK: The end

    @Test func `a ping that is not answered ends it`() {
        var test = Self.open()
        #expect(test.machine.pingIsDue(at: .seconds(20)) == [.ping])
        test.machine.ponged()
        #expect(test.machine.pingIsDue(at: .seconds(40)) == [.ping])
        #expect(test.machine.pingIsDue(at: .seconds(60)) == [.close(.overdue)])
        #expect(test.machine.pingIsDue(at: .seconds(80)) == [])
    }

    @Test(arguments: [false, true])
    func `a question that is not answered in time ends it, also one that nobody wants any more`(isDropped: Bool) {
        var test = Self.open()
        _ = test.ask("a", at: .seconds(5))
        if isDropped { _ = test.ask(at: .seconds(200)) }
        #expect(test.machine.pingIsDue(at: .seconds(255)) == [.ping])
        test.machine.ponged()
        let call = Call(number: isDropped ? 2 : 1)
        #expect(test.machine.pingIsDue(at: .seconds(256)) == [.fail(call, .overdue), .close(.overdue)])
    }

    /// So does one that the other side leaves: those up to its last stream may be answered yet, but nothing can be asked.
    @Test func `when it is lost, what is known is told, and whoever asks then learns of it`() {
        var test = Self.open()
        _ = test.ask("a", "b")
        test.answer(3)
        #expect(test.machine.lost() == [.answer(Call(number: 1), ["b": .index(7)]), .close(.closed)])
        test.answer(1)
        #expect(test.read() == [])
        #expect(test.ask("a", "b") == [.fail(Call(number: 2), .closed)])
        #expect(test.machine.lost() == [])
    }

    @Test func `whoever waits when it is lost fails, once`() {
        var test = Self.open()
        _ = test.ask("a")
        #expect(test.machine.lost() == [.fail(Call(number: 1), .closed), .close(.closed)])
        #expect(test.machine.lost() == [])
    }

    @Test func `when nobody waits, nobody fails`() {
        var test = Self.open()
        _ = test.ask("a")
        test.answer(1)
        _ = test.read()
        #expect(test.machine.lost() == [.close(.closed)])
    }
}
