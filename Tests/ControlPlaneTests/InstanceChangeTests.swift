// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import HashTreeCollections
import Routing
import ServicePolicy
import TestSupport
import Testing
import XDSProtocol
import XDSServer

/// A change of instances takes a short cut around most of the pipeline.
@Suite struct InstanceChangeTests {
    private static let names = (0..<6).map { ServiceName("svc\($0)") }

    private static var files: Files {
        var files = Files()
        files.files = ["gateway.yaml": Files.gateway("edge"), "other.yaml": Files.gateway("other", port: 10001)]
        for name in Self.names.prefix(4) {
            files.files["\(name).yaml"] = Files.route(
                name.rawValue,
                gateways: ["edge", "other"],
                backends: [name.rawValue: 1]
            )
        }
        files.files["split.yaml"] = """
            kind: route
            name: split
            gateways: [edge]
            rules:
            - backends: [{service: svc4, subset: {tags: [v2]}}, {service: svc5}]
            """
        return files
    }

    private static func options() -> Pipeline.Options {
        var rules = CatalogGuard.SourceRules()
        rules.fraction = 0
        rules.input = nil
        return Pipeline.Options(
            catalogGuard: CatalogGuard.Settings(required: [.consul: [.services]], rules: [.consul: rules])
        )
    }

    private static func pipeline() -> Pipeline {
        var pipeline = Pipeline(Self.options())
        _ = pipeline.apply(Self.files.files.map { .write($0.value, to: $0.key) }, at: .zero)
        return pipeline
    }

    private static func service(_ name: ServiceName, using random: inout SeededGenerator) -> Service {
        let instances = (0..<Int.random(in: 0...4, using: &random)).map { index in
            Instance(
                id: InstanceID("\(name)-\(index)"),
                address: "10.0.0.\(Int.random(in: 1...3, using: &random))",
                port: UInt16.random(in: 1...3, using: &random),
                weight: Weight(Int.random(in: 0...2, using: &random)) ?? .default,
                tags: Bool.random(using: &random) ? ["v2"] : [],
                health: Instance.Health.allCases.randomElement(using: &random) ?? .passing,
                isDraining: Int.random(in: 0..<3, using: &random) == 0,
                origin: Origin(file: "consul")
            )
        }
        return Service(name: name, instances: instances, origin: Origin(file: "consul"))
    }

    private static func update(_ services: [Service], isComplete: Bool) -> SourceEvent {
        .catalog(
            CatalogUpdate(
                source: .consul,
                isComplete: isComplete,
                services: Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0) })
            )
        )
    }

    private static func resources(of world: TopologyWorld, for node: String) -> [TypeURL: Snapshot.Resources] {
        world.group(of: Node(id: node), streams: .aggregated).map { world.resources(for: $0) } ?? [:]
    }

    @Test func `a service that is gone leaves its host to the next one`() {
        var options = Self.options()
        options.catalogGuard.rules[.consul]?.lastInstanceGrace = .zero
        var pipeline = Pipeline(options)
        _ = pipeline.apply([.write(Files.gateway("edge"), to: "gateway.yaml")], at: .zero)
        let services = ["alpha", "zeta"].map { name in
            Service(
                name: ServiceName(name),
                instances: [
                    Instance(
                        id: InstanceID(name),
                        address: "10.0.0.1",
                        port: 80,
                        tags: ["signalbox.host=web.example.com"],
                        origin: Origin(file: "consul")
                    )
                ],
                origin: Origin(file: "consul")
            )
        }
        _ = pipeline.apply(Self.update(services, isComplete: true), from: .consul, at: .zero)
        #expect(pipeline.diagnostics.map(\.code) == ["SB325"])
        let change = pipeline.apply(Self.update([services[1]], isComplete: true), from: .consul, at: .seconds(1))
        #expect(change == .anything)
        #expect(pipeline.diagnostics.map(\.code) == [])
        let alone = TopologyWorld(pipeline.topology)
        var fresh = Pipeline(options)
        _ = fresh.apply([.write(Files.gateway("edge"), to: "gateway.yaml")], at: .zero)
        _ = fresh.apply(Self.update([services[1]], isComplete: true), from: .consul, at: .zero)
        #expect(
            Self.resources(of: alone, for: "proxy") == Self.resources(of: TopologyWorld(fresh.topology), for: "proxy")
        )
    }

    @Test(arguments: UInt64(1)...20)
    func `it comes to the same as starting from what there is now`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var services = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, Self.service($0, using: &random)) })
        var pipeline = Self.pipeline()
        #expect(
            pipeline.apply(Self.update(Array(services.values), isComplete: true), from: .consul, at: .zero) == .anything
        )
        var world = TopologyWorld(pipeline.topology)
        _ = Self.resources(of: world, for: "proxy")

        for step in 1...60 {
            let changed = Self.names.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random))
                .map { Self.service($0, using: &random) }
            for service in changed { services[service.name] = service }
            let before = world
            let change = pipeline.apply(Self.update(changed, isComplete: false), from: .consul, at: .seconds(step))
            switch change {
            case .none: continue
            case .endpoints(let targets):
                world = TopologyWorld(pipeline.topology, previous: before, changedTargets: targets)
            case .anything:
                world = TopologyWorld(pipeline.topology, previous: before)
            }
            var anew = Self.pipeline()
            _ = anew.apply(Self.update(Array(services.values), isComplete: true), from: .consul, at: .zero)
            #expect(pipeline.topology.gateways.mapValues(\.targets) == anew.topology.gateways.mapValues(\.targets))
            let resources = Self.resources(of: world, for: "proxy")
            #expect(resources[.endpoints] == Self.resources(of: TopologyWorld(anew.topology), for: "proxy")[.endpoints])
            let differences = Snapshot(generation: 2, resources: resources)
                .differences(from: Snapshot(generation: 1, resources: Self.resources(of: before, for: "proxy")))
            let group = world.group(of: Node(id: "proxy"), streams: .aggregated)
            #expect(group.flatMap { world.changes(for: $0) }?.descriptions == differences.descriptions)
        }
    }

    @Test func `a flip of one instance is a change of endpoints and of nothing else`() {
        var pipeline = Self.pipeline()
        func service(_ health: Instance.Health) -> Service {
            Service(
                name: ServiceName("svc0"),
                instances: [
                    Instance(
                        id: InstanceID("a"),
                        address: "10.0.0.1",
                        port: 1,
                        health: health,
                        origin: Origin(file: "consul")
                    ),
                    Instance(id: InstanceID("b"), address: "10.0.0.1", port: 2, origin: Origin(file: "consul")),
                ],
                origin: Origin(file: "consul")
            )
        }
        _ = pipeline.apply(Self.update([service(.passing)], isComplete: true), from: .consul, at: .zero)
        let change = pipeline.apply(
            Self.update([service(.critical)], isComplete: false),
            from: .consul,
            at: .seconds(1)
        )
        #expect(change == .endpoints([TargetID(service: ServiceName("svc0"))]))
        let same = pipeline.apply(Self.update([service(.critical)], isComplete: false), from: .consul, at: .seconds(1))
        #expect(same == .none)
    }

    @Test func `all that is made of a service that moved knows where it is now`() {
        var pipeline = Self.pipeline()
        func service(in place: String, port: UInt16) -> Service {
            let instance = Instance(
                id: InstanceID("a"),
                address: "10.0.0.1",
                port: port,
                origin: Origin(file: place)
            )
            return Service(name: ServiceName("svc0"), instances: [instance], origin: Origin(file: place))
        }
        func origins(in world: TopologyWorld) -> [[String]] {
            let resources = Self.resources(of: world, for: "proxy")
            return [TypeURL.cluster, .endpoints].compactMap { resources[$0]?[ResourceName("svc0")]?.origins }
        }
        _ = pipeline.apply(Self.update([service(in: "here", port: 1)], isComplete: true), from: .consul, at: .zero)
        let first = TopologyWorld(pipeline.topology)
        #expect(origins(in: first) == [["here"], ["here"]])
        let update = Self.update([service(in: "there", port: 2)], isComplete: false)
        let change = pipeline.apply(update, from: .consul, at: .seconds(1))
        #expect(change == .endpoints([TargetID(service: ServiceName("svc0"))]))
        let second = TopologyWorld(
            pipeline.topology,
            previous: first,
            changedTargets: [TargetID(service: ServiceName("svc0"))]
        )
        #expect(origins(in: second) == [["there"], ["there"]])
        let group = second.group(of: Node(id: "proxy"), streams: .aggregated)
        #expect(group.flatMap { second.changes(for: $0) }?.descriptions == ["EDS svc0"])
        #expect(origins(in: TopologyWorld(pipeline.topology, previous: second)) == [["there"], ["there"]])
    }

    @Test func `nothing is decided before a required source has been heard`() {
        var pipeline = Self.pipeline()
        #expect(!pipeline.isReady)
        #expect(pipeline.topology == Topology())
        #expect(pipeline.codes == [])
        _ = pipeline.apply(Self.update([], isComplete: true), from: .consul, at: .zero)
        #expect(pipeline.isReady)
        #expect(pipeline.topology.gateways.count == 2)
    }
}
