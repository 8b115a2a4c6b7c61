// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import TestSupport
import Testing

@testable import Discovery

/// What a token may see, and what stays of what it may see no more.
@Suite("NomadRights")
struct NomadRightsTests {
    @Test("a namespace that the token sees no more keeps its services; one that is empty does not")
    func hidden() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.visible = ["default"]
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(2))
        #expect(rig.status?.state == .suspect && rig.status?.problem?.contains("team-a") == true)
        #expect(rig.services.count == 2)
        rig.server.visible = nil
        rig.server.registrations = rig.server.registrations.filter { $0.value.namespace == "default" }
        rig.server.index += 1
        rig.server.tableIndexes[.services] = rig.server.index
        try rig.flow(for: .seconds(5))
        #expect(rig.status?.state == .up)
        #expect(rig.services.keys.map(\.rawValue) == ["web"])
    }

    @Test("after a restart, a namespace that the token sees no more keeps its services until it is seen")
    func hiddenSinceBeforeTheStart() throws {
        var before = NomadRig.filled()
        before.server.register(.init(service: "old", namespace: "team-a", allocation: 3))
        before.server.register(.init(service: "gone", namespace: "default", allocation: 3))
        before.start()
        try before.flow(for: .seconds(2))
        #expect(before.services.count == 4)
        var rig = NomadRig.filled(known: before.services)
        rig.server.visible = ["default"]
        rig.start()
        try rig.flow(for: .seconds(2))
        #expect(rig.status?.state == .suspect && rig.status?.problem?.contains("team-a") == true)
        #expect(rig.services.keys.map(\.rawValue).sorted() == ["api.team-a", "old.team-a", "web"])
        #expect(rig.services[ServiceName("api.team-a")] == before.services[ServiceName("api.team-a")])
        rig.server.visible = nil
        rig.server.register(.init(service: "api", namespace: "team-a", allocation: 2))
        try rig.flow(for: .seconds(5))
        #expect(rig.status?.state == .up)
        #expect(rig.services.keys.map(\.rawValue).sorted() == ["api.team-a", "web"])
        #expect(rig.services[ServiceName("api.team-a")]?.instances.count == 2)
    }

    @Test(
        "what is hidden is told as that, goes when that is accepted, and comes back when it is seen",
        arguments: [true, false]
    )
    func hiddenAccepted(isKnownFromBefore: Bool) throws {
        let api = ServiceName("api.team-a")
        var before = NomadRig.filled()
        before.start()
        try before.flow(for: .seconds(2))
        let told = try #require(before.services[api])
        var rig = isKnownFromBefore ? NomadRig.filled(known: before.services) : before
        rig.server.visible = ["default"]
        if isKnownFromBefore { rig.start() } else { rig.end(try #require(rig.streams.keys.first)) }
        try rig.flow(for: .seconds(10))
        #expect(rig.unheard.hidden == [api: .all] && rig.services[api] == told)
        rig.perform(rig.follower.accepted(at: rig.now))
        #expect(rig.unheard.isEmpty && rig.unheard.hidden.isEmpty)
        #expect(rig.services.keys.map(\.rawValue) == ["web"])
        #expect(rig.status == SourceStatus(source: .nomad, state: .up))
        try rig.flow(for: .seconds(400))
        #expect(rig.services.keys.map(\.rawValue) == ["web"] && rig.status?.state == .up)
        rig.server.visible = nil
        try rig.flow(for: .seconds(300))
        #expect(rig.services[api] == told)
    }

    @Test("what was seen again is told again, as whoever let it go does not know it any more")
    func hiddenForAWhile() throws {
        let api = ServiceName("api.team-a")
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.visible = ["default"]
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(2))
        #expect(rig.unheard.hidden == [api: .all])
        let told = rig.services.removeValue(forKey: api)
        rig.server.visible = nil
        try rig.flow(for: .seconds(5))
        #expect(rig.services[api] == told && told != nil && rig.unheard == Unheard())
    }

    @Test("with another token everything is asked anew at once, and streams and questions that wait are given up")
    func otherToken() throws {
        var rig = NomadRig.filled()
        rig.server.mayReadNodes = false
        rig.server.visible = ["default"]
        rig.server.restart()
        rig.start()
        try rig.flow(for: .seconds(20))
        #expect(rig.services.keys.map(\.rawValue) == ["web"])
        rig.server.mayReadNodes = true
        rig.server.visible = nil
        rig.token = 1
        let waiting = rig.questions.map(\.id)
        let streams = Set(rig.streams.keys)
        rig.asked = []
        rig.perform(rig.follower.tokenFileReplaced(at: rig.now))
        try rig.flow(for: .seconds(1))
        #expect(rig.services.count == 2 && rig.status == SourceStatus(source: .nomad, state: .up))
        #expect(streams.isDisjoint(with: rig.streams.keys) && rig.streams.values.map(\.subscription.hasNodes) == [true])
        #expect(!waiting.isEmpty && !rig.questions.contains { waiting.contains($0.id) })
        for table in NomadTable.allCases {
            let namespace = table == .nodes ? ["*", "default"] : ["*"]
            #expect(rig.asked.contains { namespace.map { .page(table, namespace: $0, token: nil) }.contains($0) })
        }
        // Once.
        rig.asked = []
        try rig.flow(for: .seconds(30))
        #expect(rig.asked.count < 3, "\(rig.asked)")
    }

    @Test("a token that was written again is no other one")
    func sameToken() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(20))
        let streams = Set(rig.streams.keys)
        rig.asked = []
        rig.perform(rig.follower.tokenFileReplaced(at: rig.now))
        try rig.flow(for: .seconds(1))
        #expect(Set(rig.streams.keys) == streams)
        #expect(rig.asked == [.page(.services, namespace: "*", token: nil)])
    }

    @Test("what could not be asked for is not hidden")
    func notAnswered() throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.visible = ["default"]
        rig.server.failingVisibility = 500
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(10))
        #expect(rig.status?.state == .down && rig.status?.reason == "status" && rig.status?.fault == nil)
        #expect(rig.status?.problem?.contains("team-a is not known") == true && rig.unheard == Unheard())
        rig.perform(rig.follower.accepted(at: rig.now))
        #expect(rig.status?.state == .down && rig.services.count == 2)
        rig.server.failingVisibility = 403
        try rig.flow(for: .seconds(5))
        #expect(rig.status?.state == .suspect && rig.unheard.hidden.count == 1)
        // What was refused before is so until Nomad says something else.
        rig.server.failingVisibility = 500
        try rig.flow(for: .seconds(5))
        #expect(rig.status?.state == .down && rig.unheard.hidden.count == 1)
        rig.perform(rig.follower.accepted(at: rig.now))
        #expect(rig.status?.state == .up && rig.services.count == 1)
    }

    @Test("a namespace that the token may see at last is read, though no index tells of it")
    func revealed() throws {
        var rig = NomadRig.filled()
        rig.server.restart()
        rig.server.visible = ["default"]
        rig.start()
        try rig.flow(for: .seconds(2))
        #expect(rig.services.keys.map(\.rawValue) == ["web"] && rig.status?.state == .up)
        rig.server.visible = nil
        try rig.flow(for: .seconds(301))
        #expect(rig.services.count == 2)
    }
}
