// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

/// Hosts that are asked for with a port.
@Suite struct VirtualHostPortTests {
    private static let asked: ResourceName = "r/web.example.com:8080"
    private static let changes = ChangeSet(names: [.virtualHost: ["r/web.example.com"]])

    @Test func `a host that appears is told to who asked for it with a port`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.virtualHost: ["r/other.org": "1"]]))
        envoy.subscribe(.virtualHost, Self.asked, "r/other.org")
        #expect(try envoy.acked(.virtualHost).unknown == [Self.asked])
        envoy.publish(
            Snapshot(2, [.virtualHost: ["r/other.org": "1", "r/web.example.com": "1"]]),
            changes: Self.changes
        )
        let response = try envoy.acked(.virtualHost)
        #expect(response.aliases == ["r/web.example.com": [Self.asked]])
        #expect(response.unknown.isEmpty)
        // From now on it is held: what changes is sent, and nobody needs to be told under which name.
        envoy.publish(
            Snapshot(3, [.virtualHost: ["r/other.org": "1", "r/web.example.com": "2"]]),
            changes: Self.changes
        )
        let change = try envoy.acked(.virtualHost)
        #expect(change.resources == [Resource(.virtualHost, "r/web.example.com", "2")])
        #expect(change.aliases.isEmpty)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `a host that goes is denied to who asked for it with a port`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Snapshot(1, [.virtualHost: ["r/web.example.com": "1"]]))
        envoy.subscribe(.virtualHost, Self.asked)
        envoy.settle()
        envoy.publish(Snapshot(2, [.virtualHost: [:]]), changes: Self.changes)
        #expect(try envoy.acked(.virtualHost).unknown == [Self.asked])
        #expect(try envoy.acked(.virtualHost).removals == ["r/web.example.com"])
        #expect(envoy.unanswered.isEmpty)
    }
}
