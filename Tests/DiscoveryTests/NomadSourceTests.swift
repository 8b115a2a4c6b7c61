// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import HashiCorpAPI
import Logging
import Synchronization
import Testing

/// What a source told, joined, and when.
private final class Listener: Sendable {
    struct State {
        var join = Join()
        var services: [ServiceName: Service] = [:]
        var status: SourceStatus?
        /// When it was first told that instances of an allocation drain.
        var drainingSince: [String: ContinuousClock.Instant] = [:]
    }

    let state = Mutex(State())

    func hear(_ report: NomadReport) {
        self.state.withLock { state in
            var outputs: [Join.Output] = []
            switch report {
            case .facts(let update): outputs = state.join.received(update)
            case .source(.catalog(let update)): outputs = [state.join.received(update)]
            case .source(.status(let status)): state.status = status
            case .source: break
            }
            for output in outputs {
                if output.update.isComplete { state.services = [:] }
                for (name, service) in output.update.services {
                    state.services[name] = service
                    for instance in service?.instances ?? [] where instance.isDraining {
                        guard let id = instance.allocation?.id, state.drainingSince[id] == nil else { continue }
                        state.drainingSince[id] = .now
                    }
                }
            }
        }
    }

    func instances(_ name: String = "web") -> [Instance] {
        self.state.withLock { $0.services[ServiceName(name)]?.instances ?? [] }
    }

    var status: SourceStatus? { self.state.withLock { $0.status } }

    func drainingSince(_ allocation: String) -> ContinuousClock.Instant? {
        self.state.withLock { $0.drainingSince[allocation] }
    }

    /// How long it took until that was so. It looks now and then: what is over soon may be missed.
    @discardableResult
    func eventually(
        within limit: Duration = .seconds(30),
        _ location: SourceLocation = #_sourceLocation,
        _ probe: (Listener) -> Bool
    ) async throws -> Duration {
        let start = ContinuousClock.now
        while !probe(self) {
            try #require(ContinuousClock.now - start < limit, "not within \(limit)", sourceLocation: location)
            try await Task.sleep(for: .milliseconds(1))
        }
        return ContinuousClock.now - start
    }
}

@Suite("NomadSource", .serialized)
struct NomadSourceTests {
    private func following(
        _ server: NomadStandIn,
        _ configuration: NomadConfiguration = NomadConfiguration(),
        token: TokenSource? = nil,
        _ body: (Listener) async throws -> Void
    ) async throws {
        let listener = Listener()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var agent = server.agent
        if let token { agent.token = token }
        let source = NomadSource(configuration: configuration, agent: agent, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run { listener.hear($0) } }
            try await body(listener)
            group.cancelAll()
        }
    }

    @Test(
        "a decision of Nomad is told at once, and so is what a client does",
        arguments: [[], ["--chunked"]]
    )
    func decisions(flags: [String]) async throws {
        let server = try NomadStandIn(flags: flags)
        let ids = try await server.run("web", at: Array(1...30))
        try await self.following(server) { listener in
            try await listener.eventually { $0.instances().count == 30 && $0.status?.state == .up }
            #expect(listener.instances().allSatisfy { $0.allocation?.job == "web" && !$0.isDraining })
            var worst = Duration.zero
            for id in ids.prefix(10) {
                let start = ContinuousClock.now
                try await server.order("cluster/stop", "{\"id\": \"\(id)\", \"deregister_after\": 0.1}")
                try await listener.eventually { $0.instances().allSatisfy { $0.allocation?.id != id } }
                let told = try #require(listener.drainingSince(id), "it went without notice")
                worst = max(worst, told - start)
            }
            // A moment on an idle machine (Tests/System/run nomad_stops measures it); other tests run beside this one.
            #expect(worst < .seconds(10), "\(worst)")
        }
    }

    @Test("a token file that breaks is told of, and the version of the agent")
    func tokenFile() async throws {
        let server = try NomadStandIn()
        _ = try await server.run("web", at: [1])
        let directory = try TemporaryDirectory()
        try directory.write("token", to: "token")
        try await self.following(server, token: .file(path: directory("token"))) { listener in
            try await listener.eventually { $0.status?.state == .up && $0.status?.version?.isEmpty == false }
            #expect(listener.status?.problem == nil)
            try directory.remove("token")
            try await listener.eventually { $0.status?.problem?.contains("no such file") == true }
            #expect(listener.status?.state == .up && listener.instances().count == 1)
            try directory.write("token", to: "token")
            try await listener.eventually { $0.status?.state == .up && $0.status?.problem == nil }
        }
    }

    @Test("canaries are told, and promoted")
    func canaries() async throws {
        let server = try NomadStandIn()
        _ = try await server.run("web", at: [1, 2])
        try await self.following(server) { listener in
            try await listener.eventually { $0.instances().count == 2 }
            let canary = try await server.run("web", at: [3], canaries: 1)[0]
            try await listener.eventually { $0.instances().filter(\.isCanary).map(\.port) == [3] }
            let deployment = try await server.order("cluster/deployment_of", "{\"id\": \"\(canary)\"}", String.self)
            try await server.order("cluster/promote", "{\"deployment\": \"\(deployment)\"}")
            try await listener.eventually { $0.instances().map(\.port) == [3] && !$0.instances()[0].isCanary }
            #expect(listener.instances().first?.allocation?.jobVersion == 1)
        }
    }

    @Test("a server that restarts, has no leader or forgets everybody loses nothing")
    func restarts() async throws {
        let server = try NomadStandIn()
        let ids = try await server.run("web", at: [1, 2, 3])
        try await self.following(server) { listener in
            try await listener.eventually { $0.instances().count == 3 && $0.status?.state == .up }
            for round in 0..<5 {
                try await server.order("server/restart")
                try await server.order("cluster/register", "{\"id\": \"\(ids[round % 3])\"}")
                let up = try await listener.eventually { $0.status?.state == .up }
                #expect(up < .seconds(5))
                #expect(listener.instances().count == 3)
            }
            try await server.order("faults/no_leader", "{\"value\": true}")
            try await server.order("server/cut_streams")
            try await listener.eventually { listener in
                listener.status?.state == .down && listener.status?.problem?.contains("No cluster leader") == true
            }
            #expect(listener.instances().count == 3)
            try await server.order("faults/no_leader", "{\"value\": false}")
            try await server.order("cluster/stop", "{\"id\": \"\(ids[0])\"}")
            try await listener.eventually { $0.instances().count == 2 && $0.status?.state == .up }
        }
    }

    @Test("a stream that falls silent is given up after two heartbeats")
    func mute() async throws {
        let server = try NomadStandIn(flags: ["--heartbeat", "0.2"])
        let ids = try await server.run("web", at: [1, 2])
        try await self.following(server, NomadConfiguration(heartbeat: .milliseconds(200))) { listener in
            try await listener.eventually { $0.instances().count == 2 && $0.status?.state == .up }
            try await server.order("faults/mute", "{\"value\": true}")
            try await server.order("cluster/stop", "{\"id\": \"\(ids[0])\"}")
            // It is found out by asking, sooner than by the silence.
            try await listener.eventually(within: .seconds(5)) { $0.instances().count == 1 }
            try await server.order("faults/mute", "{\"value\": false}")
            try await Task.sleep(for: .milliseconds(600))
            try await listener.eventually { $0.status?.state == .up }
            try await server.order("cluster/stop", "{\"id\": \"\(ids[1])\"}")
            try await listener.eventually { $0.instances().isEmpty }
        }
    }

    @Test("a token that is revoked changes nothing, and is told; what comes with another is told at once")
    func tokens() async throws {
        let server = try NomadStandIn()
        _ = try await server.run("web", at: [1, 2])
        let folder = try TemporaryDirectory()
        let management = try await server.order("tokens/enable", "{}", String.self)
        try folder.write(management, to: "token")
        let listener = Listener()
        var agent = server.agent
        agent.token = .file(path: folder("token"))
        let source = NomadSource(configuration: NomadConfiguration(), agent: agent, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run { listener.hear($0) } }
            try await listener.eventually { $0.instances().count == 2 && $0.status?.state == .up }
            try await server.order("server/revoke", "{\"secret\": \"\(management)\"}")
            let named = try await listener.eventually(within: .seconds(5)) { $0.status?.state == .down }
            #expect(listener.status?.reason == "acl" && named < .seconds(5))
            #expect(listener.instances().count == 2)
            let other = try await server.order("tokens/enable", "{}", String.self)
            try folder.replace("token", with: other)
            try await listener.eventually(within: .seconds(5)) { $0.status?.state == .up }
            #expect(listener.instances().count == 2)
            group.cancelAll()
        }
    }

    @Test("what the token may not see any more is gone when the operator says so")
    func accepted() async throws {
        let server = try NomadStandIn()
        _ = try await server.run("web", at: [1])
        let api = #"{"job": "api", "places": [["10.0.0.1", 2]], "services": ["api"], "namespace": "team-a"}"#
        _ = try await server.order("cluster/run", api, [String].self)
        let folder = try TemporaryDirectory()
        let management = try await server.order("tokens/enable", "{}", String.self)
        try folder.write(management, to: "token")
        let listener = Listener()
        var agent = server.agent
        agent.token = .file(path: folder("token"))
        let source = NomadSource(configuration: NomadConfiguration(), agent: agent, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run { listener.hear($0) } }
            // Nothing is refused, and nothing happens, that would tell of the other token.
            try await listener.eventually { $0.instances("api.team-a").count == 1 && $0.status?.state == .up }
            let rights = #"{"namespaces": {"default": ["read-job"]}, "node": true}"#
            try folder.replace("token", with: try await server.order("tokens/create", rights, String.self))
            try await listener.eventually(within: .seconds(10)) { $0.status?.state == .suspect }
            #expect(listener.status?.problem?.contains("team-a") == true)
            #expect(listener.instances("api.team-a").count == 1)
            source.accept()
            try await listener.eventually { $0.instances("api.team-a").isEmpty && $0.status?.state == .up }
            #expect(listener.instances().count == 1)
            try folder.replace("token", with: management)
            try await listener.eventually(within: .seconds(10)) { $0.instances("api.team-a").count == 1 }
            group.cancelAll()
        }
    }

    @Test("a thousand services are read on few connections, and one that changes is told at once")
    func scale() async throws {
        let server = try NomadStandIn()
        let ids = try await server.order("cluster/crowd", "{\"services\": 1000, \"each\": 4}", [String].self)
        try await self.following(server) { listener in
            try await listener.eventually(within: .seconds(60)) { $0.state.withLock { $0.services.count } == 1000 }
            try await server.order("cluster/stop", "{\"id\": \"\(ids[10])\", \"deregister_after\": 2}")
            let took = try await listener.eventually { $0.instances("service-2").contains { $0.isDraining } }
            #expect(took < .seconds(1))
        }
        let most = try await server.order("server/most_connections", "{}", Int.self)
        #expect(most <= NomadConfiguration.maximumConnections)
    }
}
