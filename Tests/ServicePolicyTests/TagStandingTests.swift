// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// What stays in force when tags become bad, or nobody is left to say anything.
struct TagStandingTests {
    private static let shop = "signalbox.route.shop.host=shop.example.com"
    private static let pay = "signalbox.route.pay.host=pay.example.com"
    private static let good = ["pay: pay.example.com/* -> web", "shop: shop.example.com/* -> web"]

    private func routing(_ options: TagOptions? = nil, _ services: Service...) throws -> TaggedCatalog {
        let routing = TaggedCatalog(try options ?? tagOptions())
        routing.replace(by: services)
        _ = routing.decide(with: tagBase())
        return routing
    }

    @Test(arguments: [
        "signalbox.route.shop.host=shop example", "signalbox.route.shop.hots=x", "signalbox.route.shop.timeout=1",
        "signalbox.route.shop.strip=/x", "signalbox.route.shop.gateway=nope", "signalbox.route.shop.host",
    ])
    func `a bad tag keeps the last good version of its route and touches no other`(bad: String) throws {
        let routing = try self.routing(nil, tagged("web", [Self.shop, Self.pay]))
        #expect(routing.policy.effects.sorted() == Self.good)

        for _ in 1...2 {
            let policy = routing.decided(tagged("web", [Self.shop, Self.pay + ",x.example.com", bad]))
            #expect(
                policy.effects.sorted() == ["pay: pay.example.com x.example.com/* -> web", Self.good[1]]
            )
            #expect(policy.codes.count == 1)
            #expect(policy.diagnostics[0].message.contains("last good"))
        }
        // Once it is right, what it says counts; and what is no longer said is gone.
        let fixed = routing.decided(tagged("web", ["signalbox.route.shop.host=new.example.com"]))
        #expect(fixed.effects == ["shop: new.example.com/* -> web"])
        #expect(fixed.codes == [])
    }

    @Test func `at a start there is no last good version`() throws {
        let routing = try self.routing(nil, tagged("web", [Self.pay, "signalbox.route.shop.host=!"]))
        #expect(routing.policy.effects == [Self.good[0]])
        #expect(routing.policy.diagnostics.map { $0.message.contains("left out") } == [true])
    }

    @Test func `a bad setting keeps its last good value`() throws {
        let routing = try self.routing(nil, tagged("web", ["signalbox.protocol=grpc", "signalbox.lb=random"]))
        let policy = routing.decided(tagged("web", ["signalbox.protocol=grcp", "signalbox.lb=maglev"]))
        #expect(policy.effects.sorted() == ["lb maglev", "protocol grpc"])
        #expect(policy.diagnostics.map(\.cure) == ["did you mean grpc?"])
    }

    @Test func `a bad enable leaves a service as it was`() throws {
        let on = try self.routing(nil, tagged("web", [Self.shop]))
        #expect(on.decided(tagged("web", [Self.shop, "signalbox.enable=fasle"])).effects == [Self.good[1]])
        let off = try self.routing(nil, tagged("web", [Self.shop, "signalbox.enable=false"]))
        #expect(off.decided(tagged("web", [Self.shop, "signalbox.enable=ture"])).effects == [])
        let new = try self.routing(nil, tagged("web", [Self.shop, "signalbox.enable=fasle"]))
        #expect(new.decided(tagged("web", [Self.shop, Self.pay, "signalbox.enable=fasle"])).effects == [])
        #expect(new.decided(tagged("web", [Self.shop])).effects == [Self.good[1]])
    }

    @Test func `a service without instances keeps its routes, one that is gone does not`() throws {
        let routing = try self.routing(nil, tagged("web", [Self.shop, "signalbox.protocol=grpc"]))
        for _ in 1...2 {
            #expect(routing.decided(tagged("web")).effects.sorted() == ["protocol grpc", Self.good[1]])
        }
        #expect(routing.decided(tagged("web", [Self.pay])).effects == [Self.good[0]])
        _ = routing.decided(tagged("web"))
        #expect(routing.decided().effects == [])
        #expect(routing.decided(tagged("web")).effects == [])
    }

    @Test func `canaries that are left alone keep the routes of the others`() throws {
        let routing = try self.routing(nil, tagged("web", [Self.shop], canaries: [["canary"]]))
        #expect(routing.decided(tagged("web", canaries: [["canary"]])).effects == [Self.good[1]])
        // Nobody else is there to say what their host is.
        let moved = tagged("web", canaries: [["signalbox.route.shop.host=new.example.com"]])
        #expect(routing.decided(moved).effects == ["shop: new.example.com/* -> web canaries"])
    }

    @Test func `a route of canaries goes with them`() throws {
        let next = ["signalbox.route.next.host=next.example.com"]
        let routing = try self.routing(nil, tagged("web", [Self.shop], canaries: [next]))
        #expect(routing.policy.routes.count == 2)
        #expect(routing.decided(tagged("web", [Self.shop])).effects == [Self.good[1]])
    }

    @Test func `tags beyond all bounds keep everything as it was`() throws {
        let routing = try self.routing(nil, tagged("web", [Self.shop, Self.pay]))
        let many = (0..<600).map { "signalbox.route.r\($0).host=h\($0).example.com" }
        let policy = routing.decided(tagged("web", many))
        #expect(policy.effects.sorted() == Self.good)
        #expect(policy.codes == ["SB328"])
    }

    @Test func `hosts and methods that multiply to too much change nothing`() throws {
        let hosts = (0..<100).map { "h\($0).example.com" }.joined(separator: ",")
        let methods = (0..<16).map { "M\($0)" }.joined(separator: ",")
        func many(_ count: Int) -> [String] {
            (0..<count).flatMap { number in
                ["host=\(hosts)", "method=\(methods)", "path=/\(number)"].map { "signalbox.route.r\(number).\($0)" }
            }
        }
        let routing = try self.routing(nil, tagged("web", [Self.shop, Self.pay]))
        for _ in 1...2 {
            let policy = routing.decided(tagged("web", many(7) + ["signalbox.route.shop.host=new.example.com"]))
            // Also of what nobody speaks of any more: what is too much was to take its place.
            #expect(policy.effects.sorted() == Self.good)
            #expect(policy.codes == ["SB328"])
        }
        #expect(routing.decided(tagged("web", many(6) + [Self.pay])).codes == [])
        #expect(routing.policy.routes.count == 7)
        #expect(try self.routing(nil, tagged("web", many(7))).policy.effects == [])
    }

    @Test func `a gateway that goes takes routes that name only it, and gives them back`() throws {
        let routing = try self.routing(nil, tagged("web", [Self.shop, "signalbox.route.shop.gateway=internal"]))
        var base = tagBase()
        base.gateways[GatewayName("internal")] = nil
        var policy = routing.decided(tagged("web", [Self.shop, "signalbox.route.shop.gateway=internal"]), with: base)
        #expect(policy.effects == [])
        #expect(policy.codes == ["SB324"])
        policy = routing.decided(tagged("web", [Self.shop, "signalbox.route.shop.gateway=internal"]))
        #expect(policy.effects == ["shop: internal: shop.example.com/* -> web"])
        #expect(policy.codes == [])
    }

    @Test func `without a default the only gateway serves, and of several none`() throws {
        let routing = TaggedCatalog(TagOptions())
        var base = tagBase()
        #expect(routing.decided(tagged("web", [Self.shop]), with: base).codes == ["SB324"])
        base.gateways[GatewayName("internal")] = nil
        #expect(routing.decided(tagged("web", [Self.shop]), with: base).effects == [Self.good[1]])
        base.gateways = [:]
        #expect(routing.decided(tagged("web", [Self.shop]), with: base).codes == ["SB324"])
    }

    /// Of two gateways, only the first, or only the second.
    private func base(without gateway: String) -> Policy {
        var base = tagBase()
        base.gateways[GatewayName(gateway)] = nil
        return base
    }

    @Test func `a second gateway takes no route from the first`() throws {
        let routing = TaggedCatalog(TagOptions())
        let web = tagged("web", [Self.shop])
        #expect(routing.decided(web, with: self.base(without: "internal")).codes == [])
        for _ in 1...2 {
            let policy = routing.decided(web)
            #expect(policy.effects == [Self.good[1]])
            #expect(policy.codes == ["SB324"])
            #expect(policy.diagnostics.map { $0.message.contains("it stays at edge, where it was") } == [true])
        }
        // What the service says next counts, and what nobody said before has no place.
        let next = routing.decided(tagged("web", [Self.shop, "signalbox.route.shop.path=/a", Self.pay]))
        #expect(next.effects == ["shop: shop.example.com/a/* -> web"])
        #expect(next.diagnostics.map { $0.message.contains("left out") } == [true, false])
        // Nobody is left to say anything.
        let silent = routing.decided(tagged("web"))
        #expect(silent.effects == next.effects)
        #expect(silent.codes == ["SB324"])
        // Nor has a restart anything to go by.
        #expect(TaggedCatalog(TagOptions()).decided(web).effects == [])
    }

    @Test func `who says where is served there, and who says it badly stays`() throws {
        let routing = TaggedCatalog(TagOptions())
        _ = routing.decided(tagged("web", [Self.shop]), with: self.base(without: "internal"))
        let bad = routing.decided(tagged("web", [Self.shop + ",x.example.com", "signalbox.route.shop.gateway=egde"]))
        #expect(bad.effects == [Self.good[1]])
        #expect(bad.diagnostics.map { $0.message.contains("its last good version stays") } == [true])
        let said = routing.decided(tagged("web", [Self.shop, "signalbox.route.shop.gateway=internal"]))
        #expect(said.effects == ["shop: internal: shop.example.com/* -> web"])
        #expect(said.codes == [])
    }

    @Test func `a route stays at no gateway that is gone`() throws {
        let routing = TaggedCatalog(TagOptions())
        let web = tagged("web", [Self.shop])
        _ = routing.decided(web, with: self.base(without: "internal"))
        #expect(routing.decided(web, with: Policy()).effects == [])
        #expect(routing.decided(web).effects == [Self.good[1]])
        let other = routing.decided(web, with: self.base(without: "edge"))
        #expect(other.effects == ["shop: internal: shop.example.com/* -> web"])
        #expect(other.codes == [])
    }

    @Test func `a domain gives hosts to routes without one`() throws {
        var options = try tagOptions()
        options.defaultDomain = "apps.example.com"
        let routing = try self.routing(options, tagged("Web", ["signalbox.enable=true"]))
        #expect(routing.policy.effects == ["web.apps.example.com/* -> Web"])
        let policy = routing.decided(tagged("web", ["signalbox.path=/a"]), tagged("api", ["signalbox.enable=false"]))
        #expect(policy.effects == ["web.apps.example.com/a/* -> web"])
        #expect(routing.decided(tagged("we-", ["signalbox.path=/a"])).codes == ["SB327"])
    }

    @Test func `to be enabled, and no more, makes a route where there is a host for it`() throws {
        let service = tagged("web", ["signalbox.enable=true"])
        let none = try self.routing(try tagOptions(), service).policy
        #expect(none.effects == [] && none.codes == [])
        let every = try self.routing(try tagOptions("*=web"), service).policy
        #expect(every.effects == ["*/* -> web"])
    }

    @Test func `where services must say so, only those that do have routes`() throws {
        var options = try tagOptions()
        options.requiresEnable = true
        let routing = try self.routing(
            options,
            tagged("web", [Self.shop]),
            tagged("api", [Self.pay, "signalbox.enable=true"]),
            tagged("doc", [Self.pay, "signalbox.protocol=http2", "signalbox.lb=random"])
        )
        // How a service is spoken to is no matter of its routes: a document may lead there.
        #expect(routing.policy.effects == ["pay: pay.example.com/* -> api", "protocol http2", "lb random"])
        #expect(routing.policy.codes == [])
    }

    @Test func `the prefix is a setting`() throws {
        var options = try tagOptions()
        options.prefix = "edge."
        let routing = try self.routing(options, tagged("web", ["edge.host=a.example.com", Self.shop]))
        #expect(routing.policy.effects == ["a.example.com/* -> web"])
    }
}

struct TagOptionsTests {
    @Test(arguments: [
        ("signalbox.", "apps.example.com", true), ("edge-1.", nil, true), ("", nil, false), ("signalbox", nil, false),
        (".", nil, false), ("a b.", nil, false), ("signalbox.", "*.example.com", false), ("signalbox.", "", false),
    ])
    func `a prefix ends in a dot, and a domain is a host name`(prefix: String, domain: String?, isGood: Bool) {
        #expect((TagOptions(prefix: prefix, defaultDomain: domain).problem == nil) == isGood)
    }
}
