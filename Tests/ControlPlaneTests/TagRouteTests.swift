// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Routing
import TestSupport
import Testing
import XDSProtocol

/// Routes from tags, while documents beside them come, go and are wrong.
@Suite struct TagRouteTests {
    private static let edge = GatewayName("edge")

    /// With the gateway `edge` and the service `web`, whose tags claim `web.example.com`.
    private static func pipeline() -> Pipeline {
        var rules = CatalogGuard.SourceRules()
        rules.fraction = 0
        rules.lastInstanceGrace = .zero
        rules.input = nil
        var pipeline = Pipeline(
            Pipeline.Options(
                catalogGuard: CatalogGuard.Settings(required: [.consul: [.services]], rules: [.consul: rules])
            )
        )
        _ = pipeline.apply([.write(Files.gateway("edge"), to: "gateway.yaml")], at: .zero)
        _ = pipeline.apply(Self.update([Self.web()], isComplete: true), from: .consul, at: .zero)
        return pipeline
    }

    private static func web(_ tags: Set<String> = [], second: Instance.Health = .passing) -> Service {
        let host: Set = ["signalbox.host=web.example.com"]
        return Self.service("web", tags: host.union(tags), second: second)
    }

    private static func service(
        _ name: String,
        tags: Set<String> = [],
        second: Instance.Health = .passing
    ) -> Service {
        let instances = [Instance.Health.passing, second].enumerated().map { offset, health in
            Instance(
                id: InstanceID("\(name)-\(offset)"),
                address: "10.0.0.1",
                port: 80 + UInt16(offset),
                tags: tags,
                health: health,
                origin: Origin(file: "consul")
            )
        }
        return Service(name: ServiceName(name), instances: instances, origin: Origin(file: "consul"))
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

    private static func document(to service: String) -> FileChange {
        .write(Files.route("web", backends: [service: 1]), to: "web.yaml")
    }

    @Test func `a document that is refused takes no host from tags`() {
        var pipeline = Self.pipeline()
        #expect(pipeline.served == ["web.example.com web@tags"])
        #expect(pipeline.codes == [])
        let before = pipeline.snapshot()
        _ = pipeline.apply([Self.document(to: "wbe")], at: .seconds(1))
        #expect(pipeline.codes == ["SB203"])
        #expect(pipeline.snapshot(2).differences(from: before).isEmpty)

        // Nor does that make instances cost more than they do.
        let change = pipeline.apply(
            Self.update([Self.web(second: .critical)], isComplete: false),
            from: .consul,
            at: .seconds(2)
        )
        #expect(change == .endpoints([TargetID(service: ServiceName("web"))]))
        _ = pipeline.apply(
            Self.update([Self.web(["signalbox.path=/a"])], isComplete: false),
            from: .consul,
            at: .seconds(3)
        )
        #expect(pipeline.codes == ["SB203"])
        #expect(pipeline.served == ["web.example.com web@tags"])
    }

    @Test func `a document that is in force has its host, and so has its last good version`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply([Self.document(to: "web")], at: .seconds(1))
        #expect(pipeline.codes == ["SB325"])
        #expect(pipeline.served == ["web.example.com web"])
        let before = pipeline.snapshot()
        _ = pipeline.apply([Self.document(to: "wbe")], at: .seconds(2))
        #expect(pipeline.codes.sorted() == ["SB203", "SB325"])
        #expect(pipeline.snapshot(2).differences(from: before).isEmpty)
    }

    @Test func `a document takes its host when the service that it leads to comes, and keeps it`() {
        var pipeline = Self.pipeline()
        _ = pipeline.apply([Self.document(to: "wbe")], at: .seconds(1))
        let both = [Self.web(), Self.service("wbe")]
        _ = pipeline.apply(Self.update(both, isComplete: true), from: .consul, at: .seconds(2))
        #expect(pipeline.codes == ["SB325"])
        #expect(pipeline.served == ["web.example.com web"])
        _ = pipeline.apply(Self.update([Self.web()], isComplete: true), from: .consul, at: .seconds(3))
        #expect(pipeline.codes.sorted() == ["SB207", "SB325"])
        #expect(pipeline.served == ["web.example.com web"])
    }

    @Test func `a route configuration names all that decides what is in it`() {
        var pipeline = Self.pipeline()
        func origins() -> [String]? {
            pipeline.snapshot()[.routeConfiguration, ResourceName("edge/http")]?.origins
        }
        #expect(origins() == ["gateway.yaml:1", "consul"])
        let router = ConfigEntry(
            key: ConfigEntry.Key(kind: "service-router", name: "web"),
            json: Array(#"{"Routes": [{"Match": {"HTTP": {"PathPrefix": "/a"}}}]}"#.utf8),
            origin: Origin(file: "service-router/web")
        )
        _ = pipeline.apply(.configEntries([router]), from: .consul, at: .seconds(1))
        #expect(origins() == ["gateway.yaml:1", "consul", "service-router/web"])
        _ = pipeline.apply([Self.document(to: "web")], at: .seconds(2))
        #expect(origins() == ["gateway.yaml:1", "service-router/web", "web.yaml:1"])
    }

    @Test func `a second gateway takes no route from the first`() {
        var pipeline = Self.pipeline()
        let edge = pipeline.topology.gateways[Self.edge]
        _ = pipeline.apply([.write(Files.gateway("internal", port: 10001), to: "internal.yaml")], at: .seconds(1))
        #expect(pipeline.codes == ["SB324"])
        #expect(pipeline.topology.gateways[Self.edge] == edge)
        #expect(pipeline.topology.gateways[GatewayName("internal")]?.targets.isEmpty == true)
    }
}

extension Pipeline {
    /// Each host of `edge`, and the route that has it.
    fileprivate var served: [String] {
        let hosts = self.topology.gateways[GatewayName("edge")]?.listeners.flatMap(\.virtualHosts) ?? []
        return hosts.flatMap { host in host.entries.map { "\(host.hostname) \($0.route)" } }
    }
}
