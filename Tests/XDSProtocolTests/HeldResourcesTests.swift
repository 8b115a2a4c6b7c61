// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import Testing

@testable import XDSProtocol

/// What a stream remembers is not to grow with what it does not ask for.
@Suite struct HeldResourcesTests {
    private static func world(_ names: String...) -> Snapshot.Resources {
        Snapshot(1, [.endpoints: Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })])[.endpoints]
    }

    /// A stream that asked for `a` and `b`, holds them, and lives through changes of others.
    @Test(arguments: [true, false])
    func `names that nobody asked for are not remembered`(isKnown: Bool) {
        var held = HeldResources()
        let first = Self.world("a", "b")
        held.adopt(first.values, of: first)
        for number in 0..<50 {
            let next = Self.world("a", "b", "service \(number)", "service \(number + 1)")
            let changed = Set([number - 1, number + 1, 0].map { ResourceName("service \($0)") })
            let moved = held.move(to: next, changed: isKnown ? changed : nil) { ["a", "b"].contains($0.name) }
            #expect(!moved.isEmpty)
            #expect(held.exceptions.isEmpty)
        }
        #expect(held["a"]?.resource == first["a"])
    }

    @Test func `what came and went before it was sent is not remembered`() {
        var held = HeldResources()
        let first = Self.world("a")
        held.adopt(first.values, of: first)
        for number in 0..<50 {
            _ = held.move(to: Self.world("a", "b \(number)"), changed: nil) { _ in true }
            #expect(held[ResourceName("b \(number)")] == nil)
            #expect(held.exceptions.count == 1)
            _ = held.move(to: first, changed: nil) { _ in true }
            #expect(held.exceptions.isEmpty)
        }
    }
}
