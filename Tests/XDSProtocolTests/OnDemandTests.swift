// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections
import TestSupport
import Testing
import XDSProtocol

/// Resources that only those get who ask for them by name.
@Suite struct OnDemandTests {
    private static func snapshot(_ generation: UInt64, _ content: String, isOnDemand: Bool = true) -> Snapshot {
        let resource = Resource(
            type: .cluster,
            name: "rare",
            message: Array(content.utf8),
            isOnDemand: isOnDemand
        )
        return Snapshot(
            generation: generation,
            resources: [.cluster: ["rare": resource, "common": Resource(.cluster, "common", "1")]]
        )
    }

    private static let changes = ChangeSet(names: [.cluster: ["rare"]])

    @Test func `the wildcard does not cover it, its name does, and then it is kept up to date`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.snapshot(1, "1"))
        envoy.subscribe(.cluster)
        #expect(try envoy.acked(.cluster).resources.map(\.name) == ["common"])
        envoy.publish(Self.snapshot(2, "2"), changes: Self.changes)
        #expect(envoy.unanswered.isEmpty)
        envoy.subscribe(.cluster, "rare")
        #expect(try envoy.acked(.cluster).resources.map(\.name) == ["rare"])
        envoy.publish(Self.snapshot(3, "3"), changes: Self.changes)
        #expect(try envoy.acked(.cluster).resources.map(\.name) == ["rare"])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `a name that nobody knows is denied at once`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.snapshot(1, "1"))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.subscribe(.cluster, "none")
        #expect(try envoy.acked(.cluster).removals == ["none"])
    }

    @Test func `what becomes on demand stays with those that have it, and follows its changes`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.snapshot(1, "1", isOnDemand: false))
        envoy.subscribe(.cluster)
        envoy.settle()
        envoy.publish(Self.snapshot(2, "1"), changes: Self.changes)
        envoy.settle()
        #expect(envoy.holds[.cluster]?.count == 2)
        envoy.publish(Self.snapshot(3, "2"), changes: Self.changes)
        #expect(try envoy.acked(.cluster).resources.map(\.name) == ["rare"])
        envoy.publish(Snapshot(4, [.cluster: ["common": "1"]]), changes: Self.changes)
        #expect(try envoy.acked(.cluster).removals == ["rare"])
    }

    @Test func `a name that is given up is forgotten, though the wildcard is there`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.snapshot(1, "1"))
        envoy.subscribe(.cluster)
        envoy.subscribe(.cluster, "rare")
        envoy.settle()
        envoy.unsubscribe(.cluster, "rare")
        envoy.publish(Self.snapshot(2, "2"), changes: Self.changes)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `names are the same if their bytes are`() throws {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.endpoints: [composed: "1"]]))
        envoy.subscribe(.endpoints, ResourceName(decomposed))
        #expect(try envoy.acked(.endpoints).removals == [ResourceName(decomposed)])
        #expect(ResourceName(composed) != ResourceName(decomposed))
        #expect(Set([ResourceName(composed), ResourceName(decomposed)]).count == 2)
    }
}
