// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Discovery

/// Times are those of a clock that goes on while the machine sleeps. The timer's clock does not: here it hardly moves.
@Suite(.timeLimit(.minutes(1)))
struct AlarmTests {
    private let rings: AsyncStream<Void>
    private var alarm: Alarm

    init() {
        let (rings, bell) = AsyncStream<Void>.makeStream()
        self.rings = rings
        self.alarm = Alarm { bell.yield() }
    }

    private mutating func rang() async {
        var iterator = self.rings.makeAsyncIterator()
        _ = await iterator.next()
        self.alarm.rang()
    }

    @Test mutating func `what is due after a sleep rings at once`() async {
        self.alarm.set(.seconds(3600), at: .seconds(3600))
        await self.rang()
        // 7200 s, of which the timer has seen nothing.
        self.alarm.set(.seconds(7200), at: .seconds(7200))
        await self.rang()
    }

    @Test mutating func `one that was set before a sleep is set anew after it`() async {
        self.alarm.set(.seconds(3600), at: .zero)
        self.alarm.set(.seconds(3600), at: .seconds(3600))
        await self.rang()
        self.alarm.set(.seconds(7200), at: .seconds(3600))
        self.alarm.set(.seconds(7300), at: .seconds(8000))
        await self.rang()
    }

    @Test mutating func `a sooner time replaces a later one, and a later one does not replace a sooner one`() async {
        self.alarm.set(.seconds(3600), at: .zero)
        self.alarm.set(.milliseconds(20), at: .zero)
        self.alarm.set(.seconds(1800), at: .zero)
        self.alarm.set(nil, at: .zero)
        await self.rang()
        self.alarm.set(.seconds(-1), at: .zero)
        await self.rang()
    }
}
