// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport
import Testing

@testable import Discovery

/// Services whose checks count, at a start and with clients that do not answer.
@Suite("NomadChecks")
struct NomadChecksTests {
    private static let well = [1: ["web": "success"], 2: ["web": "success"], 3: ["api": "success"]]

    private func filled(known: [ServiceName: Service] = [:]) -> NomadRig {
        var rig = NomadRig.filled(NomadConfiguration(wait: .seconds(60), requiredChecks: .all), known: known)
        rig.server.checks = Self.well
        return rig
    }

    @Test("after a restart, the health that was told before stands in until a client answers")
    func restart() throws {
        var before = self.filled()
        before.start()
        try before.flow(for: .seconds(1))
        #expect(before.health("web") == [.passing, .passing])
        var rig = self.filled(known: before.services)
        rig.server.mute = [1, 3]
        rig.server.checks[2] = ["web": "failure"]
        rig.server.set(4, .init())
        rig.server.register(.init(service: "web", namespace: "default", allocation: 4))
        rig.start()
        try rig.flow()
        let first = try #require(rig.updates.first)
        #expect(first.isComplete && first.unheard == Unheard())
        let told = rig.updates.compactMap { $0.services[ServiceName("web")]??.instances.map(\.health) }
        #expect(told.allSatisfy { $0.first == .passing && $0.last == .critical })
        #expect(rig.health("web") == [.passing, .critical, .critical])
        try rig.flow(for: .seconds(100))
        #expect(rig.health("web") == [.passing, .critical, .critical] && rig.health("api.team-a") == [.passing])
        rig.server.mute = []
        rig.server.checks[1] = ["web": "failure"]
        try rig.flow(for: .seconds(61))
        #expect(rig.health("web") == [.critical, .critical, .critical] && rig.health("api.team-a") == [.passing])
    }

    @Test("what was stored of an allocation is nothing any more once its registration went")
    func goneOnce() throws {
        var before = self.filled()
        before.start()
        try before.flow(for: .seconds(1))
        var rig = self.filled(known: before.services)
        rig.server.mute = [1]
        rig.start()
        try rig.flow(for: .seconds(1))
        #expect(rig.health("web") == [.passing, .passing])
        rig.server.deregister(Sample.registrationID(1))
        try rig.flow(for: .seconds(1))
        rig.server.register(.init(service: "web", namespace: "default", allocation: 1))
        try rig.flow(for: .seconds(1))
        #expect(rig.health("web") == [.critical, .passing])
    }

    @Test("where nothing was stored, the first word waits until each client has answered or failed")
    func patience() throws {
        var rig = self.filled()
        rig.server.mute = [1]
        rig.start()
        try rig.flow(for: NomadChecks.deadline - .milliseconds(1))
        #expect(rig.updates.isEmpty && rig.status?.state == .starting)
        try rig.flow(for: .milliseconds(1))
        #expect(rig.updates.first?.services[ServiceName("web")]??.instances.map(\.health) == [.critical, .passing])
        #expect(rig.health("api.team-a") == [.passing] && rig.status?.state == .up)
    }

    /// Thirty clients that do not answer, and one that does.
    private func hanging() -> NomadRig {
        var rig = self.filled()
        for number in 10..<40 {
            rig.server.set(number, .init())
            rig.server.register(.init(service: "web", namespace: "default", allocation: number))
            rig.server.mute.insert(number)
        }
        return rig
    }

    @Test("that wait has an end")
    func end() throws {
        var rig = self.hanging()
        rig.start()
        try rig.flow(for: NomadChecks.patience - .milliseconds(1))
        #expect(rig.updates.isEmpty)
        try rig.flow(for: .milliseconds(1))
        #expect(rig.updates.first?.isComplete == true && rig.services.count == 2)
        #expect(rig.follower.nextDeadline.map { $0 > rig.now } == true)
    }

    @Test("clients that do not answer do not keep the others from being asked")
    func hang() throws {
        var rig = self.hanging()
        rig.start()
        try rig.flow(for: .seconds(60))
        rig.asked = []
        try rig.flow(for: .seconds(60))
        let asked = rig.asked.count { $0 == .checks(allocation: Sample.allocationID(3)) }
        #expect(asked >= 10, "\(asked) times")
    }
}
