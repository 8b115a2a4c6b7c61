// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

/// Virtual hosts that go while another one serves their hosts.
@Suite struct VirtualHostRemovalTests {
    private static func world(_ generation: UInt64, _ hosts: ResourceName...) -> Snapshot {
        let contents = hosts.map { ($0.rawValue, "1") }
        return Snapshot(generation, [.virtualHost: Dictionary(uniqueKeysWithValues: contents)])
    }

    private static func without(_ name: ResourceName) -> ChangeSet { ChangeSet(names: [.virtualHost: [name]]) }

    @Test func `a wildcard that goes is removed, and its hosts are told of the broader one`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.world(1, "r/*.example.com", "r/*"))
        envoy.subscribe(.virtualHost, "r/a.example.com")
        envoy.settle()
        #expect(envoy.holds[.virtualHost]?.keys.sorted() == ["r/*.example.com"])
        envoy.publish(Self.world(2, "r/*"), changes: Self.without("r/*.example.com"))
        #expect(try envoy.acked(.virtualHost).aliases["r/*"]?.contains("r/a.example.com") == true)
        #expect(try envoy.acked(.virtualHost).removals == ["r/*.example.com"])
        #expect(envoy.unanswered.isEmpty)
        // And it comes back.
        envoy.publish(Self.world(3, "r/*.example.com", "r/*"), changes: Self.without("r/*.example.com"))
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["r/*.example.com"])
    }

    @Test(arguments: [true, false])
    func `the hosts of one that goes are served by the wildcard that is left`(isKnown: Bool) throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.world(1, "r/web.example.com", "r/*.example.com"))
        envoy.subscribe(.virtualHost, "r/web.example.com", "r/web.example.com:8080")
        envoy.settle()
        #expect(envoy.holds[.virtualHost]?.keys.sorted() == ["r/web.example.com"])
        envoy.publish(Self.world(2, "r/*.example.com"), changes: isKnown ? Self.without("r/web.example.com") : nil)
        let response = try envoy.acked(.virtualHost)
        #expect(response.aliases == ["r/*.example.com": ["r/web.example.com", "r/web.example.com:8080"]])
        #expect(response.unknown.isEmpty)
        #expect(try envoy.acked(.virtualHost).removals == ["r/web.example.com"])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: ["r/web.example.com", "r/*.example.com"])
    func `one that goes before the proxy answers is followed by what serves its hosts then`(gone: String) throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.world(1, ResourceName(gone), "r/*.com"))
        envoy.subscribe(.virtualHost, "r/web.example.com")
        envoy.publish(Self.world(2, "r/*.com"), changes: Self.without(ResourceName(gone)))
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == [ResourceName(gone)])
        #expect(try envoy.acked(.virtualHost).aliases["r/*.com"]?.contains("r/web.example.com") == true)
        #expect(try envoy.acked(.virtualHost).removals == [ResourceName(gone)])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `one that goes and leaves nothing is removed in one response`() throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.world(1, "r/web.example.com"))
        envoy.subscribe(.virtualHost, "r/web.example.com")
        envoy.settle()
        envoy.publish(Self.world(2), changes: Self.without("r/web.example.com"))
        let response = try envoy.acked(.virtualHost)
        #expect(response.removals == ["r/web.example.com"])
        #expect(response.unknown.isEmpty)
        #expect(envoy.unanswered.isEmpty)
    }
}
