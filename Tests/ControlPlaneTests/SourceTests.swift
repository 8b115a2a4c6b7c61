// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import Documents
import Routing
import Testing

@testable import ControlPlane

/// What sources say, from the guard to what people are told.
@Suite struct SourceTests {
    private static let web = ServiceName("web")
    private static let allocation = "5f8a2c1e-7c1d-4f0a-9b1e-000000000001"

    private static func pipeline() -> Pipeline {
        var rules = CatalogGuard.SourceRules()
        rules.lastInstanceGrace = .zero
        rules.input = nil
        var pipeline = Pipeline(
            Pipeline.Options(
                catalogGuard: CatalogGuard.Settings(required: [.consul: [.services]], rules: [.consul: rules]),
                followed: [.consul: [.services], .nomad: []]
            )
        )
        _ = pipeline.apply(
            [
                .write(Files.gateway("edge"), to: "gateway.yaml"),
                .write(Files.route("web", backends: ["web": 1]), to: "web.yaml"),
            ],
            at: .zero
        )
        return pipeline
    }

    private static func service(_ name: ServiceName = web, _ allocations: String...) -> Service {
        let instances = (allocations.isEmpty ? [self.allocation] : allocations).map { allocation in
            Instance(
                id: InstanceID("_nomad-task-\(allocation)-group-web-web-http"),
                address: "10.0.0.1",
                port: 80,
                weight: .default,
                health: .passing,
                origin: Origin(file: "consul/web")
            )
        }
        return Service(name: name, instances: instances, origin: Origin(file: "consul/web"))
    }

    private static func fact(_ allocation: String, client: AllocationFact.ClientStatus) -> AllocationFact {
        AllocationFact(
            id: allocation,
            namespace: "default",
            job: "web",
            jobVersion: 1,
            group: "web",
            deployment: nil,
            isCanary: false,
            nodeID: "node",
            desired: client == .running ? .run : .stop,
            client: client,
            isMigrating: false
        )
    }

    private static func update(_ services: [Service]) -> SourceEvent {
        let named = services.map { ($0.name, Optional($0)) }
        return .catalog(
            CatalogUpdate(source: .consul, isComplete: true, services: Dictionary(named) { first, _ in first })
        )
    }

    private static var stored: StoredCatalog {
        StoredCatalog(savedAt: 1000, sources: [.consul: StoredCatalog.Source(heardAt: 1000, services: [service()])])
    }

    @Test func `that a service is there and not taken is told, whenever that is known`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply(Self.update([]), from: .consul, at: .seconds(1))
        func unknown() -> [String] { pipeline.diagnostics.filter { $0.code == "SB203" }.map(\.message) }
        #expect(unknown().first?.hasPrefix("no service is named 'web'") == true)
        let untaken = Untaken(reason: "a setting", cure: "set it")
        #expect(pipeline.apply(.untaken([Self.web: untaken]), from: .consul, at: .seconds(2)) == .none)
        #expect(unknown().first?.hasPrefix("the service 'web' is in consul and not taken: a setting") == true)
        _ = pipeline.apply(.untaken([:]), from: .consul, at: .seconds(3))
        #expect(unknown().first?.hasPrefix("no service is named 'web'") == true)
    }

    @Test func `what is not taken and nothing refers to makes no difference`() {
        var pipeline = Self.pipeline()
        let reasons = ["a setting", "another"].map { Untaken(reason: $0, cure: "set it") }
        // Nothing is in force yet.
        #expect(!pipeline.isOther([Self.web: reasons[0]], of: .consul))
        _ = pipeline.apply(Self.update([]), from: .consul, at: .seconds(1))
        let other = ServiceName("other")
        #expect(!pipeline.isOther([other: reasons[0]], of: .consul))
        #expect(pipeline.isOther([other: reasons[0], Self.web: reasons[0]], of: .consul))
        _ = pipeline.apply(.untaken([Self.web: reasons[0]]), from: .consul, at: .seconds(2))
        #expect(!pipeline.isOther([other: reasons[0], Self.web: reasons[0]], of: .consul))
        #expect(pipeline.isOther([Self.web: reasons[1]], of: .consul) && pipeline.isOther([:], of: .consul))
        #expect(pipeline.isOther([Self.web: reasons[0]], of: .nomad))
        // It is there.
        _ = pipeline.apply(Self.update([Self.service()]), from: .consul, at: .seconds(3))
        #expect(!pipeline.isOther([:], of: .consul))
    }

    @Test func `what Nomad stops is not routed to, though its registration is only what was stored`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply(Self.stored, wallClock: 1010, at: .zero)
        #expect(pipeline.catalogGuard.catalog[Self.web]?.instances.count == 1)
        let ended = Self.fact(Self.allocation, client: .complete)
        let facts = NomadFactsUpdate(isComplete: true, allocations: [Self.allocation: ended])
        #expect(pipeline.apply(facts, at: .seconds(1)) != .none)
        #expect(pipeline.catalogGuard.catalog[Self.web]?.instances.isEmpty == true)
    }

    @Test(arguments: [true, false])
    func `a registration that lingers stays out after a restart, whoever is heard first`(isNomadFirst: Bool) {
        let other = "5f8a2c1e-7c1d-4f0a-9b1e-000000000002"
        let ended = Allocation(id: Self.allocation, job: "web", jobVersion: 1, group: "web")
        let stored = StoredCatalog(
            savedAt: 1000,
            sources: [.consul: StoredCatalog.Source(heardAt: 1000, services: [Self.service(Self.web, other)])],
            ended: [StoredCatalog.EndedAllocation(ended, isLost: false)]
        )
        var pipeline = Self.pipeline()
        _ = pipeline.apply(stored, wallClock: 1010, at: .zero)
        // Nomad has collected the one that ended.
        let facts = NomadFactsUpdate(isComplete: true, allocations: [other: Self.fact(other, client: .running)])
        if isNomadFirst { _ = pipeline.apply(facts, at: .seconds(1)) }
        _ = pipeline.apply(
            Self.update([Self.service(Self.web, Self.allocation, other)]),
            from: .consul,
            at: .seconds(2)
        )
        if !isNomadFirst { _ = pipeline.apply(facts, at: .seconds(3)) }
        let allocations = pipeline.catalogGuard.catalog[Self.web]?.instances.map { $0.allocation?.id }
        #expect(allocations == [other])
        #expect(pipeline.stored(wallClock: 1020, at: .seconds(4))?.ended.map(\.allocation.id) == [Self.allocation])
    }

    @Test func `a service that is gone for good is told where a route leads to it, after a restart, too`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply(Self.update([Self.service()]), from: .consul, at: .zero)
        #expect(pipeline.diagnostics == [])
        _ = pipeline.apply(Self.update([]), from: .consul, at: .seconds(1))
        #expect(pipeline.diagnostics.map(\.code) == ["SB207"])
        #expect(pipeline.topology.gateways[GatewayName("edge")]?.listeners.flatMap(\.virtualHosts).isEmpty == false)

        var next = Self.pipeline()
        let stored = pipeline.catalogGuard.stored(wallClock: 1000, at: .seconds(2))
        _ = next.apply(stored, wallClock: 1000, at: .zero)
        _ = next.apply(Self.update([]), from: .consul, at: .seconds(1))
        #expect(next.diagnostics.map(\.code) == ["SB207"])
        #expect(next.topology.gateways[GatewayName("edge")]?.listeners.flatMap(\.virtualHosts).isEmpty == false)
    }

    @Test func `what no route sees is to be stored as well`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply(Self.update([Self.service()]), from: .consul, at: .zero)
        let revision = pipeline.revision
        _ = pipeline.apply(Self.update([Self.service(), Self.service(ServiceName("other"))]), from: .consul, at: .zero)
        #expect(pipeline.revision > revision)
        let same = pipeline.revision
        _ = pipeline.apply(Self.update([Self.service(), Self.service(ServiceName("other"))]), from: .consul, at: .zero)
        #expect(pipeline.revision == same)
    }

    @Test func `documents that are held are told with the rest, and let go with it`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply(Self.update([Self.service()]), from: .consul, at: .zero)
        _ = pipeline.apply([FileChange(path: "web.yaml", content: .removed)], at: .seconds(3))
        #expect(pipeline.held.map(\.reason) == [.documents])
        #expect(pipeline.held.map(\.names) == [["route/web"]])
        #expect(pipeline.held.map(\.since) == [.seconds(3)])
        #expect(Self.documentEvents(&pipeline) == [.held])
        #expect(pipeline.accept([.consul], at: .seconds(4)) == .none)
        #expect(pipeline.accept([.file], at: .seconds(4)) == .anything)
        #expect(pipeline.held == [])
        #expect(Self.documentEvents(&pipeline) == [.released(.accepted)])
    }

    @Test func `documents that come back are told to be released, and those that never were held are not`() {
        var pipeline = Self.pipeline()
        #expect(Self.documentEvents(&pipeline) == [])
        _ = pipeline.apply([FileChange(path: "web.yaml", content: .removed)], at: .seconds(3))
        _ = pipeline.takeGuardEvents()
        _ = pipeline.apply([.write(Files.gateway("edge"), to: "gateway.yaml")], at: .seconds(4))
        #expect(Self.documentEvents(&pipeline) == [])
        _ = pipeline.apply([.write(Files.route("web", backends: ["web": 1]), to: "web.yaml")], at: .seconds(5))
        #expect(Self.documentEvents(&pipeline) == [.released(.returned)])
    }

    private static func documentEvents(_ pipeline: inout Pipeline) -> [GuardOutcome.Event.Change] {
        let events = pipeline.takeGuardEvents()
        #expect(events.allSatisfy { $0.source == .file && $0.reason == .documents && $0.names == ["route/web"] })
        return events.map(\.change)
    }

    @Test func `what a start waits for is named with what keeps it`() {
        var status = ControlPlaneService.Status()
        status.awaited = [.consul: [.documents, .configEntries], .nomad: [.services]]
        status.sources = [SourceStatus(source: .consul, state: .suspect, problem: "no key:read", reason: "partial")]
        #expect(
            status.awaitedWords == [
                "the config entries and documents of consul have not been heard yet, and nothing stored stands in: "
                    + "no key:read",
                "nomad has not been heard yet, and nothing stored stands in",
            ]
        )
    }
}
