// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

@testable import XDSServer

/// How often the names of a stream are counted.
@Suite struct NameCountTests {
    private static func memory(names: Int) -> StreamStateMachine.NameMemory {
        var memory = StreamStateMachine.NameMemory()
        for number in 0..<names { memory.add(ResourceName("service-\(number)")) }
        return memory
    }

    private static func counted(subscribed: Int, claimed: Int) -> NameCount {
        var count = NameCount()
        _ = count.counted(subscribed: memory(names: subscribed), claimed: memory(names: claimed), repeated: 0)
        return count
    }

    @Test(arguments: [(0, 10_000), (10_000, 100)])
    func `many small ACKs of a client that claims much do not each have everything counted`(
        subscribed: Int,
        claimed: Int
    ) {
        var count = Self.counted(subscribed: subscribed, claimed: claimed)
        var counts = 0
        for _ in 0..<10_000 {
            count.acknowledged(names: 1)
            guard count.isDue else { continue }
            counts += 1
            _ = count.counted(
                subscribed: Self.memory(names: subscribed),
                claimed: Self.memory(names: claimed),
                repeated: 0
            )
        }
        #expect((1...4).contains(counts))
    }

    @Test func `an ACK of what was claimed has it counted, and what is free is told`() {
        var count = Self.counted(subscribed: 100, claimed: 1_000)
        let charge = count.charge
        count.acknowledged(names: 1_000)
        #expect(count.isDue)
        let memory = Self.memory(names: 100)
        #expect(count.counted(subscribed: memory, claimed: Self.memory(names: 0), repeated: 0) == memory.cost - charge)
        #expect(count.charge == memory.cost)
        #expect(!count.isDue)
    }

    @Test func `who claims nothing has nothing counted by ACKs`() {
        var count = Self.counted(subscribed: 1_000, claimed: 0)
        for _ in 0..<1_000 { count.acknowledged(names: 1_000) }
        #expect(!count.isDue)
    }

    @Test func `names are counted when they may have become a quarter more`() {
        var count = Self.counted(subscribed: 1_000, claimed: 0)
        count.received(bytes: count.charge / 4 + 4_096)
        #expect(!count.isDue)
        count.received(bytes: 1)
        #expect(count.isDue)
    }

    @Test func `an ACK tells how many names it is of`() {
        var machine = StreamStateMachine(variant: .delta)
        _ = machine.snapshotChanged(Snapshot(generation: 1), changes: nil)
        let first = machine.received(DeltaRequest(type: .endpoints, subscribe: ["a", "b"]))
        #expect(machine.lastAcknowledged == 0)
        guard case .respond(let response) = first.first else {
            Issue.record("no response")
            return
        }
        _ = machine.received(DeltaRequest(type: .endpoints, responseNonce: response.nonce))
        #expect(machine.lastAcknowledged == 2)
        _ = machine.received(DeltaRequest(type: .endpoints, responseNonce: response.nonce))
        #expect(machine.lastAcknowledged == 0)
    }
}
