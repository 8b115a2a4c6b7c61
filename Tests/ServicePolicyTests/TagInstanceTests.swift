// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// How what the instances of one service say is combined.
struct TagInstanceTests {
    private let a = ["signalbox.host=a.example.com"]
    private let b = ["signalbox.host=b.example.com"]

    private func decided(_ service: Service) throws -> TagPolicy {
        let routing = TaggedCatalog(try tagOptions())
        return routing.decided(service)
    }

    @Test func `what most instances say counts`() throws {
        let policy = try self.decided(tagged("web", self.b, self.a, self.b))
        #expect(policy.effects == ["b.example.com/* -> web"])
        #expect(policy.codes == ["SB323"])
        #expect(policy.diagnostics[0].message.contains("signalbox.host=b.example.com"))
    }

    @Test func `if as many say something else, the smaller tags count`() throws {
        for service in [tagged("web", self.a, self.b), tagged("web", self.b, self.a)] {
            #expect(try self.decided(service).effects == ["a.example.com/* -> web"])
        }
    }

    @Test func `no route is mixed from what two versions of a job say`() throws {
        let old = ["signalbox.host=web.example.com", "signalbox.path=/old", "signalbox.timeout=1s"]
        let new = ["signalbox.host=web.example.com", "signalbox.path=/new"]
        #expect(try self.decided(tagged("web", old, new, new)).effects == ["web.example.com/new/* -> web"])
        #expect(
            try self.decided(tagged("web", old, old, new)).effects == [
                "web.example.com/old/* -> web timeout 1.0 seconds"
            ]
        )
    }

    @Test func `who says nothing of a route does not speak against it`() throws {
        let policy = try self.decided(tagged("web", [], [], self.a, ["signalbox.route.b.host=b.example.com"]))
        #expect(policy.effects.sorted() == ["a.example.com/* -> web", "b: b.example.com/* -> web"])
        #expect(policy.codes == [])
    }

    @Test func `what one instance says badly does not count while another says it well`() throws {
        let bad = ["signalbox.host=https://a.example.com"]
        let policy = try self.decided(tagged("web", bad, bad, self.a))
        #expect(policy.effects == ["a.example.com/* -> web"])
        #expect(policy.codes == ["SB322"])
        #expect(policy.diagnostics[0].message.contains("what other instances say"))
    }

    @Test func `settings are decided each on its own`() throws {
        let policy = try self.decided(
            tagged(
                "web",
                ["signalbox.protocol=grpc", "signalbox.lb=random"],
                ["signalbox.protocol=grpc", "signalbox.lb=maglev"],
                ["signalbox.lb=maglev"]
            )
        )
        #expect(policy.effects.sorted() == ["lb maglev", "protocol grpc"])
        #expect(policy.codes == ["SB323"])
    }

    @Test func `instances that are critical speak, too`() throws {
        #expect(try self.decided(tagged("web", self.a, health: .critical)).effects == ["a.example.com/* -> web"])
    }

    @Test func `the tag canary makes a canary as Nomad does`() throws {
        let canary = ["canary", "signalbox.route.next.host=next.example.com"]
        let expected = ["a.example.com/* -> web", "next: next.example.com/* -> web canaries"]
        #expect(try self.decided(tagged("web", self.a, canary)).effects.sorted() == expected)
        #expect(
            try self.decided(tagged("web", self.a, canaries: [Array(canary.dropFirst())])).effects.sorted() == expected
        )
    }

    @Test func `with a share for canaries each stands in for the other`() throws {
        let policy = try self.decided(tagged("web", self.a + ["signalbox.canary.weight=10"]))
        #expect(policy.failovers.count == 2)
        for (target, alternatives) in policy.failovers {
            #expect(alternatives.map(\.subset.isCanary) == [target.subset.isCanary == false])
            #expect(alternatives.map(\.service) == [target.service])
        }
    }

    @Test func `more different sets of tags than anyone has are not all read`() throws {
        let instances = (0..<100).map { ["signalbox.host=h\($0).example.com"] }
        let service = Service(
            name: ServiceName("web"),
            instances: instances.enumerated().map { offset, tags in
                Instance(
                    id: InstanceID("\(offset)"),
                    address: "10.0.0.1",
                    port: UInt16(offset + 1),
                    tags: Set(tags),
                    origin: Origin(file: "consul")
                )
            },
            origin: Origin(file: "consul")
        )
        let policy = try self.decided(service)
        #expect(policy.routes.count == 1)
        #expect(policy.codes == ["SB323", "SB328"])
    }

    @Test func `two weights of one instance are told, and those of several instances are not`() throws {
        func codes(_ tags: [String]...) throws -> [String] {
            let instances = tags.map { self.a + $0 }
            return try self.decided(tagged("web", instances[0], instances[instances.count - 1])).codes
        }
        #expect(try codes(["signalbox.weight=1", "signalbox.weight=2"]) == ["SB327"])
        #expect(try codes(["weight:1", "weight:2"]) == ["SB327"])
        #expect(try codes(["signalbox.weight=1", "signalbox.weight= 1"]) == [])
        #expect(try codes(["signalbox.weight=1"], ["signalbox.weight=2"]) == [])
        #expect(try codes(["signalbox.weight=1", "weight:50"]) == [], "for two readers")
    }

    @Test(arguments: ["-", "_", "/", ":"])
    func `a tag with something else than the dot of the prefix is told`(separator: String) {
        let dialect = SignalboxTags(prefix: "my-team.")
        #expect(dialect.isRelevant("my-team\(separator)host=web.example.com"))
        #expect(dialect.isRelevant("MY-TEAM\(separator)weight=1"))
        #expect(!dialect.isRelevant("my-team\(separator)owner=shop"))
        #expect(!dialect.isRelevant("my-team\(separator)host"))
        #expect(!dialect.isRelevant("my-team"))
        #expect(!dialect.isRelevant("my\(separator)host=web.example.com"))
    }

    @Test func `weights come from tags, and from the source where tags are silent`() {
        let reader = TagReader(TagOptions())
        func weights(_ tags: [[String]], of source: Int = 1) -> [Int] {
            var instances = tagged("web").instances
            instances = tags.enumerated().map { offset, tags in
                Instance(
                    id: InstanceID("\(offset)"),
                    address: "10.0.0.1",
                    port: 80,
                    weight: Weight(source) ?? .default,
                    tags: Set(tags),
                    origin: Origin(file: "consul")
                )
            }
            let service = Service(name: ServiceName("web"), instances: instances, origin: Origin(file: "consul"))
            return reader.weighted(service).instances.map(\.weight.value)
        }
        #expect(weights([[], ["a", "b"]]) == [1, 1])
        #expect(weights([["signalbox.weight=7"], []]) == [7, 1])
        #expect(weights([["signalbox.weight=0"], ["signalbox.weight=65535"]]) == [0, 65535])
        #expect(weights([["weight:100"], []]) == [100, 50])
        #expect(weights([["weight:100"], []], of: 3) == [100, 3])
        #expect(weights([["weight:100", "signalbox.weight=7"], ["weight:x"]]) == [7, 1])
        #expect(weights([["signalbox.weight=7", "signalbox.weight=5"]]) == [5])
        #expect(weights([["signalbox.weight=65536", "weight:", "weight:1.5"]], of: 9) == [9])
    }

    @Test func `different weights are no disagreement`() throws {
        let policy = try self.decided(tagged("web", self.a + ["signalbox.weight=1"], self.a + ["signalbox.weight=2"]))
        #expect(policy.codes == [])
    }
}
