// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import TestSupport
import Testing

@testable import Discovery

/// A part of Nomad fails, and the rest goes on.
@Suite("Nomad: a part that fails")
struct NomadPartsTests {
    // MARK: - A stream that tells nothing

    @Test("what is missed while it is about to be read again does not put off the next time")
    func missedAgainAndAgain() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(30))
        func changeInSilence(_ number: Int) {
            rig.server.set(1, .init(deployment: "d1", client: number.isMultiple(of: 2) ? "running" : "pending"))
            rig.server.events.removeLast()
        }
        for number in 0..<40 {
            changeInSilence(number)
            try rig.flow(for: .milliseconds(1500))
        }
        try rig.flow(for: .seconds(15))
        rig.server.set(1, .init(deployment: "d1", desired: "stop"))
        rig.server.events.removeLast()
        try rig.flow(for: .seconds(12))
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
    }

    // MARK: - Nodes

    @Test("nodes that fail hold up nothing, and their names come when they do", arguments: [403, 500, 502])
    func nodes(status: Int) throws {
        var rig = NomadRig.filled()
        rig.server.failingNodes = status
        // No event tells of them, either.
        rig.server.restart()
        rig.start()
        try rig.flow(for: .seconds(2))
        #expect(rig.services.count == 2 && rig.facts.count == 3)
        #expect(rig.status?.state == .up && rig.status?.reason == "partial")
        #expect(rig.status?.problem?.hasPrefix("nodes are not seen: ") == true)
        #expect(rig.services[ServiceName("web")]?.instances.map(\.node) == ["", ""])
        rig.server.failingNodes = nil
        try rig.flow(for: .seconds(60))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
        #expect(rig.services[ServiceName("web")]?.instances.map(\.node) == ["name of n1", "name of n1"])
    }
}
