// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Discovery

@Suite struct FollowedIndexTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var answers: [UInt64?]
        var verdict: FollowedIndex.Verdict
        var question: UInt64?
    }

    @Test(arguments: [
        Case(testDescription: "the first is believed", answers: [7], verdict: .believed(previous: nil), question: 7),
        Case(testDescription: "one that rises is", answers: [7, 9], verdict: .believed(previous: 7), question: 9),
        Case(testDescription: "the same is", answers: [7, 7], verdict: .believed(previous: 7), question: 7),
        Case(testDescription: "one that falls is not", answers: [7, 3], verdict: .regressed, question: nil),
        Case(testDescription: "it fell twice", answers: [7, 3, 4], verdict: .reset, question: 4),
        Case(
            testDescription: "it fell for a moment",
            answers: [7, 3, 8],
            verdict: .believed(previous: 7),
            question: 8
        ),
        Case(
            testDescription: "after a reset it can fall again",
            answers: [7, 3, 3, 2],
            verdict: .regressed,
            question: nil
        ),
        Case(testDescription: "0 counts as 1", answers: [0], verdict: .believed(previous: nil), question: 1),
        Case(testDescription: "0 after 1 is no fall", answers: [1, 0], verdict: .believed(previous: 1), question: 1),
        Case(testDescription: "none is a fall", answers: [7, nil], verdict: .regressed, question: nil),
        Case(testDescription: "none, and none again", answers: [7, nil, nil], verdict: .reset, question: nil),
        Case(testDescription: "the largest", answers: [7, .max], verdict: .believed(previous: 7), question: .max),
    ])
    func whatIsBelieved(_ this: Case) {
        var followed = FollowedIndex()
        var verdict: FollowedIndex.Verdict?
        for answer in this.answers { verdict = followed.answered(answer) }
        #expect(verdict == this.verdict)
        #expect(followed.question == this.question)
    }

    @Test func whatIsConfirmedIsBelieved() {
        var followed = FollowedIndex()
        followed.confirm()
        #expect(!followed.isToConfirm, "the first is believed in any case")
        #expect(followed.answered(7) == .believed(previous: nil))
        followed.confirm()
        #expect(followed.question == nil)
        #expect(followed.value == 7)
        #expect(followed.answered(3) == .reset)
        #expect(followed.question == 3)
    }

    @Test func whatIsForgottenIsNoPrevious() {
        var followed = FollowedIndex()
        _ = followed.answered(7)
        _ = followed.answered(3)
        followed.forget()
        #expect(followed.question == nil)
        #expect(followed.answered(2) == .believed(previous: nil))
    }
}
