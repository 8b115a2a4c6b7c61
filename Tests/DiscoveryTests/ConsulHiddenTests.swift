// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// What is kept because the token may not read it any more: an operator lets it go, and a restart does not.
struct ConsulHiddenTests {
    private static let web = ServiceName("web")

    /// A guard that holds even one of the services if it goes for no reason.
    private static let strict: CatalogGuard.SourceRules = {
        var rules = CatalogGuard.SourceRules()
        (rules.fraction, rules.serviceLimit, rules.instanceLimit) = (1, 0, 0)
        return rules
    }()

    private static func rig(_ configuration: ConsulConfiguration = .init(followsConfigEntries: false)) -> ConsulRig {
        var rig = ConsulRig(configuration, rules: Self.strict)
        rig.change { model in
            for name in ["api", "db", "web"] { model.register(name, .init(node: "n1", id: name)) }
        }
        return rig
    }

    private static func names(_ rig: ConsulRig) -> [String] { rig.inForce.keys.map(\.rawValue).sorted() }

    private static func hidden(_ rig: ConsulRig) -> [String] {
        rig.guarded.held.filter { $0.reason == .hidden }.flatMap(\.names)
    }

    @Test(arguments: [false, true])
    func `a service that may not be read any more goes when that is accepted, and comes back with a list`(
        isRestarted: Bool
    ) {
        var rig = Self.rig()
        rig.run(for: .seconds(3))
        let told = rig.inForce[Self.web]
        rig.change { $0.forbidden = ["web"] }
        if isRestarted { rig.restart() }
        rig.run(for: .seconds(90))
        #expect(rig.inForce[Self.web] == told && told != nil)
        #expect(Self.hidden(rig) == ["web"] && rig.guarded.held.count == 1)
        #expect(rig.guarded.diagnostics.map(\.code) == ["SB307"])
        #expect(rig.status?.state == .suspect && rig.status?.problem?.contains("accept --source consul") == true)

        rig.accept()
        #expect(Self.names(rig) == ["api", "db"])
        let asked = rig.sent.count
        rig.run(for: .seconds(300))
        #expect(Self.names(rig) == ["api", "db"] && rig.guarded.held == [] && rig.guarded.diagnostics == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        #expect(!rig.sent[asked...].contains(.init(.entry(.init(kind: "service-defaults", name: "web")))))
        #expect(rig.guardEvents.map(\.change) == [.held, .released(.accepted)])

        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(66))
        #expect(rig.inForce[Self.web] == told)
    }

    /// Every time from the right's return to the moment at which it is known, and after that.
    @Test func `a service whose right comes back just when it is accepted is there in the end`() {
        var stayed = 0
        for delay in stride(from: 0, through: 12_000, by: 125) {
            var rig = Self.rig()
            rig.run(for: .seconds(3))
            let told = rig.inForce[Self.web]
            rig.change { $0.forbidden = ["web"] }
            rig.run(for: .seconds(90))
            #expect(Self.hidden(rig) == ["web"])
            rig.change { $0.forbidden = [] }
            rig.run(for: .milliseconds(delay))
            rig.accept()
            if rig.inForce[Self.web] != nil { stayed += 1 }
            rig.run(for: .seconds(80))
            #expect(rig.inForce[Self.web] == told && told != nil, "\(delay) ms")
            #expect(rig.guarded.held == [] && rig.status?.state == .up, "\(delay) ms")
        }
        // Both happened: the word came before it was known that there is nothing to accept, and after.
        #expect((1..<97).contains(stayed), "\(stayed)")
    }

    @Test func `with a filter, too, a service whose nodes may not be read stays over a restart`() {
        var rig = Self.rig(.init(filter: "true", followsConfigEntries: false))
        rig.run(for: .seconds(3))
        let told = rig.inForce[Self.web]
        rig.change { model in
            model.tellsOfHidden = true
            model.register("web2", .init(node: "n2", id: "web2"))
            model.forbidden = ["node:n1"]
        }
        rig.restart()
        rig.run(for: .seconds(200))
        #expect(rig.inForce[Self.web] == told && told != nil)
        #expect(rig.status?.state != .up)
    }

    @Test func `a restart keeps what may not be read, and nothing that is gone`() {
        var rig = Self.rig()
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["web"]
            model.deregister("n1/db", of: "db")
        }
        rig.restart()
        rig.run(for: .milliseconds(300))
        // With the first word of the new process, as if it had seen it go.
        #expect(rig.isComplete)
        #expect(rig.guarded.held.map(\.names) == [["db"], ["web"]])
        #expect(rig.guarded.held.map(\.reason) == [.massRemoval, .hidden])
        rig.change { $0.forbidden = [] }
        rig.run(for: .seconds(75))
        #expect(Self.hidden(rig) == [] && rig.inForce[Self.web] != nil)
    }

    @Test func `of a service of two datacenters only that part is hidden which may not be read, also after a restart`()
    {
        var rig = Self.rig(.init(datacenters: ["dc1", "dc2"], followsConfigEntries: false))
        rig.others = ["dc2": ConsulModel(datacenter: "dc2")]
        rig.change("dc2") { model in
            model.register("web", .init(node: "n1", id: "web"))
            model.register("far", .init(node: "n1", id: "far"))
        }
        rig.run(for: .seconds(3))
        #expect(rig.inForce[Self.web]?.instances.count == 2)
        rig.change("dc2") { $0.forbidden = ["web", "far"] }
        for isRestarted in [false, true] {
            if isRestarted { rig.restart() }
            rig.run(for: .seconds(90))
            #expect(rig.inForce[Self.web]?.instances.map(\.datacenter) == ["dc2", "dc1"])
            let held = rig.guarded.held
            #expect(
                held.map(\.names) == [["far", "web"]] && held.map(\.instances) == [2] && held.map(\.emptied) == [1]
            )
            #expect(rig.status?.state == .up && rig.status?.problem?.hasPrefix("datacenter dc2: the token") == true)
        }
        rig.accept()
        // Its word of before may be on its way: another instance in the other datacenter.
        rig.change { $0.register("web", .init(node: "n1", id: "more")) }
        rig.run(for: .seconds(5))
        #expect(rig.inForce[Self.web]?.instances.map(\.datacenter) == ["dc1", "dc1"])
        #expect(rig.inForce.count == 3 && rig.guarded.held == [])
    }

    @Test func `instances on nodes that may not be read any more go when that is accepted`() {
        var rig = Self.rig()
        rig.change { $0.register("web", .init(node: "n2", id: "far")) }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["node:n2"]
            model.register("web", .init(node: "n1", id: "web", weight: 2))
        }
        rig.run(for: .seconds(100))
        #expect(rig.guarded.held.map(\.instances) == [1] && rig.guarded.held.map(\.emptied) == [0])
        rig.accept()
        #expect(rig.inForce[Self.web]?.instances.map(\.id.rawValue) == ["n1/web"])
        rig.run(for: .seconds(100))
        #expect(rig.inForce[Self.web]?.instances.map { "\($0.id) \($0.weight.value)" } == ["n1/web 2"])
        #expect(rig.status == SourceStatus(source: .consul, state: .up) && rig.guarded.held == [])
        rig.change { $0.forbidden = [] }
        rig.change { $0.register("web", .init(node: "n2", id: "far", weight: 3)) }
        rig.run(for: .seconds(10))
        #expect(rig.inForce[Self.web]?.instances.count == 2)
    }

    @Test func `a service whose instances may none be read any more goes when that is accepted, and Consul is well`() {
        var rig = Self.rig()
        rig.change { $0.register("far", .init(node: "n2", id: "far")) }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["node:n2"]
            model.register("far", .init(node: "n2", id: "far", weight: 2))
        }
        rig.run(for: .seconds(100))
        #expect(rig.guarded.held.map(\.instances) == [1] && rig.guarded.held.map(\.emptied) == [1])
        rig.accept()
        #expect(rig.inForce[ServiceName("far")]?.instances ?? [] == [])
        rig.run(for: .seconds(100))
        #expect(rig.inForce[ServiceName("far")]?.instances ?? [] == [])
        #expect(rig.status == SourceStatus(source: .consul, state: .up) && rig.guarded.held == [])
        rig.change { $0.forbidden = [] }
        rig.change { $0.register("far", .init(node: "n2", id: "far", weight: 3)) }
        rig.run(for: .seconds(10))
        #expect(rig.inForce[ServiceName("far")]?.instances.count == 1)
    }

    @Test func `thousands that are known and gone keep nobody waiting, and each is asked for twice`() {
        var rig = ConsulRig()
        rig.change { model in
            for number in 0..<5000 { model.register("s\(number)", .init(node: "n1", id: "a")) }
        }
        rig.run(for: .seconds(20))
        #expect(rig.isSettled)
        rig.change { model in
            for number in 0..<4990 { model.deregister("n1/a", of: "s\(number)") }
            model.register("new", .init(node: "n1", id: "a"))
        }
        rig.restart()
        let asked = rig.sent.count
        rig.run(for: .milliseconds(400))
        #expect(rig.told[ServiceName("new")] == nil)
        // Those that are there were read meanwhile.
        #expect(rig.follower.figures.services == 11 && rig.follower.figures.instances == 11)
        rig.run(for: .seconds(16))
        #expect(rig.isSettled && rig.inForce == rig.told)
        #expect(rig.mostInFlight <= ConsulConfiguration.maximumConnections)
        let questions = rig.sent[asked...].count {
            switch $0.subject {
            case .entry, .instances: true
            default: false
            }
        }
        #expect(questions == 2 * 4990)
    }

    @Test func `services that are not followed any more are not asked for`() {
        var rig = ConsulRig(
            .init(services: ["a*"], followsConfigEntries: false),
            knowing: KnownWord(services: [ServiceName("api"): ["dc1"], Self.web: ["dc1"]])
        )
        rig.run(for: .seconds(3))
        let asked = rig.sent.compactMap { if case .entry(let key) = $0.subject { key.name } else { nil } }
        #expect(rig.isComplete && asked == ["api"])
    }
}
