// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyAPI
import EnvoyTranslation
import Routing
import SwiftProtobuf
import Testing
import XDSProtocol

struct RawResourceTests {
    private static let types = "type.googleapis.com/envoy.config"
    private static let envoy = "type.googleapis.com/envoy"

    @Test(arguments: [
        (#"{"@type": "\#(types).cluster.v3.Cluster", "name": "raw"}"#, "cluster raw"),
        (#"{"@type": "\#(types).endpoint.v3.ClusterLoadAssignment", "clusterName": "raw"}"#, "endpoints raw"),
        (#"{"@type": "\#(types).listener.v3.Listener", "name": "raw"}"#, "listener raw"),
        (#"{"@type": "\#(types).route.v3.RouteConfiguration", "name": "raw"}"#, "routeConfiguration raw"),
        (#"{"@type": "\#(types).route.v3.VirtualHost", "name": "r/raw", "domains": ["raw"]}"#, "virtualHost r/raw"),
        (
            #"{"@type": "\#(types).route.v3.ScopedRouteConfiguration", "name": "raw"}"#,
            "scopedRouteConfiguration raw"
        ),
        (#"{"@type": "\#(envoy).extensions.transport_sockets.tls.v3.Secret", "name": "raw"}"#, "secret raw"),
        (#"{"@type": "\#(envoy).service.runtime.v3.Runtime", "name": "raw", "layer": {"a": 1}}"#, "runtime raw"),
        (#"{"@type": "\#(types).core.v3.TypedExtensionConfig", "name": "raw"}"#, "extensionConfig raw"),
    ])
    func `a resource of a known type is passed on`(json: String, resource: String) {
        let (resources, diagnostics) = self.translated([json])
        #expect(
            resources.map { "\($0.kind) \($0.name) \($0.origins.map(\.description).joined(separator: " "))" } == [
                "\(resource) raw.yaml:4"
            ]
        )
        #expect(diagnostics == [])
    }

    @Test func `its fields arrive, in either spelling, and so does what is packed inside`() throws {
        let (resources, diagnostics) = self.translated([
            #"""
            {"@type": "\#(Self.types).listener.v3.Listener", "name": "raw", "stat_prefix": "s", "filterChains": [
              {"filters": [{"name": "tcp", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "t", "cluster": "signalbox/xds"}}]}]}
            """#
        ])
        #expect(diagnostics == [])
        let listener = try #require(resources.first?.message as? Envoy_Config_Listener_V3_Listener)
        #expect(listener.statPrefix == "s")
        let packed = try #require(listener.filterChains.first?.filters.first?.typedConfig)
        let proxy = try Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy(unpackingAny: packed)
        #expect(proxy.cluster == controlPlaneClusterName)
    }

    @Test(arguments: [
        (#"{"@type": "\#(types).cluster.v3.Cluster", "name": "raw", "nonsense": 1}"#, "nonsense"),
        (#"{"@type": "\#(types).cluster.v3.Cluster", "name": 1}"#, ""),
        (#"{"@type": "\#(types).cluster.v3.Cluster"}"#, "no name"),
        (#"{"name": "raw"}"#, "@type"),
        (#"{"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}"#, "Struct"),
        (#"{"@type": "\#(types).nothing.v3.Nothing", "name": "raw"}"#, "Nothing"),
        (#"{"@type""#, ""),
        (
            #"""
            {"@type": "\#(types).listener.v3.Listener", "name": "raw", "listenerFilters": [
              {"name": "f", "typedConfig": {"@type": "type.googleapis.com/envoy.Unknown"}}]}
            """#, ""
        ),
    ])
    func `what cannot be read is left out, with a diagnostic`(json: String, reason: String) {
        let (resources, diagnostics) = self.translated([json])
        #expect(resources.isEmpty)
        #expect(diagnostics.map(\.code) == ["SB208"])
        #expect(diagnostics.map(\.origin.description) == ["raw.yaml:4"])
        #expect(diagnostics.first?.message.contains(reason) == true || reason.isEmpty)
    }

    @Test func `an extension whose type is not known here is passed on as a TypedStruct`() throws {
        let (resources, diagnostics) = self.translated([
            #"""
            {"@type": "\#(Self.types).core.v3.TypedExtensionConfig", "name": "cors", "typedConfig": {
              "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
              "typeUrl": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors", "value": {}}}
            """#
        ])
        #expect(diagnostics == [])
        let config = try #require(resources.first?.message as? Envoy_Config_Core_V3_TypedExtensionConfig)
        let typed = try Xds_Type_V3_TypedStruct(unpackingAny: config.typedConfig)
        #expect(typed.typeURL.hasSuffix("v3.Cors"))
    }

    @Test func `every kind has a type of its own`() {
        let types = TranslatedResource.Kind.allCases.map { TypeURL($0) }
        #expect(Set(types) == Set(TypeURL.known))
        #expect(types.count == TypeURL.known.count)
    }

    @Test func `a time to live goes along`() {
        var sample = Sample(gateways: [gateway("edge", listeners: [])])
        sample.raw = [Self.raw("raw", #"{"@type": "\#(Self.types).cluster.v3.Cluster", "name": "raw"}"#)]
        sample.raw[0].timeToLive = .seconds(5)
        let resources = sample.translated().resources
        #expect(resources.map(\.timeToLive) == [.seconds(5)])
        #expect(resources.map(\.encoded.timeToLive) == [.seconds(5)])
    }

    @Test func `it takes no name that another resource has`() {
        var sample = Sample(routes: [route("web")])
        sample.raw = [Self.raw("a", #"{"@type": "\#(Self.types).cluster.v3.Cluster", "name": "web"}"#)]
        let (resources, diagnostics) = sample.translated()
        #expect(diagnostics.map(\.code) == ["SB208"])
        let clusters = resources.filter { $0.kind == .cluster }
        #expect(clusters.map { ($0.message as? Envoy_Config_Cluster_V3_Cluster)?.type } == [.eds])
    }

    private func translated(_ json: [String]) -> (resources: [TranslatedResource], diagnostics: [Diagnostic]) {
        let sample = Sample(gateways: [gateway("edge", listeners: [])], raw: json.map { Self.raw("raw", $0) })
        return sample.translated()
    }

    private static func raw(_ name: String, _ json: String) -> RawResource {
        RawResource(
            name: name,
            gateways: [GatewayName("edge")],
            json: json,
            origin: Origin(file: "raw.yaml", line: 4)
        )
    }
}
