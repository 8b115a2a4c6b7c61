// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing
import Testing
import XDSProtocol

/// No resource goes out that names one that does not.
struct ConsistencyTests {
    private static let types = "type.googleapis.com/envoy"

    static func raw(_ name: String, _ json: String, ttl: Duration? = nil) -> RawResource {
        RawResource(
            name: name,
            gateways: [GatewayName("edge")],
            json: json,
            timeToLive: ttl,
            origin: Origin(file: "\(name).yaml", line: 1)
        )
    }

    static func cluster(_ name: String, _ more: String = "") -> RawResource {
        Self.raw(name, #"{"@type": "\#(types).config.cluster.v3.Cluster", "name": "\#(name)"\#(more)}"#)
    }

    /// With a listener's route configuration of this name.
    static func listener(_ name: String, routes: String, source: String = #"{"ads": {}}"#) -> RawResource {
        Self.listener(
            name,
            manager: #""rds": {"routeConfigName": "\#(routes)", "configSource": \#(source)}"#
        )
    }

    static func listener(_ name: String, manager: String) -> RawResource {
        Self.raw(
            name,
            #"""
            {"@type": "\#(types).config.listener.v3.Listener", "name": "\#(name)", "filterChains": [{"filters": [
              {"name": "hcm", "typedConfig": {
                "@type": "\#(types).extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                \#(manager)}}]}]}
            """#
        )
    }

    static func routes(_ name: String, action: String) -> RawResource {
        Self.raw(
            name,
            #"""
            {"@type": "\#(types).config.route.v3.RouteConfiguration", "name": "\#(name)", "virtualHosts": [
              {"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": \#(action)}]}]}
            """#
        )
    }

    static func translation(_ raw: [RawResource], after previous: Translation? = nil) -> Translation {
        Sample(routes: [route("web")], raw: raw).translation(previous: previous)
    }

    /// The names of the raw resources that go out.
    static func names(_ translation: Translation) -> [String] {
        translation.resources.filter { !["web.yaml", "edge.yaml"].contains($0.origins.first?.file) }
            .map { "\($0.kind) \($0.name)" }
    }

    @Test(arguments: [
        Self.listener("l", routes: "nowhere"),
        Self.listener(
            "l",
            manager: #""httpFilters": [{"name": "nowhere", "configDiscovery": {"configSource": {"ads": {}}}}]"#
        ),
        Self.listener(
            "l",
            manager: #""scopedRoutes": {"name": "s", "rdsConfigSource": {"ads": {}}, "scopedRouteConfigurationsList": "#
                + #"{"scopedRouteConfigurations": [{"name": "x", "routeConfigurationName": "nowhere"}]}}"#
        ),
        Self.routes("r", action: #"{"cluster": "nowhere"}"#),
        Self.routes("r", action: #"{"weightedClusters": {"clusters": [{"name": "web"}, {"name": "nowhere"}]}}"#),
        Self.routes("r", action: #"{"cluster": "web", "requestMirrorPolicies": [{"cluster": "nowhere"}]}"#),
        Self.raw(
            "v",
            #"{"@type": "\#(types).config.route.v3.VirtualHost", "name": "r/v", "#
                + #""requestMirrorPolicies": [{"cluster": "nowhere"}]}"#
        ),
        Self.raw(
            "t",
            #"{"@type": "\#(types).config.listener.v3.Listener", "name": "t", "filterChains": [{"filters": [{"name": "t", "#
                + #""typedConfig": {"@type": "\#(types).extensions.filters.network.tcp_proxy.v3.TcpProxy", "#
                + #""cluster": "nowhere"}}]}]}"#
        ),
        Self.raw(
            "s",
            #"{"@type": "\#(types).config.route.v3.ScopedRouteConfiguration", "name": "s", "#
                + #""routeConfigurationName": "nowhere"}"#
        ),
        Self.cluster(
            "c",
            #", "transportSocket": {"name": "tls", "typedConfig": {"#
                + #""@type": "\#(types).extensions.transport_sockets.tls.v3.UpstreamTlsContext", "commonTlsContext": {"#
                + #""combinedValidationContext": {"validationContextSdsSecretConfig": {"#
                + #""name": "nowhere", "sdsConfig": {"ads": {}}}}}}}"#
        ),
    ])
    func `what names something that is nowhere is held back, and the operator is told`(raw: RawResource) {
        let translation = Self.translation([raw, Self.cluster("fine")])
        #expect(Self.names(translation) == ["cluster fine"])
        #expect(translation.diagnostics.map(\.code) == ["SB212"])
        #expect(translation.diagnostics.map(\.subject) == ["envoy-resource/\(raw.name)"])
        #expect(translation.diagnostics.map(\.origin.file) == ["\(raw.name).yaml"])
        #expect(translation.diagnostics.first?.message.contains("'nowhere'; it is held back") == true)
    }

    @Test(arguments: [
        Self.listener("l", routes: "edge/http"),
        Self.listener("l", routes: "nowhere", source: #"{"pathConfigSource": {"path": "/routes.json"}}"#),
        Self.listener(
            "l",
            manager: #""httpFilters": [{"name": "nowhere", "configDiscovery": {"configSource": {"ads": {}}, "#
                + #""defaultConfig": {"@type": "\#(types).extensions.filters.http.router.v3.Router"}}}]"#
        ),
        Self.routes("r", action: #"{"cluster": "web"}"#),
        Self.routes("r", action: #"{"cluster": "signalbox/xds"}"#),
        Self.routes("r", action: #"{"clusterHeader": "x-cluster"}"#),
    ])
    func `what names what is there, or what comes from elsewhere, goes out`(raw: RawResource) {
        let translation = Self.translation([raw])
        #expect(Self.names(translation).count == 1)
        #expect(translation.diagnostics == [])
    }

    @Test func `what needs one that is held back is held back, too`() {
        let translation = Self.translation([
            Self.listener("l", routes: "r"), Self.routes("r", action: #"{"cluster": "nowhere"}"#), Self.cluster("c"),
        ])
        #expect(Self.names(translation) == ["cluster c"])
        #expect(
            translation.diagnostics.map(\.subject).sorted { ($0 ?? "") < ($1 ?? "") }
                == ["envoy-resource/l", "envoy-resource/r"]
        )
    }

    @Test func `the last good version stays, and so does what needs it`() throws {
        let listener = Self.listener("l", routes: "r")
        let good = Self.translation([listener, Self.routes("r", action: #"{"cluster": "web"}"#)])
        #expect(good.diagnostics == [])
        let bad = Self.translation([listener, Self.routes("r", action: #"{"cluster": "nowhere"}"#)], after: good)
        #expect(Self.names(bad) == ["listener l", "routeConfiguration r"])
        #expect(bad.diagnostics.map(\.subject) == ["envoy-resource/r"])
        #expect(bad.diagnostics.first?.message.hasSuffix("its last good version stays published") == true)
        let before = try #require(good.resources.first { $0.name == "r" })
        #expect(bad.resources.contains { $0.isSame(as: before) })

        let still = Self.translation([listener, Self.routes("r", action: #"{"cluster": "nowhere"}"#)], after: bad)
        #expect(still.resources.contains { $0.isSame(as: before) })
        let gone = Self.translation([], after: still)
        #expect(Self.names(gone) == [])
        #expect(gone.diagnostics == [])
    }

    @Test func `a name that is free again has the first that is good, and so has what needs it`() {
        let documents = ["nowhere", "gone", "web", "signalbox/xds"].enumerated().map { index, cluster in
            let routes = Self.routes("r", action: #"{"cluster": "\#(cluster)"}"#)
            return Self.raw("\(index)", routes.json)
        }
        let translation = Self.translation([Self.listener("l", routes: "r")] + documents)
        #expect(Self.names(translation) == ["listener l", "routeConfiguration r"])
        #expect(translation.resources.first { $0.name == "r" }?.origins.map(\.file) == ["2.yaml"])
        let told = translation.diagnostics.map { "\($0.code) \($0.subject ?? "")" }.sorted()
        let documentsTold = [
            "SB208 envoy-resource/1", "SB208 envoy-resource/2", "SB208 envoy-resource/3", "SB212 envoy-resource/0",
            "SB212 envoy-resource/1",
        ]
        #expect(told == documentsTold)
        let kept = translation.diagnostics.filter { $0.message.hasSuffix("its last good version stays published") }
        #expect(kept.map(\.subject) == ["envoy-resource/2"])
    }

    @Test func `a last good version that does not hold any more goes`() {
        let good = Self.translation([Self.routes("r", action: #"{"cluster": "c"}"#), Self.cluster("c")])
        let bad = Self.translation([Self.routes("r", action: #"{"cluster": "nowhere"}"#)], after: good)
        #expect(Self.names(bad) == [])
        #expect(bad.diagnostics.map(\.code) == ["SB212"])
    }

    @Test func `an unchanged resource whose reference is gone goes, too`() {
        let routes = Self.routes("r", action: #"{"cluster": "c"}"#)
        let good = Self.translation([routes, Self.cluster("c")])
        let bad = Self.translation([routes], after: good)
        #expect(Self.names(bad) == [])
        #expect(bad.diagnostics.first?.message.hasSuffix("it is held back") == true)
    }

    @Test func `a cluster that a raw resource names is there from the start`() {
        var sample = Sample(gateways: [gateway("edge", clusters: .onDemand)], routes: [route("web")])
        sample.raw = [Self.routes("r", action: #"{"cluster": "web"}"#)]
        #expect(!sample.translated().resources.map(\.isOnDemand).contains(true))
    }

    @Test func `what is translated names nothing that is not there`() throws {
        for feature in Feature.all {
            let raw = try feature.sample.translated(feature.configSource).resources.map {
                let type = TypeURL($0.kind).rawValue
                return try Self.raw("\($0.kind) \($0.name)", #"{"@type": "\#(type)", "# + $0.json.dropFirst())
            }
            let again = translate(
                [
                    GatewayTopology(
                        name: GatewayName("edge"),
                        proxies: ProxySelector(),
                        listeners: [],
                        targets: [:],
                        rawResources: raw,
                        origin: Origin(file: "edge.yaml")
                    )
                ]
            )
            #expect(again.diagnostics == [], "\(feature.name)")
            #expect(again.resources.count == raw.count)
        }
    }
}
