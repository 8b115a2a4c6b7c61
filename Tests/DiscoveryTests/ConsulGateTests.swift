// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import Testing

@testable import Discovery

/// A start that finds services listed and cannot read them: what is left out is gone from proxies that run.
struct ConsulGateTests {
    private static func status(_ status: Int, _ meaning: APIError.Meaning? = nil) -> ConsulFailure {
        ConsulFailure(APIError(.status, "Consul answers \(status)", status: status, meaning: meaning))
    }

    private static let ofAgent = [
        status(429), status(500), status(503), status(408), status(500, .noLeader), status(400, .badFilter),
        status(403, .unknownToken), ConsulFailure(APIError(.timedOut, "no answer")),
        ConsulFailure(APIError(.unreachable, "the connection was closed")), ConsulFailure(APIError(.tls, "no TLS")),
        ConsulFailure(APIError(.token, "the token cannot be read")),
    ]

    private static let ofService = [
        status(403), status(404), status(400), ConsulFailure(APIError(.malformed, "no JSON")),
        ConsulFailure(APIError(.tooLarge, "too large")),
    ]

    /// Of 40 services, named s0 and so on.
    private static func rig(
        unreadable: [String] = [],
        _ failure: ConsulFailure = status(500),
        stored: Set<CatalogGuard.Part> = []
    ) -> ConsulRig {
        var rig = ConsulRig(knowing: KnownWord(parts: stored))
        rig.change { model in
            for number in 0..<40 { model.register("s\(number)", .init(node: "n\(number % 3)", id: "a")) }
        }
        rig.unreadable["dc1"] = Dictionary(uniqueKeysWithValues: unreadable.map { ($0, failure) })
        return rig
    }

    private static func names(_ numbers: Range<Int>) -> [String] { numbers.map { "s\($0)" } }

    @Test(arguments: ofAgent, [1, 20, 40])
    func `that the agent fails is no answer, however long it does`(failure: ConsulFailure, count: Int) {
        var rig = Self.rig(unreadable: Self.names(0..<count), failure)
        rig.run(for: .seconds(300))
        #expect(!rig.isComplete)
        #expect(rig.status?.state == .suspect)
        let cure =
            failure.fault == .filter
            ? "nothing is sent to proxies before Consul takes the filter"
            : "nothing is sent to proxies before the agent answers this"
        #expect(rig.status?.problem?.contains("\(failure.message); \(cure)") == true)
        rig.unreadable = [:]
        rig.run(for: .seconds(20))
        #expect(rig.isSettled)
        #expect(rig.status == SourceStatus(source: .consul, state: .up))
    }

    @Test(arguments: ofService)
    func `a service that cannot be read for a reason of its own keeps the others back for a while`(
        failure: ConsulFailure
    ) {
        var rig = Self.rig(unreadable: ["s7"], failure)
        rig.run(for: .seconds(14))
        #expect(!rig.isComplete)
        #expect(rig.status?.problem == "the service s7: \(failure.message); the start waits for that for 15 s")
        rig.run(for: .seconds(12))
        #expect(rig.isComplete)
        #expect(rig.told.count == 39)
        // It is not taken for up.
        #expect(rig.status?.state == .suspect)
        #expect(rig.status?.problem == "the service s7: \(failure.message)")
    }

    @Test(arguments: [(20, true), (21, false), (40, false)])
    func `that most cannot be read is no answer`(count: Int, isTold: Bool) {
        var rig = Self.rig(unreadable: Self.names(0..<count), Self.status(403))
        rig.run(for: .seconds(120))
        #expect(rig.isComplete == isTold)
        guard !isTold else { return }
        #expect(rig.status?.problem?.hasSuffix("before at least half of the services can be read") == true)
        for name in Self.names(20..<40) { rig.unreadable["dc1"]?[name] = nil }
        rig.run(for: .seconds(15))
        #expect(rig.isComplete)
        #expect(rig.told.count == 20)
    }

    @Test func `of a single service there is no other to go on with`() {
        var rig = ConsulRig()
        rig.change { model in
            model.register("web", .init(node: "n1", id: "a"))
            model.hidden = ["web"]
        }
        rig.run(for: .seconds(120))
        #expect(!rig.isComplete)
        #expect(rig.status?.reason == "acl")
        rig.change { $0.hidden = [] }
        rig.run(for: .seconds(15))
        #expect(rig.isSettled)
    }

    @Test func `no service at all is an answer`() {
        var rig = ConsulRig()
        rig.run(for: .seconds(1))
        #expect(rig.isComplete)
    }

    @Test func `one that is listed no more is not waited for`() {
        var rig = Self.rig(unreadable: ["s7"])
        rig.run(for: .seconds(30))
        rig.change { $0.deregister("n1/a", of: "s7") }
        rig.run(for: .seconds(5))
        #expect(rig.isSettled)
    }

    @Test func `one that is said to be there, and listed and shown no more, is not waited for`() {
        var rig = Self.rig(unreadable: ["s7"])
        rig.run(for: .seconds(5))
        rig.unreadable = [:]
        rig.change { model in
            model.ghosts = ["s7"]
            model.register("s1", .init(node: "n1", id: "b"))
        }
        rig.run(for: .seconds(60))
        #expect(rig.isComplete)
        #expect(rig.told.count == 39)
    }

    /// What is not read stays as it was stored, so that nothing need wait for it longer.
    @Test func `what is stored stands in for those that cannot be read`() {
        var rig = Self.rig(unreadable: Self.names(0..<30), stored: [.services])
        rig.run(for: .seconds(17))
        #expect(rig.isComplete)
        rig.run(for: .seconds(43))
        #expect(rig.told.count == 10)
        let updates = rig.events.compactMap { if case .catalog(let update) = $0 { update } else { nil } }
        let unheard = updates.first?.unheard.services.keys.map(\.rawValue) ?? []
        #expect(Set(unheard).isSuperset(of: Self.names(0..<30)))
    }

    @Test(arguments: [(status(500), true), (status(403), true), (status(400, .badFilter), false)])
    func `another datacenter keeps nothing back for ever but what would be refused everywhere`(
        failure: ConsulFailure,
        isTold: Bool
    ) {
        var rig = ConsulRig(.init(datacenters: ["dc1", "dc2"], followsConfigEntries: false))
        rig.others["dc2"] = ConsulModel(datacenter: "dc2")
        rig.change { $0.register("web", .init(node: "n1", id: "a")) }
        rig.change("dc2") { $0.register("db", .init(node: "n1", id: "a")) }
        rig.unreadable["dc2"] = ["db": failure]
        rig.run(for: .seconds(14))
        #expect(!rig.isComplete)
        rig.run(for: .seconds(60))
        #expect(rig.isComplete == isTold)
        #expect(rig.status?.problem?.hasPrefix("datacenter dc2") == true)
        rig.unreadable = [:]
        rig.run(for: .seconds(20))
        #expect(rig.told.count == 2)
    }

    @Test func `another datacenter that is gone before it was read keeps nothing back for ever`() {
        var rig = ConsulRig(.init(datacenters: ["dc1", "dc2"], followsConfigEntries: false))
        rig.others["dc2"] = ConsulModel(datacenter: "dc2")
        rig.change { $0.register("web", .init(node: "n1", id: "a")) }
        rig.change("dc2") { model in
            for number in 0..<40 { model.register("db\(number)", .init(node: "n1", id: "a")) }
        }
        rig.run(for: .milliseconds(20))
        rig.others["dc2"] = .some(nil)
        #expect(!rig.isComplete)
        rig.run(for: .seconds(30))
        #expect(rig.isComplete)
    }
}
