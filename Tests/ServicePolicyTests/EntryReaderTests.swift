// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

struct EntryReaderTests {
    private static func reader(_ entries: ConfigEntry...) -> ConfigEntryReader {
        var reader = ConfigEntryReader()
        _ = reader.apply(entries)
        return reader
    }

    @Test func `what Consul answers is read`() throws {
        let reader = Self.reader(
            EntryFixtures.proxyDefaults,
            EntryFixtures.defaults,
            EntryFixtures.resolver,
            EntryFixtures.redirect,
            EntryFixtures.splitter,
            EntryFixtures.router
        )
        #expect(reader.diagnostics.findings == ["note SB331 proxy-defaults/global"])
        let entries = reader.entries
        let web = ServiceName("web")
        #expect(entries.proxyDefaults?.protocol == .http)
        #expect(entries.serviceDefaults[web]?.protocol == .http)

        let resolver = try #require(entries.resolvers[web])
        #expect(resolver.defaultSubset == "v1")
        #expect(
            resolver.subsets == [
                "v1": Subset(meta: ["version": "v1"]), "v2": Subset(meta: ["version": "v2"], onlyPassing: true),
            ]
        )
        #expect(resolver.failover["*"] == [ServiceReference(service: ServiceName("backup"))])
        #expect(
            resolver.failover["v2"] == [
                ServiceReference(service: ServiceName("other"), datacenter: "dc2"),
                ServiceReference(service: ServiceName("other"), datacenter: "dc3"),
            ]
        )
        #expect(resolver.connectTimeout == .seconds(15))
        #expect(
            entries.resolvers[ServiceName("moved")]?.redirect
                == ServiceReference(service: web, subset: "v2", datacenter: "dc2")
        )

        #expect(entries.splitters[web]?.splits.map(\.weight) == [9000, 999, 1])
        #expect(entries.splitters[web]?.splits.map(\.destination.subset) == ["v1", "v2", nil])

        let routes = try #require(entries.routers[web]?.routes)
        #expect(routes.map(\.path) == [.prefix("/admin"), .exact("/exact"), .regularExpression("/v[0-9]+/x")])
        #expect(routes[0].methods == ["GET", "PUT"])
        #expect(
            routes[0].headers == [
                .init(name: "x-debug", value: .exact("1")), .init(name: "x-p", value: .prefix("a"), isInverted: true),
                .init(name: "x-s", value: .suffix("b")), .init(name: "x-r", value: .regularExpression("[a-z]+")),
                .init(name: "x-there", value: .present),
            ]
        )
        #expect(
            routes[0].queryParameters == [
                .init(name: "q", value: .exact("1")), .init(name: "r", value: .regularExpression("[0-9]+")),
                .init(name: "t", value: .present),
            ]
        )
        #expect(routes[0].destination == ServiceReference(service: ServiceName("admin")))
        #expect(routes[0].prefixRewrite == "/")
        #expect(routes[0].timeout == .seconds(5))
        #expect(routes[0].retry == Retry(attempts: 3, codes: [502, 503], retryOn: ["connect-failure"]))
    }

    @Test func `fields for the mesh are named once for each entry`() {
        let reader = Self.reader(EntryFixtures.meshDefaults)
        #expect(reader.diagnostics.findings == ["note SB331 service-defaults/sni"])
        #expect(reader.diagnostics[0].message.contains("ExternalSNI, MeshGateway"))
        #expect(reader.entries.serviceDefaults[ServiceName("sni")]?.protocol == .http, "the rest is honoured")
    }

    @Test(arguments: [
        ("service-defaults", #"{"Protocol": 7}"#, "Protocol"),
        ("service-defaults", #"{"Protocol": "smtp"}"#, "Protocol"),
        ("service-defaults", #"{"UpstreamConfig": {"Defaults": {"ConnectTimeoutMs": -1}}}"#, "ConnectTimeoutMs"),
        ("service-defaults", #"{"Namespace": "other"}"#, "Namespace"),
        ("service-resolver", #"{"Subsets": []}"#, "Subsets"),
        ("service-resolver", #"{"Subsets": {"v1": {"Filter": "nonsense"}}}"#, "Subsets[v1].Filter"),
        ("service-resolver", #"{"Subsets": {"v1": {"Filter": "Service.ID matches \"(\""}}}"#, "Subsets[v1].Filter"),
        ("service-resolver", #"{"Redirect": {"Service": "a b"}}"#, "Redirect.Service"),
        ("service-resolver", #"{"Redirect": {"Service": "a", "Peer": "p"}}"#, "Redirect.Peer"),
        ("service-resolver", #"{"Redirect": {"Service": "signalbox/xds"}}"#, "Redirect.Service"),
        ("service-resolver", #"{"Failover": {"*": {"Service": "signalbox/xds"}}}"#, "Failover[*].Service"),
        (
            "service-resolver", #"{"Failover": {"*": {"Targets": [{"Service": "signalbox/xds"}]}}}"#,
            "Failover[*].Targets[0].Service"
        ),
        ("service-resolver", #"{"ConnectTimeout": "5 s"}"#, "ConnectTimeout"),
        ("service-resolver", #"{"ConnectTimeout": "9999h"}"#, "ConnectTimeout"),
        ("service-resolver", #"{"LoadBalancer": {"Policy": "magic"}}"#, "LoadBalancer.Policy"),
        ("service-splitter", #"{"Splits": [{"Weight": 101}]}"#, "Splits[0].Weight"),
        ("service-splitter", #"{"Splits": [{"ServiceSubset": "v1"}]}"#, "Splits"),
        ("service-splitter", #"{"Splits": [{"Weight": 100, "Service": "signalbox/xds"}]}"#, "Splits[0].Service"),
        ("service-router", #"{"Routes": {}, "Kind": []}"#, ""),
        ("service-router", #"{"Routes": 1}"#, "Routes"),
        ("service-router", #"[1]"#, "no object"),
        ("service-router", #"{"Routes": ["#, "no JSON"),
        ("service-intentions", #"{}"#, "Kind"),
    ])
    func `an entry that cannot be read is left out, with the field that is at fault`(
        kind: String,
        json: String,
        field: String
    ) throws {
        let reader = Self.reader(entry(kind, "web", json))
        if field.isEmpty { return }
        #expect(reader.entries == ConfigEntries())
        #expect(reader.diagnostics.findings == ["error SB330 \(kind)/web"])
        let diagnostic = try #require(reader.diagnostics.first)
        #expect(diagnostic.message.contains(field))
        #expect(diagnostic.message.contains("it is left out"))
        #expect(diagnostic.origin.file == "consul:config/\(kind)/web")
    }

    @Test func `a service may have a slash in its name`() {
        let json = #"{"Redirect": {"Service": "team/web"}}"#
        let reader = Self.reader(entry("service-resolver", "web", json))
        #expect(reader.diagnostics == [])
        #expect(reader.entries.resolvers[ServiceName("web")]?.redirect?.service == ServiceName("team/web"))
    }

    @Test func `an entry that became unreadable keeps its last good version until it is deleted`() throws {
        var reader = ConfigEntryReader()
        var isChanged = reader.apply([EntryFixtures.splitter])
        #expect(isChanged)
        let good = reader.entries
        isChanged = reader.apply([entry("service-splitter", "web", "{")])
        #expect(!isChanged)
        #expect(reader.entries == good)
        #expect(reader.diagnostics[0].message.contains("its last good version stays in force"))
        isChanged = reader.apply([entry("service-splitter", "web", "[]")])
        #expect(!isChanged)
        #expect(reader.entries == good)
        isChanged = reader.apply([])
        #expect(isChanged)
        #expect(reader.entries == ConfigEntries())
        #expect(reader.diagnostics == [])
    }

    @Test(arguments: [
        (#"{"Match": {"HTTP": {"PathRegex": "("}}}"#, "Routes[0].Match.HTTP.PathRegex"),
        (
            #"{"Match": {"HTTP": {"PathPrefix": "/a", "CaseInsensitive": true}}}"#,
            "Routes[0].Match.HTTP.CaseInsensitive"
        ),
        (#"{"Match": {"HTTP": {"PathPrefix": "a"}}}"#, "Routes[0].Match.HTTP.PathPrefix"),
        (#"{"Match": {"HTTP": {"PathPrefix": "/a", "PathExact": "/a"}}}"#, "Routes[0].Match.HTTP.PathExact"),
        (#"{"Match": {"HTTP": {"Header": [{"Name": "x"}]}}}"#, "Routes[0].Match.HTTP.Header[0].Name"),
        (#"{"Match": {"HTTP": {"Header": [{"Exact": "x"}]}}}"#, "Routes[0].Match.HTTP.Header[0].Name"),
        (#"{"Match": {"HTTP": {"Methods": ["G T"]}}}"#, "Routes[0].Match.HTTP.Methods"),
        (#"{"Destination": {"PrefixRewrite": "/x"}}"#, "Routes[0].Destination.PrefixRewrite"),
        (#"{"Destination": {"Namespace": "other"}}"#, "Routes[0].Destination.Namespace"),
        (#"{"Destination": {"Service": "signalbox/xds"}}"#, "Routes[0].Destination.Service"),
        (#"{"Destination": {"RetryOn": ["magic"]}}"#, "Routes[0].Destination.RetryOn"),
        (#"{"Destination": {"RequestHeaders": {"Set": {"Host": "x"}}}}"#, "Routes[0].Destination.RequestHeaders.Set"),
    ])
    func `a route that cannot be used is left out, and the others stay`(route: String, field: String) throws {
        let json = #"{"Routes": [\#(route), {"Match": {"HTTP": {"PathExact": "/b"}}}]}"#
        let reader = Self.reader(entry("service-router", "web", json))
        #expect(reader.diagnostics.findings == ["error SB333 service-router/web"])
        #expect(reader.diagnostics[0].message.hasPrefix("\(field): "))
        #expect(reader.entries.routers[ServiceName("web")]?.routes.map(\.number) == [2])
    }

    @Test func `a router whose route became unusable keeps its last good version`() {
        func router(_ routes: String...) -> ConfigEntry {
            entry("service-router", "web", #"{"Routes": [\#(routes.joined(separator: ","))]}"#)
        }
        let admin = #"{"Match": {"HTTP": {"PathPrefix": "/admin"}}, "Destination": {"Service": "admin"}}"#
        let bad = #"{"Match": {"HTTP": {"PathPrefix": "/admin", "CaseInsensitive": true}}}"#
        let other = #"{"Match": {"HTTP": {"PathExact": "/b"}}}"#
        let web = ServiceName("web")
        var reader = Self.reader(router(admin, other))
        let good = reader.entries
        func apply(_ entries: ConfigEntry...) -> Bool { reader.apply(entries) }
        for _ in 0..<2 {
            #expect(!apply(router(bad, bad, other)))
            #expect(!apply(router(bad, other)))
            #expect(reader.entries == good)
            #expect(reader.diagnostics.findings == ["error SB333 service-router/web"])
            #expect(reader.diagnostics[0].message.contains("its last good version stays in force"))
        }
        #expect(apply(router(other)))
        #expect(reader.entries.routers[web]?.routes.map(\.number) == [1])

        reader = Self.reader(router(bad, other))
        #expect(reader.diagnostics[0].message.contains("this route is left out"))
        #expect(apply(router(bad, other, admin)), "it is no worse than before")
        #expect(reader.entries.routers[web]?.routes.map(\.number) == [2, 3])
        #expect(!apply(router(bad, bad, admin)))
        let worse = #"{"Match": {"HTTP": {"PathExact": "/b", "CaseInsensitive": true}}}"#
        #expect(!apply(router(admin, worse, admin)), "one is mended, and another one breaks")

        reader = Self.reader(router(bad, other))
        #expect(!apply(router(worse, other)), "what was never good may be edited")
        #expect(apply(router(worse, other, admin)))
        #expect(reader.entries.routers[web]?.routes.map(\.number) == [2, 3])
        #expect(apply(router(admin)))
        #expect(!apply(router(bad)))
        #expect(apply(), "deleted is deleted")
    }

    @Test(arguments: [
        ("service-router", #"{"Routes": [{"Destination": {"NumRetries": 3}}]}"#),
        ("service-router", #"{"Routes": [{"Destination": {"NumRetries": 99, "RetryOnStatusCodes": [500]}}]}"#),
        ("service-router", #"{"Routes": [{"Destination": {"RequestHeaders": {"Set": {"x": "%REQ(y)%"}}}}]}"#),
        ("service-resolver", #"{"LoadBalancer": {"Policy": "maglev", "Novelty": 1}}"#),
        ("service-splitter", #"{"Splits": [{"Weight": 50}]}"#),
        ("service-defaults", #"{"UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {"MaxFailures": 1}}}}"#),
        ("service-defaults", #"{"Novelty": 1}"#),
    ])
    func `what has no effect is said, and the rest is honoured`(kind: String, json: String) {
        let reader = Self.reader(entry(kind, "web", json))
        #expect(reader.diagnostics.findings == ["warning SB332 \(kind)/web"])
        #expect(reader.entries != ConfigEntries())
    }

    @Test func `durations are Go's, or nanoseconds`() {
        for (text, duration) in [
            ("15s", .seconds(15)), ("1m30s", .seconds(90)), ("1.5s", .milliseconds(1500)),
            ("250ms", .milliseconds(250)),
            ("1h", .seconds(3600)), ("100us", .microseconds(100)), ("0", .zero), ("0s", .zero),
        ] as [(String, Duration)] {
            #expect(GoDuration.parse(text) == duration)
        }
        for text in ["", "s", "5", "-5s", "5x", "1..5s", "1e3s", "999999999999h", String(repeating: "1s", count: 99)] {
            #expect(GoDuration.parse(text) == nil, "\(text)")
        }
        let reader = Self.reader(entry("service-resolver", "web", #"{"ConnectTimeout": 15000000000}"#))
        #expect(reader.entries.resolvers[ServiceName("web")]?.connectTimeout == .seconds(15))
    }

    @Test(
        arguments: [
            (#""-1s""#, .zero), (#""-1ns""#, .zero), (#""-1h0m0.5s""#, .zero), ("-1", .zero), (#""0s""#, nil),
            ("0", nil),
            (#""-0s""#, nil), (#""5s""#, .seconds(5)),
        ] as [(String, Duration?)]
    )
    func `a router's timeout below zero is none, and zero says nothing`(value: String, timeout: Duration?) throws {
        let destination = #"{"RequestTimeout": \#(value), "IdleTimeout": \#(value), "Service": "a"}"#
        let reader = Self.reader(entry("service-router", "web", #"{"Routes": [{"Destination": \#(destination)}]}"#))
        #expect(reader.diagnostics == [])
        let route = try #require(reader.entries.routers[ServiceName("web")]?.routes.first)
        #expect(route.timeout == timeout)
        #expect(route.idleTimeout == timeout)
    }

    @Test(arguments: [#""-""#, #""-5""#, #""--5s""#, #""-5 s""#, #""9999h""#, "-1.5"])
    func `a router's timeout that is no duration costs its route`(value: String) {
        let routes = #"{"Routes": [{"Destination": {"RequestTimeout": \#(value)}}]}"#
        #expect(Self.reader(entry("service-router", "web", routes)).diagnostics.map(\.code) == ["SB333"])
    }

    @Test func `a subset without a filter is a subset`() {
        let reader = Self.reader(entry("service-resolver", "web", #"{"DefaultSubset": "all", "Subsets": {"all": {}}}"#))
        #expect(reader.entries.resolvers[ServiceName("web")]?.subsets == ["all": .all])
    }
}

struct EntryJSONTests {
    @Test(arguments: [
        (
            #" {"a": [1, -2.5e3, true, false, null, "x\n\u00e9\ud83d\ude00\ud800"]} "#,
            JSON.object([
                "a": .array([
                    .number("1"), .number("-2.5e3"), .boolean(true), .boolean(false), .null,
                    .string("x\n\u{E9}\u{1F600}\u{FFFD}"),
                ])
            ])
        ),
        ("{}", .object([:])), ("[]", .array([])), (#"{"a":1,"a":2}"#, .object(["a": .number("2")])),
    ])
    func `JSON is read`(text: String, value: JSON) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{a:1}", "tru", "\"\u{1}\"", "\"\\x\"", "\"\\u12\"", "1 2", "nan", "1e999", "\"",
        String(repeating: "[", count: 100_000),
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }
}
