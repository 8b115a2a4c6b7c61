// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// Documents and config entries that a token may not read any more: they stay until somebody accepts that.
struct ConsulHiddenPolicyTests {
    private static func documents(_ rig: ConsulRig) -> [(paths: [String], isAccepted: Bool)] {
        rig.events.compactMap { event -> (paths: [String], isAccepted: Bool)? in
            guard case .documents(let changes, let isAccepted) = event else { return nil }
            let removed = changes.filter { $0.content == .removed }.map(\.path)
            return removed.isEmpty ? nil : (removed, isAccepted)
        }
    }

    private static func entries(_ rig: ConsulRig) -> (names: [String], isAccepted: Bool)? {
        rig.events.compactMap { event -> (names: [String], isAccepted: Bool)? in
            guard case .configEntries(let all, let isAccepted) = event else { return nil }
            return (all.map(\.key.name), isAccepted)
        }.last
    }

    private static func policyRig() -> ConsulRig {
        var rig = ConsulRig(.init(keyPrefix: "sb/"))
        rig.change { model in
            model.setEntries(["api", "web"], ofKind: "service-router")
            for name in ["a", "b", "c"] { model.setKey("sb/\(name).yaml", name) }
        }
        rig.run(for: .seconds(3))
        return rig
    }

    @Test func `documents and entries that may not be read any more go when that is accepted, and come back`() {
        var rig = Self.policyRig()
        rig.change { model in
            model.forbidden = ["web", "sb/a", "sb/b"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
            model.setKey("sb/c.yaml", "changed")
        }
        rig.run(for: .seconds(60))
        #expect(Self.documents(rig).isEmpty && Self.entries(rig)?.names == ["api", "web"])
        #expect(rig.findings.map(\.code) == ["SB353", "SB353"])
        #expect(rig.findings.allSatisfy { $0.cure.contains("; or let go of that with signalbox catalog accept") })
        let held = rig.guarded.held
        #expect(held.map(\.reason) == [.hiddenPolicy])
        #expect(held.first?.names == ["config-entry/service-router/web", "key/sb/a.yaml", "key/sb/b.yaml"])
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(rig.guarded.held == [])
        #expect(rig.guardEvents.map(\.change) == [.held, .held, .released(.accepted)])
        #expect(rig.guardEvents.last?.names == Set(held.first?.names ?? []))
        #expect(Self.documents(rig).map(\.paths) == [["consul:kv/sb/a.yaml", "consul:kv/sb/b.yaml"]])
        #expect(Self.documents(rig).map(\.isAccepted) == [true])
        #expect(Self.entries(rig)?.names == ["api", "new"] && Self.entries(rig)?.isAccepted == true)
        #expect(rig.findings == [])
        rig.change { model in
            model.forbidden = []
            model.setEntries(["api", "web"], ofKind: "service-router")
            model.setKey("sb/c.yaml", "again")
        }
        rig.run(for: .seconds(5))
        #expect(Self.entries(rig)?.names == ["api", "web"] && Self.entries(rig)?.isAccepted == false)
    }

    @Test(arguments: zip([[], ["web", "sb/a", "sb/b"], ["web", "sb/"]], [0, 3, 4]))
    func `over a restart, only documents and entries stay that may not be read any more`(
        forbidden: Set<String>,
        hidden: Int
    ) {
        var rig = Self.policyRig()
        rig.restart()
        rig.change { model in
            model.forbidden = forbidden
            model.setEntries(forbidden.isEmpty ? ["api"] : ["api", "web"], ofKind: "service-router")
            if forbidden.isEmpty { for key in ["a", "b"] { model.setKey("sb/\(key).yaml", nil) } }
        }
        rig.run(for: .seconds(10))
        let entries = rig.guarded.configEntries(of: .consul).map(\.key.name)
        #expect(entries == (forbidden.isEmpty ? ["api"] : ["api", "web"]))
        #expect(Self.documents(rig).isEmpty)
        let documents = rig.guarded.stored(wallClock: 0, at: rig.now).sources[.consul]?.documents?.map(\.path).sorted()
        let kept = forbidden.isEmpty ? ["c"] : ["a", "b", "c"]
        #expect(documents == kept.map { "consul:kv/sb/\($0).yaml" })
        #expect(rig.guarded.held.flatMap(\.names).count == hidden)
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(rig.guarded.held == [] && rig.guarded.configEntries(of: .consul).map(\.key.name) == ["api"])
    }

    @Test func `while an entry may not be read over a restart, other kinds are followed`() {
        var rig = Self.policyRig()
        rig.restart()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web"], ofKind: "service-router")
        }
        rig.run(for: .seconds(10))
        rig.change { $0.setEntries(["other"], ofKind: "service-resolver") }
        rig.run(for: .seconds(1))
        let entries = rig.guarded.configEntries(of: .consul).map(\.key.description)
        #expect(entries == ["service-resolver/other", "service-router/api", "service-router/web"])
    }

    @Test func `what nobody was told of stays when something else is accepted`() {
        var rig = Self.policyRig()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(60))
        rig.change { $0.forbidden = ["api", "web"] }
        rig.accept()
        rig.run(for: .seconds(20))
        #expect(Self.entries(rig)?.names == ["api", "web"])
        #expect(rig.guarded.held.flatMap(\.names) == ["config-entry/service-router/api"])
        rig.accept()
        rig.run(for: .seconds(20))
        #expect(Self.entries(rig)?.names == ["new"] && rig.guarded.held == [])
    }

    @Test func `a failure in between does not make what is hidden seem to be back`() {
        var rig = Self.policyRig()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web"], ofKind: "service-router")
        }
        rig.run(for: .seconds(20))
        rig.errorRate = 3
        rig.run(for: .seconds(60))
        #expect(rig.guardEvents.map(\.change) == [.held])
        #expect(rig.guarded.held.flatMap(\.names) == ["config-entry/service-router/web"])
    }

    @Test func `the word of the operator is about what is refused then, and no later`() {
        var rig = Self.policyRig()
        rig.accept()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(30))
        #expect(Self.entries(rig)?.names == ["api", "web"])
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(Self.entries(rig)?.names == ["api", "new"])
        rig.change { model in
            model.forbidden = ["api"]
            model.setEntries(["api", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(30))
        #expect(Self.entries(rig)?.names == ["api", "new"])
    }
}
