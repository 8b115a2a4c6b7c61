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

    // MARK: - A line that cannot be read

    /// Whoever is sent a line that is marked cannot take it.
    private func flow(_ rig: inout NomadRig, for time: Duration) throws {
        let end = rig.now + time
        while rig.now < end {
            rig.publish()
            for id in Array(rig.streams.keys) {
                rig.open(id)
                while let line = rig.streams[id]?.lines.first, !line.contains("too large") { try rig.hear(id) }
                if rig.streams[id]?.lines.isEmpty == false {
                    rig.end(id, NomadFailure(APIError(.tooLarge, "a line of more than 16 MiB")))
                }
            }
            while let place = rig.questions.indices.first(where: { rig.process($0) }) {
                _ = place
                while !rig.answers.isEmpty { rig.arrive(0) }
            }
            rig.now += .milliseconds(100)
            rig.perform(rig.follower.advance(to: rig.now))
        }
    }

    /// What it changed is in the lists; nothing else can be had of it.
    private func changeUnreadably(_ rig: inout NomadRig) {
        rig.server.set(1, .init(job: "too large", deployment: "d1", desired: "stop"))
    }

    private func listings(_ rig: NomadRig) -> Int {
        rig.asked.count { if case .page(.allocations, _, _) = $0 { true } else { false } }
    }

    @Test("a line that cannot be read is passed over as soon as there is a newer one")
    func unreadableLine() throws {
        var rig = NomadRig.filled()
        rig.start()
        try self.flow(&rig, for: .seconds(2))
        self.changeUnreadably(&rig)
        rig.server.set(2, .init(deployment: "d1", client: "pending"))
        rig.asked = []
        try self.flow(&rig, for: .seconds(10))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up) && rig.streams.values.map(\.isOpen) == [true])
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
        #expect(self.listings(rig) <= 4, "\(self.listings(rig)) listings")
        let asked = rig.asked.count
        rig.server.set(2, .init(deployment: "d1", desired: "stop"))
        rig.publish()
        try rig.hear(try #require(rig.streams.keys.first))
        #expect(rig.facts[Sample.allocationID(2)]?.desired == .stop && rig.asked.count == asked)
    }

    @Test("while it is the last change that there is, it is asked for seldom, and changes are seen without the stream")
    func lastLine() throws {
        var rig = NomadRig.filled()
        rig.start()
        try self.flow(&rig, for: .seconds(2))
        self.changeUnreadably(&rig)
        rig.asked = []
        try self.flow(&rig, for: .seconds(120))
        #expect(rig.facts[Sample.allocationID(1)]?.desired == .stop)
        #expect(self.listings(rig) <= 10, "\(self.listings(rig)) listings")
        #expect(rig.status?.state == .down && rig.status?.isPartial == true && rig.status?.reason == "size")
        rig.server.set(2, .init(deployment: "d1", desired: "stop"))
        try self.flow(&rig, for: .seconds(1))
        #expect(rig.facts[Sample.allocationID(2)]?.desired == .stop)
        try self.flow(&rig, for: .seconds(31))
        #expect(rig.status == SourceStatus(source: .nomad, state: .up) && rig.streams.values.map(\.isOpen) == [true])
    }
}
