// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import XDSProtocol

/// Virtual hosts on demand (rule 9).
@Suite struct VirtualHostTests {
    private static let world: [TypeURL: [String: String]] = [
        .virtualHost: [
            "edge/http/web.example.com": "web", "edge/http/*.example.com": "any", "edge/http/*.a.example.com": "a",
            "other/*": "all",
        ]
    ]

    private func envoy(_ generation: UInt64 = 1, _ contents: [TypeURL: [String: String]] = world) -> FakeEnvoy {
        FakeEnvoy(.delta, snapshot: Snapshot(generation, contents))
    }

    @Test func `the first request, which names nothing, is answered so that the listener need not wait`() throws {
        var envoy = self.envoy()
        envoy.subscribe(.virtualHost)
        let response = try envoy.acked(.virtualHost)
        #expect(response.resources.isEmpty)
        #expect(response.unknown.count == 1)
        #expect(response.removals.isEmpty)
        #expect(envoy.unanswered.isEmpty)
    }

    @Test(arguments: [
        ("edge/http/web.example.com", "edge/http/web.example.com"),
        ("edge/http/web.example.com:8080", "edge/http/web.example.com"),
        ("edge/http/api.example.com", "edge/http/*.example.com"),
        ("edge/http/x.y.example.com:443", "edge/http/*.example.com"),
        ("edge/http/x.a.example.com", "edge/http/*.a.example.com"),
        ("other/[::1]:8080", "other/*"),
    ])
    func `a host is answered with what serves it, and told under which name it was asked for`(
        asked: String,
        expected: String
    ) throws {
        var envoy = self.envoy()
        envoy.subscribe(.virtualHost, ResourceName(asked))
        let response = try envoy.acked(.virtualHost)
        #expect(response.resources.first?.name == ResourceName(expected))
        #expect(response.aliases == [ResourceName(expected): [ResourceName(asked)]])
    }

    @Test(arguments: ["edge/http/example.org", "edge/http/example.com", "nowhere/web.example.com", "no-slash"])
    func `a host that nobody serves is denied at once, and served when it appears`(asked: String) throws {
        var envoy = self.envoy()
        envoy.subscribe(.virtualHost, ResourceName(asked))
        let denial = try envoy.acked(.virtualHost)
        #expect(denial.unknown == [ResourceName(asked)])
        #expect(denial.removals.isEmpty)
        envoy.publish(
            Snapshot(2, [.virtualHost: [asked: "new"]]),
            changes: ChangeSet(names: [.virtualHost: [ResourceName(asked)]])
        )
        #expect(try envoy.acked(.virtualHost).resources == [Resource(.virtualHost, asked, "new")])
    }

    @Test func `a wildcard that appears serves whom it covers`() throws {
        var envoy = self.envoy(1, [.virtualHost: [:]])
        envoy.subscribe(.virtualHost, "r/web.example.com", "r/example.org")
        envoy.settle()
        envoy.publish(
            Snapshot(2, [.virtualHost: ["r/*.example.com": "any"]]),
            changes: ChangeSet(names: [.virtualHost: ["r/*.example.com"]])
        )
        let response = try envoy.acked(.virtualHost)
        #expect(response.aliases == ["r/*.example.com": ["r/web.example.com"]])
        #expect(response.unknown.isEmpty)
    }

    /// Nothing is remembered of what a stream does not cover, and so the new one is not known to be new by that.
    @Test(arguments: ["r/*.com", "r/other.example.org"])
    func `a wildcard that appears serves whom it covers beside what the proxy holds already`(held: String) throws {
        var envoy = self.envoy(1, [.virtualHost: [held: "1"]])
        envoy.subscribe(.virtualHost, "r/web.example.com")
        if held == "r/other.example.org" { envoy.subscribe(.virtualHost, ResourceName(held)) }
        envoy.settle()
        envoy.publish(
            Snapshot(2, [.virtualHost: [held: "1", "r/*.example.com": "any"]]),
            changes: ChangeSet(names: [.virtualHost: ["r/*.example.com"]])
        )
        #expect(try envoy.acked(.virtualHost).aliases == ["r/*.example.com": ["r/web.example.com"]])
    }

    @Test func `what is more specific than a wildcard that the proxy holds is sent, as the proxy will not ask`() throws
    {
        var envoy = self.envoy(1, [.virtualHost: ["r/*.example.com": "any"]])
        envoy.subscribe(.virtualHost, "r/web.example.com")
        envoy.settle()
        envoy.publish(
            Snapshot(2, [.virtualHost: ["r/*.example.com": "any", "r/api.example.com": "api"]]),
            changes: ChangeSet(names: [.virtualHost: ["r/api.example.com"]])
        )
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["r/api.example.com"])
    }

    @Test func `a wildcard that the proxy holds follows its changes`() throws {
        var envoy = self.envoy(1, [.virtualHost: ["r/*": "1"]])
        envoy.subscribe(.virtualHost, "r/web")
        envoy.settle()
        envoy.publish(Snapshot(2, [.virtualHost: ["r/*": "2"]]), changes: ChangeSet(names: [.virtualHost: ["r/*"]]))
        #expect(try envoy.acked(.virtualHost).resources == [Resource(.virtualHost, "r/*", "2")])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `virtual hosts are sent again after their route configuration, and others are not`() throws {
        var contents = Self.world
        contents[.routeConfiguration] = ["edge/http": "1", "other": "1"]
        var envoy = self.envoy(1, contents)
        envoy.subscribe(.routeConfiguration, "edge/http", "other")
        envoy.settle()
        envoy.subscribe(.virtualHost, "edge/http/web.example.com", "other/x")
        envoy.settle()
        contents[.routeConfiguration] = ["edge/http": "2", "other": "1"]
        envoy.publish(Snapshot(2, contents), changes: ChangeSet(names: [.routeConfiguration: ["edge/http"]]))
        // One stream keeps its order.
        #expect(envoy.unanswered.map(\.type) == [.routeConfiguration, .virtualHost])
        envoy.ack(.routeConfiguration)
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["edge/http/web.example.com"])
    }

    @Test func `on a stream of their own they are sent again a while after their route configuration changed`() throws {
        var contents = Self.world
        contents[.routeConfiguration] = ["edge/http": "1"]
        var envoy = self.envoy(1, contents)
        envoy.subscribe(.virtualHost, "edge/http/web.example.com")
        envoy.settle()
        contents[.routeConfiguration] = ["edge/http": "2"]
        envoy.publish(Snapshot(2, contents), changes: ChangeSet(names: [.routeConfiguration: ["edge/http"]]))
        #expect(envoy.unanswered.isEmpty)
        envoy.passDeadlines()
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["edge/http/web.example.com"])
    }

    @Test func `a proxy that comes back and says wildcard is not given every virtual host`() throws {
        var envoy = self.envoy()
        envoy.subscribe(.virtualHost, "*", "edge/http/web.example.com")
        #expect(try envoy.acked(.virtualHost).resources.map(\.name) == ["edge/http/web.example.com"])
        #expect(envoy.unanswered.isEmpty)
    }

    @Test func `what went while the proxy was away is removed, also if it was asked for under another name`() throws {
        var machine = StreamStateMachine(variant: .delta)
        _ = machine.snapshotChanged(Snapshot(1, [.virtualHost: ["r/web": "1"]]), changes: nil)
        let version = Resource(.virtualHost, "r/web", "1").version.description
        let actions = machine.received(
            DeltaRequest(
                type: .virtualHost,
                subscribe: ["*", "r/web:80", "r/gone:80"],
                initialResourceVersions: ["r/web": version, "r/gone": version]
            )
        )
        guard case .respond(let first) = actions.first else {
            Issue.record("it is not answered")
            return
        }
        #expect(first.unknown == ["r/gone:80"])
        let after = machine.received(DeltaRequest(type: .virtualHost, responseNonce: first.nonce))
        guard case .respond(let second) = after.first else {
            Issue.record("it is not removed")
            return
        }
        #expect(second.removals == ["r/gone"])
    }

    @Test func `hosts that nobody serves are answered without end and remembered up to a limit`() throws {
        var envoy = self.envoy(1, [.virtualHost: [:]])
        for number in 0..<11_000 {
            envoy.subscribe(.virtualHost, ResourceName("r/host-\(number)"))
            let answer = try envoy.acked(.virtualHost)
            #expect(answer.unknown == [ResourceName("r/host-\(number)")])
        }
        #expect(envoy.violation == nil)
        #expect(envoy.machine.status.first?.subscription.names.count == 10_000)
    }
}
