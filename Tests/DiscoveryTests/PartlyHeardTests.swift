// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import Testing

@testable import Discovery

/// Sources of which a part is not heard or hidden, up to what the guard makes of the rest.
struct PartlyHeardTests {
    private static let api = ServiceName("api")
    private static let job = ServiceName("job")
    private static let pay = ServiceName("pay")

    /// 40 instances of `api`, and one each of `job` and `pay`.
    private static func consul() -> ConsulRig {
        var rig = ConsulRig(rules: CatalogGuard.SourceRules())
        rig.change { model in
            for name in ["job", "pay"] { model.register(name, .init(node: "n1", id: name)) }
            for number in UInt16(0)..<40 {
                model.register("api", .init(node: "n1", id: "\(number)", port: 1000 + number))
            }
        }
        rig.run(for: .seconds(3))
        return rig
    }

    /// Six times half of `api` is replaced, and nobody who is gone comes back.
    private static func deploy(_ rig: inout ConsulRig) {
        for round in UInt16(0)..<6 {
            rig.change { model in
                for number in round * 20..<round * 20 + 20 {
                    model.deregister("n1/\(number)", of: "api")
                    model.register("api", .init(node: "n1", id: "\(number + 40)", port: 1040 + number))
                }
            }
            rig.run(for: .seconds(120))
            #expect(rig.inForce[Self.api]?.instances == rig.model.instances(of: "api"), "round \(round)")
        }
    }

    @Test func `while a service of Consul is hidden, the others are deployed and go as always`() {
        var rig = Self.consul()
        let told = rig.inForce[Self.pay]
        rig.change { $0.forbidden = ["pay"] }
        rig.run(for: .seconds(90))
        #expect(rig.status?.state == .suspect && rig.status?.reason == "acl" && rig.status?.isPartial == true)
        Self.deploy(&rig)
        rig.change { $0.deregister("n1/job", of: "job") }
        rig.run(for: .seconds(30))
        #expect(rig.inForce[Self.job] != nil)
        rig.run(for: .seconds(60))
        #expect(rig.inForce[Self.job] == nil)
        #expect(rig.inForce[Self.pay] == told && told != nil)
        #expect(rig.guarded.held.map(\.reason) == [.hidden])
    }

    @Test func `while the token sees nothing, nothing that is held goes`() {
        var rig = Self.consul()
        rig.change { $0.forbidden = ["pay"] }
        rig.change { $0.deregister("n1/job", of: "job") }
        rig.run(for: .seconds(20))
        rig.change { $0.rights = .none }
        rig.run(for: .seconds(300))
        // The same state for the same reason: what is other is told all the same.
        #expect(rig.status?.state == .suspect && rig.status?.reason == "acl" && rig.status?.isPartial == false)
        #expect(rig.inForce[Self.job] != nil)
        rig.change { $0.rights = .all }
        rig.run(for: .seconds(10))
        #expect(rig.inForce[Self.job] != nil)
        rig.run(for: .seconds(90))
        #expect(rig.inForce[Self.job] == nil && rig.inForce[Self.api]?.instances.count == 40)
    }

    @Test func `a Consul none of whose services can be read is not heard`() {
        var rig = Self.consul()
        rig.change { $0.forbidden = ["api", "job", "pay"] }
        rig.run(for: .seconds(90))
        #expect(rig.status?.state == .suspect && rig.status?.isPartial == false)
    }

    @Test(
        arguments: [
            ([.nodes], true), ([.checks(.warning)], true), ([.services], false), ([.checks(.critical)], false),
            ([.nodes, .checks(.critical)], false),
        ] as [(Set<ConsulQuery.Subject>, Bool)]
    )
    func `a list that is refused keeps time still if it is one that shows what is back`(
        lists: Set<ConsulQuery.Subject>,
        isPartial: Bool
    ) {
        var rig = Self.consul()
        rig.tooLarge = lists
        rig.disconnect()
        rig.run(for: .seconds(20))
        #expect(rig.status?.state == .down && rig.status?.reason == "size" && rig.status?.isPartial == isPartial)
        // The window is over in any case.
        Self.deploy(&rig)
        #expect(rig.guarded.held == [])
    }

    @Test func `while a namespace of Nomad is hidden, the others are deployed and go as always`() throws {
        let web = ServiceName("web")
        var rig = NomadRig.filled()
        for number in 10..<50 { rig.server.register(.init(service: "web", namespace: "default", allocation: number)) }
        rig.server.register(.init(service: "job", namespace: "default", allocation: 9))
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.visible = ["default"]
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(2))
        #expect(rig.status?.state == .suspect && rig.status?.isPartial == true)
        for first in stride(from: 10, to: 130, by: 20) {
            for number in first..<first + 20 {
                rig.server.register(.init(service: "web", namespace: "default", allocation: number + 40))
                rig.server.deregister(Sample.registrationID(number))
            }
            try rig.flow(for: .seconds(120))
            #expect(rig.services[web]?.instances.count == 42)
            #expect(rig.guarded.catalog[web]?.instances == rig.services[web]?.instances)
        }
        rig.server.deregister(Sample.registrationID(9, service: "job"))
        try rig.flow(for: .seconds(30))
        _ = rig.guarded.advance(to: rig.now)
        #expect(rig.guarded.catalog[Self.job]?.instances.count == 1)
        try rig.flow(for: .seconds(60))
        _ = rig.guarded.advance(to: rig.now)
        #expect(rig.guarded.catalog[Self.job]?.instances == [])
        #expect(rig.guarded.held.map(\.names) == [["api.team-a"]])
        #expect(rig.guarded.catalog[ServiceName("api.team-a")]?.instances.count == 1)
    }

    @Test func `a Nomad that shows one of two namespaces is heard in part, and one that shows nothing is not`() throws {
        var rig = NomadRig.filled(NomadConfiguration(namespaces: ["default", "team-a"], wait: .seconds(60)))
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.server.visible = ["default"]
        for id in Array(rig.streams.keys) { rig.end(id) }
        try rig.flow(for: .seconds(10))
        #expect(rig.status?.state == .down && rig.status?.isPartial == true)
        rig.server.visible = []
        for id in Array(rig.streams.keys) { rig.end(id) }
        try rig.flow(for: .seconds(10))
        #expect(rig.status?.state == .down && rig.status?.isPartial == false)

        var all = NomadRig.filled()
        all.start()
        try all.flow(for: .seconds(2))
        all.server.visible = []
        for id in Array(all.streams.keys) { all.end(id) }
        try all.flow(for: .seconds(10))
        #expect(all.status?.state == .suspect && all.status?.isPartial == false)
    }

    @Test(arguments: [NomadFailure(status: 500, text: "stream is broken"), NomadFailure(APIError(.unreachable, "cut"))])
    func `a Nomad whose event stream alone is broken is heard in part`(failure: NomadFailure) throws {
        var rig = NomadRig.filled()
        rig.start()
        try rig.flow(for: .seconds(2))
        rig.streamFailure = failure
        rig.end(try #require(rig.streams.keys.first))
        try rig.flow(for: .seconds(10))
        #expect(rig.status?.state == .down && rig.status?.isPartial == true)
        rig.server.deregister(Sample.registrationID(1))
        rig.server.deregister(Sample.registrationID(2))
        try rig.flow(for: .seconds(30))
        _ = rig.guarded.advance(to: rig.now)
        #expect(rig.guarded.catalog[ServiceName("web")]?.instances.count == 2, "held")
        try rig.flow(for: .seconds(60))
        _ = rig.guarded.advance(to: rig.now)
        #expect(rig.guarded.catalog[ServiceName("web")]?.instances.isEmpty == true)
    }
}
