// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import TestSupport
import Testing

@testable import ServicePolicy

/// Entries and rules of all kinds, good, bad and in circles.
@Suite(.longComputation)
struct EntryPropertyTests {
    @Test(arguments: 0..<8)
    func `whatever the entries say, every request has somewhere to go, and the same always`(seed: Int) {
        var random = Random(seed: UInt64(seed))
        for _ in 0..<150 {
            let sample = ChainSample(
                rules: (0...random.below(3)).map { _ in random.rule() },
                datacenters: random.pick([[], ["dc1"], ["dc1", "dc2"]]),
                random.entries()
            )
            let applied = sample.applied
            #expect(applied == sample.applied)
            let before = sample.policy.routes[RouteName("shop")]?.rules ?? []
            let after = applied.policy.routes[RouteName("shop")]?.rules ?? []
            #expect(before.count == after.count)
            for (old, new) in zip(before, after) {
                #expect(old.matches == new.matches)
                Self.check(new.action, against: old.action)
                for refinement in new.refinements {
                    #expect(new.matches.indices.contains(refinement.matchIndex))
                    Self.check(refinement.action, against: old.action)
                }
            }
            for (id, others) in applied.policy.failovers { #expect(!others.contains(id)) }
            for diagnostic in applied.diagnostics + sample.read.diagnostics {
                #expect(diagnostic.code.hasPrefix("SB33") && !diagnostic.message.contains("\n"))
            }
            let (topology, _) = compile(catalog: random.catalog(), policy: applied.policy)
            let gateway = topology.gateways[GatewayName("edge")]
            for entry in gateway?.listeners.flatMap(\.virtualHosts).flatMap(\.entries) ?? [] {
                guard case .forward(let forward) = entry.action else { continue }
                for backend in forward.backends { #expect(gateway?.targets[backend.target] != nil) }
            }
            var without = sample
            without.entries = []
            #expect(without.applied.policy == sample.policy)
        }
    }

    /// The weights of what a rule leads to are of the same proportions, and those of Envoy.
    private static func check(_ action: Route.Action, against old: Route.Action) {
        guard case .forward(let forward) = action, case .forward(let before) = old else {
            #expect(action == old)
            return
        }
        #expect(!forward.backends.isEmpty)
        #expect(forward.backends.allSatisfy { Route.Backend.weightRange.contains($0.weight) })
        #expect(forward.backends.reduce(0) { $0 + $1.weight } <= Int(UInt32.max))
        #expect(forward.backends.contains { $0.weight > 0 } == before.backends.contains { $0.weight > 0 })
        if case .replacePrefixText("") = forward.rewrite?.path { Issue.record("Envoy reads an empty rewrite as none") }
    }

    @Test func `bytes of all kinds never crash the reader`() {
        var random = Random(seed: 99)
        let words = Array("{}[]\",:\\ \u{0}0123456789.eE-+truefalsn")
        for round in 0..<4000 {
            var json = random.pick(EntryFixtures.all).json
            for _ in 0...random.below(6) {
                let index = random.below(json.count)
                switch random.below(3) {
                case 0: json.remove(at: index)
                case 1: json[index] = words[random.below(words.count)].utf8.first ?? 0
                default: json.removeSubrange(index..<min(json.count, index + random.below(40)))
                }
                if json.isEmpty { json = [0xFF] }
            }
            let key = random.pick(EntryFixtures.all).key
            var reader = ConfigEntryReader()
            _ = reader.apply([ConfigEntry(key: key, json: json, origin: Origin(file: "\(round)"))])
            let isRefused = reader.diagnostics.contains { $0.code == "SB330" }
            #expect((reader.entries == ConfigEntries()) == isRefused)
        }
    }
}

extension EntryFixtures {
    static let all = [proxyDefaults, meshDefaults, defaults, resolver, redirect, splitter, router]
}

private struct Random {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func below(_ bound: Int) -> Int {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(bound))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[self.below(elements.count)] }

    private mutating func some(_ count: Int, _ make: (inout Random) -> String) -> String {
        (0..<self.below(count)).map { _ in make(&self) }.joined(separator: ",")
    }

    private mutating func reference(_ datacenters: Bool = false) -> String {
        let service = self.pick([nil, "web", "api", "a", "gone"]).map { "\"Service\": \"\($0)\"" }
        let subset = self.pick([nil, nil, "v1", "v2", "none"]).map { "\"ServiceSubset\": \"\($0)\"" }
        let datacenter = datacenters ? self.pick([nil, "dc1", "dc2"]).map { "\"Datacenter\": \"\($0)\"" } : nil
        return [service, subset, datacenter].compactMap { $0 }.joined(separator: ", ")
    }

    mutating func entries() -> [ConfigEntry] {
        var entries: [ConfigEntry] = []
        for service in ["web", "api", "a"] {
            if self.below(2) == 0 { entries.append(entry("service-resolver", service, self.resolver())) }
            if self.below(2) == 0 { entries.append(entry("service-splitter", service, self.splitter())) }
            if self.below(2) == 0 { entries.append(entry("service-router", service, self.router())) }
        }
        if self.below(3) == 0 { entries.append(EntryFixtures.proxyDefaults) }
        return entries
    }

    private mutating func resolver() -> String {
        var fields = [
            #""Subsets": {"v1": {"Filter": "Service.Meta.version == v1"}, "v2": {"Filter": "not v1 in Service.Tags"}}"#
        ]
        if self.below(3) == 0 { fields.append("\"DefaultSubset\": \"\(self.pick(["v1", "v2", "none"]))\"") }
        if self.below(3) == 0 { fields.append("\"Redirect\": {\(self.reference(true))}") }
        if self.below(2) == 0 {
            let datacenters = self.pick(["", #", "Datacenters": ["dc2", "dc1"]"#])
            let own = self.reference()
            let failover = own.isEmpty ? String(datacenters.dropFirst(2)) : own + datacenters
            fields.append("\"Failover\": {\"\(self.pick(["*", "v1"]))\": {\(failover)}}")
        }
        if self.below(3) == 0 { fields.append(#""RequestTimeout": "3s", "LoadBalancer": {"Policy": "maglev"}"#) }
        return "{\(fields.joined(separator: ", "))}"
    }

    private mutating func splitter() -> String {
        let splits = self.some(4) { random in
            let weight = random.pick(["50", "33.33", "0.01", "100", "0"])
            let reference = random.reference()
            return "{\"Weight\": \(weight)\(reference.isEmpty ? "" : ", " + reference)}"
        }
        return "{\"Splits\": [\(splits)]}"
    }

    private mutating func router() -> String {
        let routes = self.some(5) { random in
            let path = random.pick([
                nil, #""PathExact": "/a""#, #""PathPrefix": "/""#, #""PathPrefix": "/a/""#, #""PathPrefix": "/a/b""#,
                #""PathRegex": "/a.*""#, #""PathRegex": "(""#,
            ])
            let methods = random.pick([nil, #""Methods": ["GET", "PUT"]"#])
            let header = random.pick([nil, #""Header": [{"Name": "x", "Prefix": "y", "Invert": true}]"#])
            let match = [path, methods, header].compactMap { $0 }.joined(separator: ", ")
            let rewrite = random.pick([nil, nil, #""PrefixRewrite": "/x""#, #""PrefixRewrite": "/""#])
            let destination = ([random.reference(), rewrite ?? ""]).filter { !$0.isEmpty }.joined(separator: ", ")
            return "{\"Match\": {\"HTTP\": {\(match)}}, \"Destination\": {\(destination)}}"
        }
        return "{\"Routes\": [\(routes)]}"
    }

    mutating func rule() -> Route.Rule {
        let paths: [Match.PathMatch] = [
            .prefix("/"), .prefix("/a"), .exact("/a"), .regularExpression("/a.*"), .textPrefix("/a/"),
        ]
        let matches = (0..<self.below(3)).map { _ in
            Match(path: self.pick(paths), method: self.pick([nil, nil, "GET"]))
        }
        if self.below(12) == 0 {
            return Route.Rule(matches: matches, action: .redirect(Redirect(scheme: "https")), origin: Origin(file: "r"))
        }
        let backends = (0...self.pick([0, 0, 1, 2])).map { _ in
            Route.Backend(
                service: ServiceName(self.pick(["web", "api", "a", "b"])),
                subset: self.pick([.all, .all, .all, Subset(tags: ["t"])]),
                weight: self.pick([1, 1, 0, 7, 1_000_000]),
                origin: Origin(file: "r")
            )
        }
        let rewrite = self.pick([nil, nil, PathRewrite.replacePrefixMatch("/"), .replaceFullPath("/a/b")])
        return Route.Rule(
            matches: matches,
            action: .forward(Route.Forward(backends: backends, rewrite: rewrite.map { Rewrite(path: $0) })),
            origin: Origin(file: "r")
        )
    }

    mutating func catalog() -> Catalog {
        Catalog(
            ["web", "api", "a", "b"].map { name in
                chainService(
                    name,
                    (0..<self.below(4)).map { number in
                        chainInstance(
                            "\(name)-\(number)",
                            port: UInt16(1000 + number),
                            meta: ["version": self.pick(["v1", "v2"])],
                            datacenter: self.pick(["", "dc1", "dc2"])
                        )
                    }
                )
            }
        )
    }
}
