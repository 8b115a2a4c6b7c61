// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// Config entries and documents that Consul keeps, and other datacenters.
struct ConsulPolicyTests {
    private static func entries(of event: SourceEvent) -> [String]? {
        if case .configEntries(let entries, _) = event { entries.map(\.key.description) } else { nil }
    }

    private static func documents(of event: SourceEvent) -> [FileChange]? {
        if case .documents(let changes, _) = event { changes } else { nil }
    }

    @Test func `all config entries are told once, and whenever one changes`() {
        var rig = ConsulRig(ConsulConfiguration())
        rig.change { $0.setEntries(["web"], ofKind: "service-router") }
        rig.run(for: .seconds(3))
        #expect(rig.events.compactMap(Self.entries) == [["service-router/web"]])
        rig.change { $0.setEntries(["global"], ofKind: "proxy-defaults") }
        rig.run(for: .milliseconds(100))
        #expect(rig.events.compactMap(Self.entries).last == ["proxy-defaults/global", "service-router/web"])
        rig.change { $0.setEntries([], ofKind: "service-router") }
        rig.run(for: .milliseconds(300))
        #expect(rig.events.compactMap(Self.entries).last == ["proxy-defaults/global"])
    }

    @Test func `entries that a token no longer sees stay`() {
        var rig = ConsulRig(ConsulConfiguration(keyPrefix: "sb/"))
        rig.change { model in
            model.setEntries(["web", "db"], ofKind: "service-router")
            model.setKey("sb/a.yaml", "a")
        }
        rig.run(for: .seconds(3))
        let count = rig.events.compactMap(Self.entries).count
        let documents = rig.events.compactMap(Self.documents).count
        rig.change { $0.rights = .none }
        // Long enough for every question to end by itself.
        rig.run(for: .seconds(200))
        #expect(rig.events.compactMap(Self.entries).count == count)
        #expect(rig.events.compactMap(Self.documents).count == documents)
        rig.change { model in
            model.rights = .all
            model.setEntries(["web"], ofKind: "service-router")
        }
        rig.run(for: .seconds(5))
        #expect(rig.events.compactMap(Self.entries).last == ["service-router/web"])
    }

    @Test func `keys are told as files, and only what changed of them`() {
        var rig = ConsulRig(ConsulConfiguration(followsConfigEntries: false, keyPrefix: "sb/"))
        rig.change { model in
            model.setKey("sb/a.yaml", "a")
            model.setKey("sb/b.yaml", "b")
        }
        rig.run(for: .seconds(3))
        rig.change { $0.setKey("sb/b.yaml", "c") }
        rig.run(for: .milliseconds(100))
        rig.change { $0.setKey("sb/a.yaml", nil) }
        rig.run(for: .milliseconds(300))
        func file(_ name: String, _ text: String) -> FileChange {
            FileChange(path: "consul:kv/sb/\(name)", content: .bytes(Array(text.utf8)))
        }
        #expect(
            rig.events.compactMap(Self.documents) == [
                [file("a.yaml", "a"), file("b.yaml", "b")],
                [file("b.yaml", "c")],
                [FileChange(path: "consul:kv/sb/a.yaml", content: .removed)],
            ]
        )
    }

    @Test func `a service has its instances of all datacenters`() {
        var rig = ConsulRig(ConsulConfiguration(datacenters: ["dc1", "dc2"], followsConfigEntries: false))
        rig.others = ["dc2": ConsulModel(datacenter: "dc2")]
        rig.change { $0.register("web", .init(node: "n1", id: "a")) }
        rig.change("dc2") { $0.register("web", .init(node: "n1", id: "a")) }
        rig.change("dc2") { $0.register("far", .init(node: "n1", id: "a")) }
        rig.run(for: .seconds(5))
        #expect(rig.told[ServiceName("web")]?.instances.map(\.datacenter) == ["dc2", "dc1"])
        #expect(rig.told[ServiceName("web")]?.instances.map(\.id.rawValue) == ["dc2/n1/a", "n1/a"])
        #expect(rig.told[ServiceName("far")]?.instances.map(\.id.rawValue) == ["n1/a"])
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
        rig.change { $0.deregister("n1/a", of: "web") }
        rig.run(for: .milliseconds(300))
        #expect(rig.told[ServiceName("web")]?.instances.map(\.datacenter) == ["dc2"])
    }

    @Test func `a datacenter that cannot be reached keeps what it had, and people are told`() {
        var rig = ConsulRig(ConsulConfiguration(datacenters: ["dc1", "dc2"], followsConfigEntries: false))
        rig.others = ["dc2": ConsulModel(datacenter: "dc2")]
        rig.change { $0.register("web", .init(node: "n1", id: "a")) }
        rig.change("dc2") { $0.register("web", .init(node: "n1", id: "b")) }
        rig.run(for: .seconds(5))
        let told = rig.told
        let model = rig.others["dc2"] ?? nil
        rig.others["dc2"] = .some(nil)
        rig.run(for: .seconds(100))
        #expect(rig.told == told)
        #expect(rig.status?.state == .up)
        #expect(rig.status?.problem?.contains("dc2") == true)
        rig.others["dc2"] = model
        rig.run(for: .seconds(5))
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test func `a datacenter that cannot be reached at first keeps nobody waiting for ever`() {
        var rig = ConsulRig(ConsulConfiguration(datacenters: ["dc1", "dc2"], followsConfigEntries: false))
        rig.others = ["dc2": nil]
        rig.change { $0.register("web", .init(node: "n1", id: "a")) }
        rig.run(for: .seconds(10))
        #expect(!rig.isComplete)
        #expect(rig.status?.state == .starting && rig.status?.reason == "status")
        #expect(
            rig.status?.problem
                == "datacenter dc2 has not been heard, and a start waits for it for 15 s: No path to datacenter; there is "
                + "no datacenter dc2, or it has not joined: correct consul.datacenters to names that "
                + "\"consul catalog datacenters\" lists"
        )
        rig.run(for: .seconds(10))
        #expect(rig.status?.state == .up && rig.status?.problem?.hasPrefix("datacenter dc2: No path") == true)
        #expect(rig.isSettled)
        let unheard = rig.events.compactMap { if case .catalog(let update) = $0 { update.unheard } else { nil } }
        #expect(unheard == [Unheard(datacenters: ["dc2"])])
        rig.others["dc2"] = ConsulModel(datacenter: "dc2")
        rig.change("dc2") { $0.register("web", .init(node: "n1", id: "b")) }
        rig.run(for: .seconds(5))
        #expect(rig.told[ServiceName("web")]?.instances.count == 2)
        let updates = rig.events.compactMap { if case .catalog(let update) = $0 { update } else { nil } }
        // What was stored of it, and is not there, must go.
        #expect(updates.last { $0.isComplete }?.unheard.datacenters == [])
        #expect(updates.last?.unheard == Unheard())
    }

    @Test func `namespaces of a server that has none are ignored, and people are told`() {
        var rig = ConsulRig(ConsulConfiguration(namespace: "team", followsConfigEntries: false))
        rig.change { $0.register("web", .init(node: "n1", id: "a")) }
        rig.run(for: .seconds(5))
        #expect(rig.isSettled)
        #expect(rig.sent.allSatisfy { $0.scope == ConsulScope() })
        let codes = rig.events.compactMap { if case .diagnostics(let found) = $0 { found.map(\.code) } else { nil } }
        #expect(codes.last == ["SB354"])
    }
}
