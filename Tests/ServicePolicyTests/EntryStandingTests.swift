// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// Entries that do not fit together: of those that fit in Consul, some came later or cannot be read.
struct EntryStandingTests {
    private static func resolver(_ subsets: [String], of service: String = "web", _ more: String = "") -> ConfigEntry {
        let fields = subsets.map { #""\#($0)": {"Filter": "Service.Meta.version == \#($0)"}"# }
        return entry(
            "service-resolver",
            service,
            #"{"Subsets": {\#(fields.joined(separator: ", "))}\#(more)}"#
        )
    }

    private static func splitter(_ parts: (weight: Int, reference: String)...) -> ConfigEntry {
        let splits = parts.map { #"{"Weight": \#($0.weight), \#($0.reference)}"# }
        return entry("service-splitter", "web", #"{"Splits": [\#(splits.joined(separator: ", "))]}"#)
    }

    private static func subset(_ name: String) -> String { #""ServiceSubset": "\#(name)""# }

    private static func service(_ name: String) -> String { #""Service": "\#(name)""# }

    private static let web = TargetID(service: ServiceName("web"))

    @Test func `a split stays while the resolver is ahead of the splitter, and goes on when that has come`() {
        let old = Self.splitter((90, Self.subset("v1")), (10, Self.subset("v2")))
        var sample = ChainSample([Self.resolver(["v1", "v2"]), old])
        let before = sample.lines
        #expect(before == ["-> web[version=v1]@90, web[version=v2]@10"])

        for _ in 0..<2 {
            sample.change(to: [Self.resolver(["v2", "v3"]), old])
            #expect(sample.lines == before)
            #expect(sample.applied.diagnostics.findings == ["error SB334 service-resolver/web"])
            #expect(sample.applied.diagnostics[0].message.contains("service 'web' go where they went when the entries"))
        }
        sample.change(to: [
            Self.resolver(["v2", "v3"]), Self.splitter((50, Self.subset("v2")), (50, Self.subset("v3"))),
        ])
        #expect(sample.lines == ["-> web[version=v2]@50, web[version=v3]@50"])
        #expect(sample.applied.diagnostics == [])
        sample.change(to: [Self.resolver(["v2", "v3"])])
        #expect(sample.lines == ["-> web"], "a splitter that is deleted is no more")
    }

    @Test func `what stands in stays with the split`() {
        let failover = #", "Failover": {"v1": {"Service": "backup"}}"#
        let old = Self.splitter((90, Self.subset("v1")), (10, Self.service("other")))
        var sample = ChainSample([Self.resolver(["v1"], failover), old])
        sample.change(to: [Self.resolver(["v2"]), old])
        let v1 = TargetID(service: ServiceName("web"), subset: Subset(meta: ["version": "v1"]))
        #expect(sample.applied.policy.failovers[v1]?.map(\.line) == ["backup"])
        #expect(sample.lines == ["-> web[version=v1]@90, other@10"])
        #expect(
            sample.applied.missing(in: Catalog([])).map(\.origin.file) == [
                "consul:config/service-resolver/web", "consul:config/service-splitter/web",
                "consul:config/service-splitter/web",
            ]
        )
    }

    @Test func `a route of a router keeps its subset`() {
        let router = entry(
            "service-router",
            "web",
            #"{"Routes": [{"Match": {"HTTP": {"PathExact": "/a"}}, "Destination": {"ServiceSubset": "v1"}}]}"#
        )
        var sample = ChainSample([Self.resolver(["v1"]), router])
        let before = sample.lines
        #expect(before == ["=/a -> web[version=v1]", "-> web"])
        sample.change(to: [Self.resolver(["v2"]), router])
        #expect(sample.lines == before)
        #expect(sample.applied.diagnostics.findings == ["error SB334 service-resolver/web"])
        sample.standing = ChainStanding()
        #expect(sample.lines == ["-> web"])
    }

    @Test func `without anything to go back to a split that leads nowhere costs its own part`() {
        let sample = ChainSample([
            Self.splitter(
                (60, Self.service("web-a")),
                (20, Self.service("web-b") + ", " + Self.subset("v1")),
                (20, Self.service("web-c"))
            )
        ])
        #expect(sample.lines == ["-> web-a@75, web-c@25"])
        #expect(sample.applied.diagnostics.findings == ["error SB334 service-resolver/web-b"])
        #expect(sample.applied.diagnostics[0].message.contains("goes to the other splits of service-splitter/web"))
        #expect(sample.applied.missing(in: Catalog([])).count == 2, "nothing goes to web-b")
        #expect(sample.applied.standing == ChainStanding(), "it is no good version")
    }

    @Test func `a part of a splitter in a splitter is lost alone, too`() {
        let inner = entry(
            "service-splitter",
            "api",
            #"{"Splits": [{"Weight": 50, "Service": "a"}, {"Weight": 50, "ServiceSubset": "none"}]}"#
        )
        let sample = ChainSample([Self.splitter((50, Self.service("api")), (50, Self.service("b"))), inner])
        #expect(sample.lines == ["-> a@50, b@50"])
        #expect(sample.applied.diagnostics.map(\.code) == ["SB334"])
    }

    @Test func `requests do not go to what has no weight`() {
        let sample = ChainSample([Self.splitter((100, Self.subset("none")), (0, Self.service("other")))])
        #expect(sample.lines == ["-> web"])
        #expect(sample.applied.diagnostics.map(\.code) == ["SB334"])
    }

    @Test func `who stood in stays while one of them cannot be followed`() {
        let resolver = entry(
            "service-resolver",
            "web",
            #"{"Failover": {"*": {"Targets": [{"Service": "backup", "ServiceSubset": "v1"}, {"Service": "other"}]}}}"#
        )
        var sample = ChainSample([resolver, Self.resolver(["v1"], of: "backup")])
        sample.change(to: [resolver])
        for _ in 0..<2 {
            #expect(sample.applied.policy.failovers[Self.web]?.map(\.line) == ["backup[version=v1]", "other"])
            #expect(sample.applied.diagnostics.findings == ["error SB334 service-resolver/backup"])
            sample.change(to: [resolver])
        }
        sample.standing = ChainStanding()
        for _ in 0..<2 {
            #expect(sample.applied.policy.failovers[Self.web]?.map(\.line) == ["other"])
            sample.change(to: [resolver])
        }
        sample.change(to: [resolver, Self.resolver(["v1"], of: "backup")])
        #expect(sample.applied.policy.failovers[Self.web]?.map(\.line) == ["backup[version=v1]", "other"])
        #expect(sample.applied.diagnostics == [])
    }

    @Test func `what nothing leads to any more is forgotten`() {
        var sample = ChainSample([Self.resolver(["v1"]), Self.splitter((100, Self.subset("v1")))])
        let policy = sample.policy
        sample.change(to: sample.entries)
        sample.policy.routes = [:]
        sample.change(to: [Self.splitter((100, Self.subset("v1")))])
        sample.policy = policy
        #expect(sample.lines == ["-> web"])
    }

    /// Each splitter has a thousand splits, and all lead on to the next.
    @Test func `bad splits of splitters in each other are not all followed`() {
        let splitters = (0..<16).map { level in
            let split = level == 15 ? Self.subset("none") : Self.service("s\(level + 1)")
            let splits = Array(repeating: #"{"Weight": 0.1, \#(split)}"#, count: 1000).joined(separator: ",")
            return entry("service-splitter", level == 0 ? "web" : "s\(level)", #"{"Splits": [\#(splits)]}"#)
        }
        #expect(ChainSample(splitters).lines == ["-> web"])
    }
}
