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

    // MARK: - A stream that is not let through

    /// What a proxy does that keeps answers until they are whole.
    private static let buffered = NomadFailure(APIError(.timedOut, "no answer within 10 s"))

    @Test("where streams alone are not let through, all is followed, and it stays so")
    func noStream() throws {
        var rig = NomadRig.filled(NomadConfiguration())
        rig.streamFailure = Self.buffered
        rig.start()
        try rig.flow(for: .seconds(5))
        let told = rig.reports.count
        try rig.flow(for: .seconds(900))
        #expect(rig.status?.state == .down && rig.status?.isPartial == true)
        #expect(rig.reports.count == told, "nothing comes and goes with each attempt")
        rig.streamFailure = nil
        try rig.flow(for: .seconds(10))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
    }

    @Test("where nothing is answered any more, nothing is followed")
    func noAnswer() throws {
        var rig = NomadRig.filled(NomadConfiguration())
        rig.streamFailure = Self.buffered
        rig.start()
        try rig.flow(for: .seconds(30))
        #expect(rig.status?.isPartial == true)
        // Questions that wait do not show it.
        rig.isMute = true
        try rig.flow(for: .seconds(20))
        #expect(rig.status?.state == .down && rig.status?.isPartial == false)
    }
}
