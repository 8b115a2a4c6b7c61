// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import XDSServer

@Suite struct UnreadWatchTests {
    enum Event: CustomTestStringConvertible {
        case more(Int)
        case read(Int)
        case look

        var testDescription: String { "\(self)" }
    }

    private static let fiveLooks = Array(repeating: Event.look, count: 5)

    /// What happened, and what the last look says.
    static let conversations: [(String, [Event], Bool)] = [
        ("nothing waits", fiveLooks, false),
        ("nothing is read", [.more(800)] + fiveLooks, true),
        ("it was not looked at often enough", [.more(800)] + fiveLooks.dropLast(), false),
        ("all was read", [.more(800), .read(800)] + fiveLooks, false),
        ("all was read between two looks", [.more(800), .look, .look, .look, .read(800), .look, .look], false),
        ("a part was read", [.more(800), .look, .look, .look, .look, .read(100), .look], false),
        ("less than a part was read", [.more(800), .look, .look, .look, .look, .read(80), .look], true),
        ("a byte now and then", [.more(800)] + (0..<5).flatMap { _ in [Event.read(1), .look] }, true),
        ("small pieces that add up", [.more(800)] + (0..<20).flatMap { _ in [Event.read(30), .look] }, false),
        ("more is asked for than is read", [.more(800), .read(90), .more(8_000)] + fiveLooks, true),
        ("it was read once, and not again", [.more(800), .read(100)] + [.look] + fiveLooks, true),
    ]

    @Test(arguments: conversations)
    func `who does not read is found, and nobody else`(_ what: String, _ events: [Event], _ isStalled: Bool) {
        var watch = UnreadWatch()
        var last = false
        for event in events {
            switch event {
            case .more(let bytes): watch.count(bytes)
            case .read(let bytes): watch.count(-bytes)
            case .look: last = watch.look()
            }
        }
        #expect(last == isStalled, "\(what)")
    }
}
