// SPDX-License-Identifier: Apache-2.0

import Foundation
import HashiCorpAPI
import NIOCore
import Testing

/// A Consul of a test's own, on a loopback address of its own.
private final class ConsulProcess: Sendable {
    static let program = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.tools/consul/usr/bin/consul").standardized.path()

    let address: APIAddress
    private let process: Process
    private let directory: TemporaryDirectory

    init() throws {
        let octets = (0..<3).map { _ in String(UInt8.random(in: 64...250)) }
        let host = "127.\(octets.joined(separator: "."))"
        self.directory = try TemporaryDirectory()
        self.address = .http(host: host, port: 8500)
        self.process = Process()
        self.process.executableURL = URL(filePath: Self.program)
        self.process.arguments = [
            "agent", "-dev", "-bind", host, "-client", host, "-node", "n1", "-log-level", "err",
            "-data-dir", self.directory.path,
        ]
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = FileHandle.nullDevice
        try #require(
            FileManager.default.isExecutableFile(atPath: Self.program),
            "there is no Consul: run Scripts/setup test"
        )
        try self.process.run()
    }

    func kill() {
        guard self.process.isRunning else { return }
        Foundation.kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }

    deinit {
        self.kill()
    }
}

/// The same against the real thing, which `Scripts/setup test` puts where it is looked for.
struct RealConsulTests {
    private func put(_ client: APIClient, _ path: String, _ body: String) async throws {
        let response = try await client.send(APIRequest(.put, path, body: ByteBuffer(string: body)))
        #expect(response.status == 200, "\(response.explanation)")
    }

    private func register(_ client: APIClient, port: Int) async throws {
        let check = #"{"CheckID": "up", "TTL": "1h", "Status": "warning"}"#
        try await self.put(
            client,
            "/v1/agent/service/register",
            #"{"Name": "a b", "Tags": ["é"], "Meta": {"k": "v"}, "Port": \#(port), "Check": \#(check)}"#
        )
    }

    private func waitForLeader(_ client: APIClient) async throws {
        for _ in 0..<200 {
            let request = APIRequest(.get, "/v1/health/service/consul", query: ["consistent"])
            if let response = try? await client.send(request), response.status == 200,
                let listing = try? response.list(of: ConsulServiceInstance.self), !listing.elements.isEmpty
            {
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("no leader")
    }

    @Test(.timeLimit(.minutes(2)))
    func `Consul's answers are understood, and its death is told`() async throws {
        let consul = try ConsulProcess()
        try await withClient(consul.address) { client in
            try await self.waitForLeader(client)
            let agent = try await client.send(APIRequest(.get, "/v1/agent/self")).value(of: ConsulAgent.self)
            #expect(agent.nodeName == "n1" && agent.datacenter == "dc1" && !agent.isEnterprise)
            try await self.readServices(client)
            try await self.readKeysAndEntries(client)
            try await self.wake(client)
            let query = [APIRequest.Parameter("index", "99999"), .init("wait", "600s")]
            let error = await withTaskGroup(of: APIError?.self) { group in
                group.addTask {
                    await failure { () async throws(APIError) in
                        _ = try await client.send(
                            APIRequest(.get, "/v1/catalog/services", query: query, deadline: .seconds(60))
                        )
                    }
                }
                try? await Task.sleep(for: .milliseconds(200))
                consul.kill()
                return await group.next() ?? nil
            }
            #expect(error?.kind == .unreachable)
            let later = await failure { () async throws(APIError) in
                _ = try await client.send(APIRequest(.get, "/v1/agent/self"))
            }
            #expect(later?.kind == .unreachable)
        }
    }

    private func readServices(_ client: APIClient) async throws {
        try await self.register(client, port: 8000)
        let response = try await client.send(APIRequest(.get, "/v1/health/service/a b"))
        #expect(response.index ?? 0 > 0 && response.knownLeader == true)
        let listing = try response.list(of: ConsulServiceInstance.self)
        let instance = try #require(listing.elements.first)
        #expect(listing.unreadable.isEmpty)
        #expect(instance.service.name == "a b" && instance.service.tags == ["é"] && instance.service.port == 8000)
        #expect(instance.service.meta == ["k": "v"] && instance.service.weights.passing == 1)
        #expect(Set(instance.checks.map(\.status)) == ["passing", "warning"])
        let services = try await client.send(APIRequest(.get, "/v1/catalog/services")).map(of: Strings.self)
        #expect(services.values.mapValues(\.elements) == ["consul": [], "a b": ["é"]])
        let checks = try await client.send(APIRequest(.get, "/v1/health/state/warning")).list(of: ConsulCheck.self)
        #expect(checks.elements.map(\.serviceName) == ["a b"])
    }

    private func readKeysAndEntries(_ client: APIClient) async throws {
        try await self.put(client, "/v1/kv/signalbox/ä", "kept\u{0}")
        let pairs = try await client.send(APIRequest(.get, "/v1/kv/signalbox/", query: ["recurse"])).list(
            of: ConsulKV.self
        )
        #expect(pairs.elements.map(\.key) == ["signalbox/ä"])
        #expect(pairs.elements.map(\.value) == [Array("kept\u{0}".utf8)])
        try await self.put(client, "/v1/config", #"{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}"#)
        let response = try await client.send(APIRequest(.get, "/v1/config/service-defaults"))
        let (entries, unreadable, _) = try ConsulConfigEntry.list(response)
        #expect(entries.map(\.name) == ["web"] && unreadable.isEmpty)
        let json = String(decoding: entries.first?.json ?? [], as: UTF8.self)
        #expect(json.hasPrefix("{") && json.hasSuffix("}") && json.contains("\"http\""))
    }

    /// Many questions that wait for the same change.
    private func wake(_ client: APIClient) async throws {
        let index = try await client.send(APIRequest(.get, "/v1/health/service/a b")).index ?? 0
        let query = [APIRequest.Parameter("index", "\(index)"), .init("wait", "30s")]
        let woken = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await client.send(APIRequest(.get, "/v1/health/service/a b", query: query)).index ?? 0
                }
            }
            try await Task.sleep(for: .milliseconds(200))
            try await self.register(client, port: 9000)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(woken.count == 50)
        #expect(woken.allSatisfy { $0 > index })
    }
}
