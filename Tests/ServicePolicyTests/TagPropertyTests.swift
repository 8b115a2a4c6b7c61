// SPDX-License-Identifier: Apache-2.0

import Catalog
import EnvoyTranslation
import Routing
import TestSupport
import Testing

@testable import ServicePolicy

/// Random and hostile tags.
@Suite(.timeLimit(.minutes(2)))
struct TagPropertyTests {
    private static let keys =
        SignalboxTags.RouteKey.allCases.map(\.rawValue) + SignalboxTags.SettingKey.allCases.map(\.rawValue) + [
            "weight", "header.x-a", "header.", "header.x a", "header.\n", "hots", "", ".", "route.", "route.a",
            "route..host",
            "route.a.b.host", "route.\u{202E}.host",
        ]

    private static let values = [
        "a.example.com", "b.example.com", "A.Example.com", "*.example.com", "*", "*.com", "a.example.com,b.example.com",
        "/",
        "/a", "/a/b", "/a//b", "/%00", "/%2e%2e/", "/a;b", "/{{ x }}", "%REQ(x)%", "{{env \"X\"}}", "${HOST}", "\"",
        "'",
        "a\nb", "a\r\nX: y", "\u{0}", "\u{1B}[31m", "\u{301}", "\u{1F1E9}\u{1F1EA}", "\u{202E}abc", "\u{85}", " ", ",",
        ",,", "=",
        "a=b", "x-canary=yes", "GET", "get", "GET,PUT", "5s", "0s", "24h", "25h", "1h1h1h1h1h", "-1", "0", "1", "2",
        "10", "100",
        "65535", "65536", "99999999999999999999", "1e3", "0x10", "٣", "true", "false", "yes", "http", "grpc", "random",
        "least_request", "5xx", "503", "reset,503,connect-failure", "edge", "edge/http", "edge/nope", "internal",
        "../edge",
        "https", "https://a.example.com", "https://a.example.com:443/x", "https://@b", "https://[::1]/",
        "javascript:alert(1)",
        "/(a|b)+", "(a{1000}){1000}", "[", "(?=a)", "\\C", "127.0.0.1", "169.254.169.254", "localhost", "::1",
        "a.example.com.",
        ".example.com", "a..b", "-a.com", "xn--80ak6aa92e.com", String(repeating: "a", count: 64),
        String(repeating: "a.", count: 126) + "com", String(repeating: "a", count: 65_536),
        String(repeating: "a,", count: 2_000), String(repeating: "/a", count: 500),
        String(repeating: "(", count: 2_000),
        String(repeating: "\u{301}", count: 1_500), String(repeating: " ", count: 4_000),
    ]

    private static let prefixes = [
        "signalbox.", "signalbox.", "signalbox.", "signalbox.route.a.", "signalbox.route.b.", "Signalbox.",
        "signlabox.", "weight:", "x",
    ]

    /// What goes together.
    private static let good = [
        "host=a.example.com", "host=b.example.com", "host=*.example.com,c.example.com", "path=/a", "path=/a/b/",
        "path.exact=/x",
        "path.regex=/(a|b)+", "method=GET,PUT", "strip=/a", "rewrite=/{{x}}", "rewrite=/%REQ(x)%;'", "timeout=5s",
        "retries=2",
        "retry-on=503,reset", "gateway=internal,edge", "gateway=edge/http", "header.x-a=%\"'{{", "header.x-b=*",
        "redirect=https://a.example.com/%00", "canary.weight=10", "canary.header=x-canary=a;b", "protocol=grpc",
        "lb=maglev",
        "weight=7",
    ]

    private static func tag(_ random: inout SeededGenerator) -> String {
        func any(_ list: [String]) -> String { list.randomElement(using: &random) ?? "" }
        if Int.random(in: 0..<3, using: &random) > 0 {
            return any(["signalbox.", "signalbox.route.a.", "signalbox.route.b."]) + any(Self.good)
        }
        var tag =
            any(Self.prefixes) + any(Self.keys) + (Int.random(in: 0..<20, using: &random) == 0 ? "" : "=")
            + any(Self.values)
        if Int.random(in: 0..<10, using: &random) == 0 {
            var bytes = Array(tag.utf8)
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            tag = String(decoding: bytes, as: UTF8.self)
        }
        return tag
    }

    private static func service(_ random: inout SeededGenerator) -> Service {
        let name = ["web", "api", "shop", "a b", "x\u{1B}"].randomElement(using: &random) ?? "web"
        func tags() -> [String] {
            (0..<Int.random(in: 0...8, using: &random)).map { _ in Self.tag(&random) }
        }
        let good = Bool.random(using: &random) ? ["signalbox.host=a.example.com"] : []
        let lasting = (0..<Int.random(in: 0...3, using: &random)).map { _ in good + tags() }
        let canaries = (0..<Int.random(in: 0...2, using: &random)).map { _ in tags() }
        let all = lasting + canaries
        return Service(
            name: ServiceName(name),
            instances: all.enumerated().map { offset, tags in
                Instance(
                    id: InstanceID("\(offset)"),
                    address: "10.0.0.\(offset + 1)",
                    port: 80,
                    tags: Set(tags),
                    allocation: offset < lasting.count
                        ? nil : Allocation(id: "\(offset)", job: "j", jobVersion: 1, group: "g", isCanary: true),
                    origin: Origin(file: "consul")
                )
            },
            origin: Origin(file: "consul")
        )
    }

    private static func check(_ policy: TagPolicy) {
        for (name, route) in policy.routes {
            #expect(name == route.name && !route.gateways.isEmpty && !route.rules.isEmpty)
            for host in route.hostnames {
                let rest = host.hasPrefix("*.") ? host.dropFirst(2) : host[...]
                #expect(TextSyntax.isHostname(rest) && host == host.lowercased(), "\(host.excerpt)")
                #expect(HostOwnership().verdict(on: host, for: ServiceName("x")) == .permitted)
            }
            #expect(!route.hostnames.isEmpty, "nobody may have every host")
            for rule in route.rules {
                for match in rule.matches {
                    switch match.path {
                    case .prefix(let path), .exact(let path), .textPrefix(let path): #expect(TextSyntax.isPath(path))
                    case .regularExpression(let pattern): #expect(RegularExpression.refusal(of: pattern) == nil)
                    }
                    for case .exact(let value) in match.headers.map(\.value) {
                        #expect(!TextSyntax.hasControlCharacters(value))
                    }
                }
                guard case .forward(let forward) = rule.action else { continue }
                #expect(forward.backends.contains { $0.weight > 0 })
                switch forward.rewrite?.path {
                case .replaceFullPath(let path), .replacePrefixMatch(let path), .replacePrefixText(let path):
                    #expect(TextSyntax.isPath(path))
                case nil: break
                }
            }
        }
        for diagnostic in policy.diagnostics {
            let text = diagnostic.description
            #expect(text.utf8.count < 2_000, "\(text.utf8.count)")
            #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
        #expect(policy.diagnostics.count < 5 * (ServiceTags.maximumFaults + 20))
    }

    @Test(arguments: 0..<40)
    func `whatever tags say, what comes of them is sound`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let routing = TaggedCatalog(try tagOptions())
        var routes = 0
        for _ in 0..<25 {
            let services = (0..<3).map { _ in Self.service(&random) }
            let before = routing.standing
            routing.replace(by: services)
            _ = routing.decide(with: tagBase())
            Self.check(routing.policy)
            routes += routing.policy.routes.count

            // The same from scratch, and in whatever order: what is decided depends on nothing that is not said.
            let reader = TagReader(try tagOptions())
            let all = Dictionary(
                Catalog(services).services.map { ($0.key, reader.read($0.value)) },
                uniquingKeysWith: { first, _ in first }
            )
            let context = TagContext(
                policy: tagBase(),
                entries: ConfigEntries(),
                named: [],
                options: try tagOptions()
            )
            let prepared = all.mapValues { TagPreparation.prepared($0, in: context, previous: before[$0.service]) }
            let again = mergeTags(prepared, policy: tagBase())
            #expect(again.routes == routing.policy.routes)
            #expect(again.diagnostics == routing.policy.diagnostics)

            let catalog = Catalog(services.map(routing.weighted))
            let admitted = admit(
                candidate: routing.policy.added(to: tagBase()),
                catalog: catalog,
                previous: nil
            )
            #expect(admitted.diagnostics == [])
            for gateway in compile(catalog: admitted.catalog, policy: admitted.policy).topology.gateways.values {
                let translation = translate([gateway])
                #expect(translation.diagnostics == [])
            }
        }
        #expect(routes > 10, "all that is random is refused")
    }

    @Test(arguments: 0..<200)
    func `one bad tag costs its own route and no other`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) &+ 1_000)
        let others = [
            "signalbox.route.x.host=x.example.com", "signalbox.route.x.path=/x", "signalbox.route.y.host=y.example.com",
        ]
        let value = Self.values.randomElement(using: &random) ?? ""
        let key = Self.keys.randomElement(using: &random) ?? ""
        let routing = TaggedCatalog(try tagOptions())
        let policy = routing.decided(tagged("web", others + ["signalbox.route.z.\(key)=\(value)"]))
        let expected = ["x: x.example.com/x/* -> web", "y: y.example.com/* -> web"]
        #expect(policy.effects.filter { $0.hasPrefix("x:") || $0.hasPrefix("y:") }.sorted() == expected)
        Self.check(policy)
    }

    @Test func `many large tags are read in bounded time`() throws {
        let tags = (0..<512).map {
            "signalbox.route.r\($0 % 64).path.regex=" + String(repeating: "(a|b)", count: 200) + "\($0)"
        }
        let large = (0..<512).map { "signalbox.header.x\($0)=" + String(repeating: "é", count: 30_000) }
        let routing = TaggedCatalog(try tagOptions())
        let clock = ContinuousClock()
        let time = clock.measure {
            Self.check(routing.decided(tagged("a", tags, tags, tags), tagged("b", large)))
        }
        #expect(time < .seconds(10), "\(time)")
        #expect(routing.policy.codes.contains("SB328"))
    }
}
