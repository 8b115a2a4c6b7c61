// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

/// Against what Consul 1.8.7 answered for these instances to `GET /v1/health/service/f?filter=`.
struct FilterTests {
    private static let instances = [
        Instance(
            id: InstanceID("a"),
            address: "10.0.0.1",
            port: 80,
            weight: Weight(5) ?? .default,
            tags: ["x", "y"],
            meta: ["version": "v1", "e": ""],
            datacenter: "dc1",
            node: "n1",
            nodeMeta: ["consul-network-segment": ""],
            origin: Origin(file: "t")
        ),
        Instance(
            id: InstanceID("b"),
            address: "10.0.0.2",
            port: 81,
            meta: ["version": "v2"],
            datacenter: "dc1",
            node: "n1",
            nodeMeta: ["consul-network-segment": ""],
            origin: Origin(file: "t")
        ),
        Instance(
            id: InstanceID("c"),
            address: "10.0.0.3",
            port: 82,
            tags: ["a.b"],
            datacenter: "dc1",
            node: "n1",
            nodeMeta: ["consul-network-segment": ""],
            origin: Origin(file: "t")
        ),
    ]

    /// Regular expressions are not the catalog's: here one matches what contains it.
    private static func selected(_ text: String) throws -> String {
        let expression = try FilterExpression.parse(text)
        return self.instances.filter { instance in
            expression?.selects(instance, of: ServiceName("f")) { $1.contains($0) } ?? true
        }.map(\.id.rawValue).joined()
    }

    @Test(arguments: [
        ("", "abc"),
        ("Service.Meta.version == v1", "a"),
        ("Service.Meta.version != v1", "bc"),
        ("Service.Meta[\"version\"] == \"v1\"", "a"),
        ("Service.Meta.version==v1", "a"),
        ("v in Service.Meta.version", "ab"),
        ("v not in Service.Meta.version", "c"),
        ("version in Service.Meta", "ab"),
        ("version not in Service.Meta", "c"),
        ("Service.Meta contains version", "ab"),
        ("Service.Meta.version contains v", "ab"),
        ("Service.Meta.version not contains v", "c"),
        ("Service.Meta is empty", "c"),
        ("Service.Meta is not empty", "ab"),
        ("Service.Meta.e == \"\"", "a"),
        ("Service.Meta.none == \"\"", ""),
        ("Service.Meta.version not matches \"v1\"", "bc"),
        ("x in Service.Tags", "a"),
        ("x not in Service.Tags", "bc"),
        ("Service.Tags contains x", "a"),
        ("Service.Tags is empty", "b"),
        ("Service.Tags is not empty", "ac"),
        ("Service.Tags contains \"x\" and Service.Meta.version == v1", "a"),
        ("not Service.Meta.version == v1", "bc"),
        ("not (Service.Meta.version == v1 or Service.Meta.version == v2)", "c"),
        ("not not Service.Meta.version == v1", "a"),
        ("Service.Port == 80", "a"),
        ("Service.Port != 80", "bc"),
        ("Service.Port == \"80\"", "a"),
        ("Service.Port == -1", ""),
        ("Service.Weights.Passing == 5", "a"),
        ("Service.Weights.Passing != 5", "bc"),
        ("Service.ID == a", "a"),
        ("Service.ID matches \"a\"", "a"),
        ("Service.Service == f", "abc"),
        ("Service.Address == \"10.0.0.1\"", "a"),
        ("Node.Node == n1", "abc"),
        ("Node.Datacenter == dc1", "abc"),
        ("Node.Meta.foo == bar", ""),
        ("Node.Meta[\"consul-network-segment\"] == \"\"", "abc"),
        ("Service.Meta.version == 1.2", ""),
        ("Service.Meta.version == v1 or Service.Meta.version == v2 and Service.Port == 80", "a"),
        ("(Service.Meta.version == v1 or Service.Meta.version == v2) and Service.Port == 81", "b"),
        ("( Service.Meta.version == v1 )", "a"),
        ("\"a.b\" in Service.Tags", "c"),
        ("a.b in Service.Tags", "c"),
        ("Service.Meta.version == \"v\\x31\"", "a"),
        ("Service.Meta.version == \"v\\u0031\"", "a"),
        ("Service.Meta.version == `v1`", "a"),
        ("Service.Meta[\"ver sion\"] == v1", ""),
        ("\tService.Meta.version\t==\tv1\t", "a"),
        ("Service.Meta.version == and", ""),
        ("Service.Meta.not == v1", ""),
        ("Service.Meta.version == v1 and not Service.Port == 81 or x in Service.Tags", "a"),
    ])
    func `an expression selects what it selects in Consul`(text: String, expected: String) throws {
        #expect(try Self.selected(text) == expected)
        let expression = try FilterExpression.parse(text)
        #expect(try FilterExpression.parse(expression?.description ?? "") == expression, "it is written as it is read")
        let subset = Subset(expression)
        let chosen = Self.instances.filter { subset.contains($0, of: ServiceName("f")) { $1.contains($0) } }
        #expect(chosen.map(\.id.rawValue).joined() == expected, "a subset of it has the same instances")
    }

    @Test(arguments: [
        "Service.Meta.version in \"v1 v2\"", "Service.Meta.version is empty", "Service.Tags == x",
        "Service.Tags matches x", "Service.Port == x", "Service.Port matches 8", "Service.Port is empty",
        "Service.ID in \"abc\"", "Service.ID is empty", "Node.Meta.consul-network-segment == \"\"",
        "Service.Meta.version == v1.2", "Service.Meta.version == v1-2",
        "Service.Meta.version == v1 AND Service.Port == 80", "Service.Meta.version == 'v1'",
        "Service.Meta.version = v1", "Service.Meta.version == v1 )", "Service.Nope == x", "Nope == x",
        "ServiceMeta.version == v1", "\"x\" == Service.Meta.version", "Service.Meta.version.x == v1", "Service == x",
        "Service.Meta == x", "Service.Tags[0] == x", "and == v1", "not == v1", "Service.Port == 1e3",
        "Service.Port == 0x50", "Service.Port == 080", "(", "not", "Service.Meta.version ==", "Service.Meta[\"a\"",
        "Service.Meta.a == \"b", "Service.Meta.a == \"\\q\"",
    ])
    func `what Consul refuses is refused`(text: String) {
        #expect(throws: FilterError.self) { try FilterExpression.parse(text) }
    }

    /// Consul knows these, an instance does not.
    @Test(arguments: [
        "Checks.Status == passing", "Node.Address == \"127.0.0.1\"", "Service.Kind == \"\"",
        "Service.Weights.Warning == 1", "Service.TaggedAddresses.lan.Address == x",
    ])
    func `what an instance does not know is refused by its name`(text: String) throws {
        let error = try #require(throws: FilterError.self) { try FilterExpression.parse(text) }
        #expect(error.description.contains(text.prefix { $0 != " " }))
    }

    @Test(arguments: [
        String(repeating: "(", count: 2000), String(repeating: "not ", count: 1000) + "Service.Port == 1",
        String(repeating: "Service.Port == 1 or ", count: 190) + "Service.Port == 1",
        "Service.Meta.a == \"" + String(repeating: "x", count: 5000) + "\"", "Service.Meta.a == \"\u{E9}\"",
        "Service.Meta.a == \"\\u00e9\"", "Service.Meta.a == \"\\n\"",
    ])
    func `an expression is bounded and printable`(text: String) {
        #expect(throws: FilterError.self) { try FilterExpression.parse(text) }
    }

    @Test func `text of all kinds never crashes the parser`() {
        var generator = SplitMix(seed: 7)
        let words = [
            "Service.Meta.version", "Service", ".", "[", "]", "\"", "`", "\\", "(", ")", "==", "!=", "=", "!", "not",
            "in", "is",
            "empty", "and", "or", "matches", "contains", " ", "1", "-", "1.", "\u{0}", "\u{E9}", "x", "Service.Tags",
            "\"v\"",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int(generator.next() % 14)).map { _ in words[Int(generator.next() % UInt64(words.count))] }
            if let expression = try? FilterExpression.parse(text.joined()) {
                #expect(throws: Never.self) { try FilterExpression.parse(expression.description) }
            }
        }
    }

    @Test func `equality of meta and tags is said by the subset itself`() throws {
        let expression = try FilterExpression.parse(
            "Service.Meta.version == v1 and (x in Service.Tags and Service.Port == 1)"
        )
        let subset = Subset(expression, onlyPassing: true)
        #expect(subset.meta == ["version": "v1"])
        #expect(subset.tags == ["x"])
        #expect(subset.onlyPassing)
        #expect(subset.filter?.description == "Service.Port == \"1\"")
        let nodes = Subset(try FilterExpression.parse("Node.Meta.rack == r1 and Service.Meta.rack == r2"))
        #expect(nodes == Subset(meta: ["rack": "r2"], nodeMeta: ["rack": "r1"]))
        let contradiction = Subset(try FilterExpression.parse("Service.Meta.a == x and Service.Meta.a == y"))
        #expect(contradiction.meta == ["a": "x"])
        #expect(contradiction.filter != nil)
    }

    @Test func `a subset chooses by the meta of the node, health, canary and datacenter`() {
        var instance = Self.instances[0]
        instance.meta["rack"] = "r2"
        instance.nodeMeta["rack"] = "r1"
        func chosen(_ subset: Subset) -> Bool { subset.contains(instance, of: ServiceName("f")) { _, _ in false } }
        #expect(chosen(Subset(nodeMeta: ["rack": "r1"])))
        #expect(!chosen(Subset(nodeMeta: ["rack": "r2"])) && !chosen(Subset(nodeMeta: ["other": ""])))
        #expect(!Subset(nodeMeta: ["rack": "r1"]).isAll)
        #expect(chosen(Subset(onlyPassing: true)))
        #expect(chosen(Subset(isCanary: false)))
        #expect(!chosen(Subset(isCanary: true)))
        #expect(chosen(Subset(datacenters: ["dc1", "dc2"])))
        #expect(!chosen(Subset(datacenters: ["dc2"])))
        instance.health = .warning
        instance.tags.insert("canary")
        #expect(!chosen(Subset(onlyPassing: true)))
        #expect(chosen(Subset(isCanary: true)))
    }
}

private struct SplitMix {
    var seed: UInt64

    mutating func next() -> UInt64 {
        self.seed &+= 0x9E37_79B9_7F4A_7C15
        var value = self.seed
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
