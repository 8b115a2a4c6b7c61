// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

@testable import Discovery

/// Documents and config entries that a token may not read any more: they stay until somebody accepts that.
struct ConsulHiddenPolicyTests {
    @Test func `documents and entries that may not be read any more go when that is accepted, and come back`() {
        var rig = ConsulRig.withPolicy()
        rig.change { model in
            model.forbidden = ["web", "sb/a", "sb/b"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
            model.setKey("sb/c.yaml", "changed")
        }
        rig.run(for: .seconds(60))
        #expect(rig.removals.isEmpty && rig.lastEntries?.names == ["api", "new", "web"])
        #expect(rig.documents == ["a.yaml": "a", "b.yaml": "b", "c.yaml": "changed"])
        #expect(rig.findings.map(\.code) == ["SB353", "SB353"])
        let words = rig.findings.map(\.message)
        #expect(
            words.contains {
                $0.hasPrefix("the config entries of kind service-router with the name web cannot be read")
            }
        )
        #expect(words.contains { $0.hasPrefix("the documents at the keys sb/a.yaml, sb/b.yaml cannot be read") })
        #expect(rig.findings.allSatisfy { $0.cure.contains("; or let go of that with signalbox catalog accept") })
        let held = rig.guarded.held
        #expect(held.map(\.reason) == [.hiddenPolicy])
        #expect(held.first?.names == ["config-entry/service-router/web", "key/sb/a.yaml", "key/sb/b.yaml"])
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(rig.guarded.held == [])
        #expect(rig.guardEvents.map(\.change) == [.held, .held, .released(.accepted)])
        #expect(rig.guardEvents.last?.names == Set(held.first?.names ?? []))
        #expect(rig.removals.map(\.paths) == [["consul:kv/sb/a.yaml", "consul:kv/sb/b.yaml"]])
        #expect(rig.removals.map(\.accepted) == [["consul:kv/sb/a.yaml", "consul:kv/sb/b.yaml"]])
        #expect(rig.lastEntries?.names == ["api", "new"] && rig.lastEntries?.accepted == ["web"])
        #expect(rig.findings == [])
        rig.change { model in
            model.forbidden = []
            model.setEntries(["api", "web"], ofKind: "service-router")
            model.setKey("sb/c.yaml", "again")
        }
        rig.run(for: .seconds(5))
        #expect(rig.lastEntries?.names == ["api", "web"] && rig.lastEntries?.accepted == [])
    }

    /// - Parameter seed: with an even one, nobody accepts anything.
    @Test func `what is deleted just after something was accepted is not accepted`() {
        var rig = ConsulRig(.init(keyPrefix: "sb/"), rules: .init())
        let names = (10..<30).map { "k\($0)" }
        rig.change { model in
            model.setEntries(names, ofKind: "service-router")
            model.setEntries(names, ofKind: "service-resolver")
            for name in names { model.setKey("sb/\(name)", name) }
        }
        rig.run(for: .seconds(3))
        rig.change { model in
            model.forbidden = ["k15", "sb/k15"]
            model.setEntries(names, ofKind: "service-router")
            model.setKey("sb/k10", "changed")
        }
        rig.run(for: .seconds(5))
        #expect(rig.guarded.held.flatMap(\.names) == ["config-entry/service-router/k15", "key/sb/k15"])
        rig.accept()
        rig.change { model in
            model.setEntries(["k15"], ofKind: "service-router")
            model.setEntries(["k10", "k15"], ofKind: "service-resolver")
            for name in names where name != "k15" { model.setKey("sb/\(name)", nil) }
        }
        rig.run(for: .seconds(5))
        #expect(rig.documents.isEmpty)
        #expect(Set(rig.removals.flatMap(\.accepted)) == ["consul:kv/sb/k15"])
        let held = rig.guarded.held.filter { $0.reason == .configEntries }.flatMap(\.names)
        #expect(held.count == 37 && !held.contains("service-router/k15"))
    }

    @Test(arguments: zip([[], ["web", "sb/a", "sb/b"], ["web", "sb/"]], [0, 3, 4]))
    func `over a restart, only documents and entries stay that may not be read any more`(
        forbidden: Set<String>,
        hidden: Int
    ) {
        var rig = ConsulRig.withPolicy()
        rig.restart()
        rig.change { model in
            model.forbidden = forbidden
            model.setEntries(forbidden.isEmpty ? ["api"] : ["api", "web"], ofKind: "service-router")
            if forbidden.isEmpty { for key in ["a", "b"] { model.setKey("sb/\(key).yaml", nil) } }
        }
        rig.run(for: .seconds(10))
        let entries = rig.guarded.configEntries(of: .consul).map(\.key.name)
        #expect(entries == (forbidden.isEmpty ? ["api"] : ["api", "web"]))
        #expect(rig.removals.isEmpty)
        let documents = rig.guarded.stored(wallClock: 0, at: rig.now).sources[.consul]?.documents?.map(\.path).sorted()
        let kept = forbidden.isEmpty ? ["c"] : ["a", "b", "c"]
        #expect(documents == kept.map { "consul:kv/sb/\($0).yaml" })
        #expect(rig.guarded.held.flatMap(\.names).count == hidden)
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(rig.guarded.held == [] && rig.guarded.configEntries(of: .consul).map(\.key.name) == ["api"])
    }

    @Test func `while an entry may not be read over a restart, other kinds are followed`() {
        var rig = ConsulRig.withPolicy()
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
        var rig = ConsulRig.withPolicy()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(60))
        rig.change { $0.forbidden = ["api", "web"] }
        rig.accept()
        rig.run(for: .seconds(20))
        #expect(rig.lastEntries?.names == ["api", "new"])
        #expect(rig.guarded.held.flatMap(\.names) == ["config-entry/service-router/api"])
        rig.accept()
        rig.run(for: .seconds(20))
        #expect(rig.lastEntries?.names == ["new"] && rig.guarded.held == [])
    }

    @Test func `a failure in between does not make what is hidden seem to be back`() {
        var rig = ConsulRig.withPolicy()
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
        var rig = ConsulRig.withPolicy()
        rig.accept()
        rig.change { model in
            model.forbidden = ["web"]
            model.setEntries(["api", "web", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(30))
        #expect(rig.lastEntries?.names == ["api", "new", "web"])
        rig.accept()
        rig.run(for: .seconds(5))
        #expect(rig.lastEntries?.names == ["api", "new"])
        rig.change { model in
            model.forbidden = ["api"]
            model.setEntries(["api", "new"], ofKind: "service-router")
        }
        rig.run(for: .seconds(30))
        #expect(rig.lastEntries?.names == ["api", "new"])
    }
}
