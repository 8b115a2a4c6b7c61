// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import XDSProtocol

/// A proxy that holds a wildcard does not ask for what is more specific, so that it is told of that without asking.
@Suite struct VirtualHostPrecedenceTests {
    private static func world(_ generation: UInt64, _ hosts: ResourceName...) -> Snapshot {
        let contents = hosts.map { ($0.rawValue, "1") }
        return Snapshot(generation, [.virtualHost: Dictionary(uniqueKeysWithValues: contents)])
    }

    @Test func `with a wildcard comes what is more specific`() throws {
        let world = Self.world(
            1,
            "r/*.example.com",
            "r/api.example.com",
            "r/*.b.example.com",
            "r/x.b.example.com",
            "r/example.org",
            "s/api.example.com",
            "r/*"
        )
        var envoy = FakeEnvoy(.delta, snapshot: world)
        envoy.subscribe(.virtualHost, "r/web.example.com")
        let response = try envoy.acked(.virtualHost)
        #expect(response.aliases == ["r/*.example.com": ["r/web.example.com"]])
        #expect(
            response.resources.map(\.name).sorted()
                == ["r/*.b.example.com", "r/*.example.com", "r/api.example.com", "r/x.b.example.com"]
        )
        #expect(envoy.unanswered.isEmpty)
        // Once.
        envoy.subscribe(.virtualHost, "r/other.example.com")
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["r/*.example.com"])
    }

    @Test(arguments: [true, false])
    func `a wildcard that appears under one that the proxy holds is sent`(isKnown: Bool) throws {
        var envoy = FakeEnvoy(.delta, snapshot: Self.world(1, "r/*.example.com"))
        envoy.subscribe(.virtualHost, "r/a.example.com")
        envoy.settle()
        let changes = ChangeSet(names: [.virtualHost: ["r/*.b.example.com"]])
        envoy.publish(Self.world(2, "r/*.example.com", "r/*.b.example.com"), changes: isKnown ? changes : nil)
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["r/*.b.example.com"])
        #expect(envoy.unanswered.isEmpty)
    }

    /// What it holds of a host would be removed, and its wildcard serve it.
    @Test(arguments: [true, false])
    func `a proxy that comes back is told what serves a host that went meanwhile, and what hides behind its wildcard`(
        isFirst: Bool
    ) throws {
        let world = Self.world(1, "r/*", "r/*.example.com", "r/new.example.org")
        var machine = StreamStateMachine(variant: .delta)
        if isFirst { _ = machine.snapshotChanged(world, changes: nil) }
        let version = Resource(.virtualHost, "r/*", "1").version.description
        var actions = machine.received(
            DeltaRequest(
                type: .virtualHost,
                subscribe: ["*", "r/web.example.com", "r/*"],
                initialResourceVersions: ["r/web.example.com": version, "r/*": version]
            )
        )
        if !isFirst { actions += machine.snapshotChanged(world, changes: nil) }
        let responses = actions.compactMap { if case .respond(let response) = $0 { response } else { nil } }
        let response = try #require(responses.first)
        #expect(response.aliases["r/*.example.com"] == ["r/web.example.com"])
        #expect(response.resources.map(\.name).sorted() == ["r/*.example.com", "r/new.example.org"])
        let after = machine.received(DeltaRequest(type: .virtualHost, responseNonce: response.nonce))
        guard case .respond(let second) = after.first else {
            Issue.record("it is not removed")
            return
        }
        #expect(second.removals == ["r/web.example.com"])
    }
}
