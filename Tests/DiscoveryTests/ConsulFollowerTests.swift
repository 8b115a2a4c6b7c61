// SPDX-License-Identifier: Apache-2.0

import Catalog
import TestSupport
import Testing

@testable import Discovery

struct ConsulFollowerTests {
    /// So many services with two instances each, read.
    private static func rig(
        services: Int,
        seed: UInt64 = 1,
        _ configuration: ConsulConfiguration = .init(followsConfigEntries: false)
    ) -> ConsulRig {
        var rig = ConsulRig(seed: seed, configuration)
        rig.change { model in
            for number in 0..<services {
                for copy in 0..<2 {
                    model.register("s\(number)", .init(node: "n\((number + copy) % 7)", id: "s\(number)-\(copy)"))
                }
            }
        }
        rig.run(for: .seconds(5))
        return rig
    }

    private static func untaken(_ rig: ConsulRig) -> [ServiceName: Untaken]? {
        rig.events.lazy.compactMap { if case .untaken(let services) = $0 { services } else { nil } }.last
    }

    @Test func `what the settings leave out is told with the setting, before what is taken`() {
        let configuration = ConsulConfiguration(
            services: ["s1*"],
            isExposedByDefault: false,
            followsConfigEntries: false
        )
        var rig = ConsulRig(configuration)
        rig.change { model in
            for name in ["s1", "s10", "s2"] {
                model.register(
                    name,
                    .init(node: "n1", id: "\(name)-1", tags: name == "s10" ? ["signalbox.enable=true"] : [])
                )
            }
        }
        rig.run(for: .seconds(2))
        #expect(rig.told.keys.map(\.rawValue) == ["s10"])
        let reasons = (Self.untaken(rig) ?? [:]).map { "\($0.key): \($0.value.reason.prefix(15))" }.sorted()
        #expect(reasons == ["s1: consul.exposed.", "s2: consul.services"])
        let order = rig.events.compactMap { event -> String? in
            switch event {
            case .untaken: "untaken"
            case .catalog: "catalog"
            default: nil
            }
        }
        #expect(order == ["untaken", "catalog"])
        rig.change { $0.register("s1", .init(node: "n1", id: "s1-1", tags: ["signalbox.enable=true"])) }
        rig.run(for: .seconds(2))
        #expect(Self.untaken(rig)?.keys.map(\.rawValue) == ["s2"])
    }

    @Test func `where everything is taken, nothing is told to be left out`() {
        #expect(Self.untaken(Self.rig(services: 20)) == nil)
    }

    @Test func `the first update is complete`() throws {
        let rig = Self.rig(services: 50)
        let updates = rig.events.compactMap { if case .catalog(let update) = $0 { update } else { nil } }
        #expect(updates.count == 1)
        #expect(updates.first?.isComplete == true)
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test(arguments: [10, 200])
    func `each kind of change is told soon`(services: Int) {
        var rig = Self.rig(services: services)
        let service = "s\(services - 1)"
        let key = rig.model.services[service]?.keys.min() ?? ""
        var registration = rig.model.services[service]?[key] ?? .init(node: "", id: "")
        let changes: [(String, (inout ConsulModel) -> Void)] = [
            ("critical", { $0.setStatus(.critical, of: key, in: service) }),
            ("warning", { $0.setStatus(.warning, of: key, in: service) }),
            ("passing", { $0.setStatus(.passing, of: key, in: service) }),
            ("node check", { $0.setNode(registration.node, .critical) }),
            ("node back", { $0.setNode(registration.node, .passing) }),
            ("node address", { $0.setAddress("10.0.0.9", ofNode: registration.node) }),
            (
                "weight",
                {
                    registration.weight = 5
                    $0.register(service, registration)
                }
            ),
            (
                "tag",
                {
                    registration.tags = ["v2"]
                    $0.register(service, registration)
                }
            ),
            (
                "meta",
                {
                    registration.meta = ["version": "2"]
                    $0.register(service, registration)
                }
            ),
            ("another instance", { $0.register(service, .init(node: "n1", id: "another")) }),
            ("that is gone", { $0.deregister("n1/another", of: service) }),
            ("another service", { $0.register("another", .init(node: "n1", id: "a")) }),
            ("which is gone", { $0.deregister("n1/a", of: "another") }),
        ]
        for (name, change) in changes {
            // Of a service that was left alone for long.
            rig.run(for: .seconds(400))
            rig.change(change)
            rig.run(for: .milliseconds(300))
            #expect(rig.isSettled, "\(name)")
        }
        #expect(rig.mostInFlight <= ConsulConfiguration.maximumConnections)
    }

    @Test func `a service that is watched is not searched for`() {
        var rig = Self.rig(services: 20)
        for weight in 2..<20 {
            rig.change { $0.register("s3", .init(node: "n3", id: "s3-0", weight: weight)) }
            rig.run(for: .milliseconds(100))
            #expect(rig.isSettled)
        }
        #expect(rig.counts[.search] == nil)
    }

    @Test func `of many services the ones that changed are watched`() {
        var rig = Self.rig(services: 200)
        rig.change { $0.register("s3", .init(node: "n3", id: "s3-0", weight: 2)) }
        // Not 10: then its question has waited long enough and is put again.
        rig.run(for: .seconds(9))
        let searches = rig.counts[.search]
        rig.change { $0.register("s3", .init(node: "n3", id: "s3-0", weight: 3)) }
        rig.run(for: .milliseconds(90))
        #expect(rig.isSettled)
        #expect(rig.counts[.search] == searches)
    }

    @Test func `of many services the one with a new instance is found by one question`() {
        var rig = Self.rig(services: 1000)
        rig.run(for: .seconds(30))
        let before = rig.sent.count
        rig.change { $0.register("s3", .init(node: "n0", id: "new")) }
        rig.run(for: .milliseconds(200))
        #expect(rig.isSettled)
        #expect(rig.sent[before...].count { $0.subject == .passing } == 1)
        #expect(rig.sent[before...].allSatisfy { !$0.probed.contains("s3") })
        #expect(rig.sent.count - before < 20)
        rig.run(for: .seconds(100))
        rig.change { $0.deregister("n5/s5-0", of: "s5") }
        rig.run(for: .milliseconds(200))
        #expect(rig.isSettled)
        #expect(rig.sent[before...].count { $0.subject == .passing } == 2)
    }

    @Test func `a change that hides behind another is found within seconds`() {
        var rig = Self.rig(services: 200)
        rig.change { model in
            model.register("s3", .init(node: "n3", id: "s3-0", weight: 2))
            model.register("another", .init(node: "n1", id: "a"))
        }
        rig.run(for: .seconds(5))
        #expect(rig.isSettled)
    }

    @Test func `nothing is asked again and again while nothing changes`() {
        var rig = Self.rig(services: 200)
        rig.run(for: .seconds(60))
        let before = rig.sent.count
        rig.run(for: .seconds(600))
        // The link every 2 s, four questions a minute, and two looks at all services.
        #expect(rig.sent.count - before < 300 + 4 * 11 + 3 * 200 + 50)
    }

    @Test func `an index that stands makes no loop`() {
        var rig = Self.rig(services: 40)
        // The index now: each registration is one.
        rig.forgedIndex = { min($0, 1 + 40 * 2) }
        rig.change { model in
            for number in 0..<40 { model.register("s\(number)", .init(node: "n1", id: "s\(number)-0", weight: 9)) }
        }
        rig.run(for: .seconds(1))
        let before = rig.sent.count
        rig.run(for: .seconds(10))
        #expect(rig.sent.count - before < 10 * 60)
    }

    @Test func `searches take a fifth of the time when changes never stop`() {
        var rig = Self.rig(services: 3000)
        let before = rig.sent.count
        for round in 0..<400 {
            rig.change { $0.register("s\(round * 7 % 3000)", .init(node: "n1", id: "x\(round)", weight: 2)) }
            rig.run(for: .milliseconds(50))
        }
        let probes = rig.sent[before...].reduce(0) { $0 + $1.probed.count }
        // 20 s: 4 s of probes at 65 us, the allowance before them, and a search that was begun.
        #expect(probes < Int((4 + 2.5) / 0.000065) + 3000)
        rig.run(for: .seconds(30))
        #expect(rig.isSettled)
    }

    @Test func `a token that sees nothing removes nothing, is named, and heals`() {
        var rig = Self.rig(services: 40)
        let told = rig.told
        rig.change { $0.rights = .none }
        rig.run(for: .seconds(5))
        #expect(rig.status?.state == .suspect)
        #expect(rig.status?.reason == "acl")
        rig.change { model in
            for number in 0..<40 {
                model.setStatus(.critical, of: "n\(number % 7)/s\(number)-0", in: "s\(number)")
            }
        }
        rig.run(for: .seconds(120))
        #expect(rig.told == told)
        rig.change { $0.rights = .all }
        rig.run(for: .seconds(5))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(rig.isSettled)
        #expect(rig.told != told)
    }

    @Test func `a token that is refused removes nothing, is named, and heals`() {
        var rig = Self.rig(services: 40)
        let told = rig.told
        rig.change { $0.rights = .denied }
        rig.run(for: .seconds(5))
        #expect(rig.status?.state == .down)
        #expect(rig.status?.reason == "acl")
        rig.run(for: .seconds(120))
        #expect(rig.told == told)
        rig.change { $0.rights = .all }
        rig.run(for: .seconds(5))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(rig.isSettled)
    }

    @Test func `a server that is away is asked seldom, and found soon`() {
        var rig = Self.rig(services: 40)
        rig.isDown = true
        rig.disconnect()
        rig.run(for: .seconds(10))
        #expect(rig.status?.state == .down)
        #expect(rig.status?.reason == "unreachable")
        let before = rig.sent.count
        rig.run(for: .seconds(600))
        #expect(rig.sent.count - before <= 2 * 600)
        rig.isDown = false
        rig.change { $0.register("s1", .init(node: "n1", id: "s1-0", weight: 9)) }
        rig.run(for: .seconds(4))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `a server that comes back again and again is said to be up soon each time`() {
        var rig = Self.rig(services: 40)
        for _ in 0..<5 {
            rig.isDown = true
            rig.disconnect()
            rig.run(for: .seconds(1))
            #expect(rig.status?.state == .down)
            rig.isDown = false
            rig.run(for: .seconds(5))
            #expect(rig.status == SourceStatus(source: .consul, state: .up))
        }
    }

    @Test func `a state that was lost is followed, and told of as such`() {
        var rig = Self.rig(services: 40)
        rig.isDown = true
        rig.disconnect()
        rig.run(for: .seconds(1))
        rig.change { $0.wipe() }
        rig.change { $0.register("s1", .init(node: "n1", id: "s1-0")) }
        rig.isDown = false
        rig.run(for: .seconds(8))
        #expect(rig.isSettled)
        #expect(rig.counts[.indexRegression, default: 0] > 0)
    }

    @Test(
        arguments: [
            { @Sendable in $0 + 1_000_000 }, { @Sendable _ in 5 }, { @Sendable in $0 / 2 }, { @Sendable _ in .max },
        ]
            as [@Sendable (UInt64) -> UInt64]
    )
    func `indexes that lie cost no change once they are true again`(forge: @escaping @Sendable (UInt64) -> UInt64) {
        var rig = Self.rig(services: 100)
        rig.forgedIndex = forge
        for round in 0..<20 {
            rig.change { $0.register("s\(round)", .init(node: "n1", id: "x", weight: round + 2)) }
            rig.change { $0.setStatus(.critical, of: "n1/x", in: "s\(round)") }
            rig.run(for: .milliseconds(300))
        }
        rig.forgedIndex = nil
        rig.change { $0.register("s50", .init(node: "n1", id: "x", weight: 77)) }
        rig.run(for: .seconds(5))
        #expect(rig.isSettled)
        #expect(rig.told[ServiceName("s50")]?.instances.contains { $0.weight.value == 77 } == true)
    }

    @Test func `any two indexes can be compared`() {
        #expect(UInt64(7).leavesOut(after: 5) && UInt64.max.leavesOut(after: 0))
        #expect(!UInt64(6).leavesOut(after: 5) && !UInt64(5).leavesOut(after: 5) && !UInt64(4).leavesOut(after: 5))
        #expect(!UInt64.max.leavesOut(after: .max) && !UInt64(0).leavesOut(after: .max))
    }

    @Test func `a service that is listed and shows nothing is kept, and named`() {
        var rig = Self.rig(services: 40)
        let told = rig.told
        rig.change { $0.hidden = ["s7"] }
        rig.change { $0.setStatus(.critical, of: "n0/s7-0", in: "s7") }
        rig.run(for: .seconds(5))
        #expect(rig.told == told)
        #expect(rig.status?.state == .suspect)
        #expect(rig.status?.problem?.contains("s7") == true)
        rig.change { $0.hidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `a service that cannot be read does not keep the others back for ever`() {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<40 { model.register("s\(number)", .init(node: "n1", id: "a")) }
            model.hidden = ["s7"]
        }
        rig.run(for: .seconds(10))
        #expect(!rig.isComplete)
        rig.run(for: .seconds(10))
        #expect(rig.isComplete)
        #expect(rig.told.count == 39)
        rig.change { $0.hidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled)
    }
}

extension ConsulQuery {
    var probed: [String] {
        if case .probes(let names) = self.subject { names } else { [] }
    }
}
