// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// The one timeout of a route that leads to several services, of which each has its own.
struct EntryTimeoutTests {
    /// - Parameter timeouts: of the services `s0`, `s1` and so on.
    private static func resolvers(_ timeouts: [String?]) -> [ConfigEntry] {
        timeouts.enumerated().map { index, timeout in
            let fields = timeout.map { #""RequestTimeout": "\#($0)""# } ?? #""ConnectTimeout": "1s""#
            return entry("service-resolver", "s\(index)", "{\(fields)}")
        }
    }

    private static func splitter(_ count: Int) -> ConfigEntry {
        let splits = (0..<count).map { #"{"Weight": \#(100 / count), "Service": "s\#($0)"}"# }
        return entry("service-splitter", "web", #"{"Splits": [\#(splits.joined(separator: ","))]}"#)
    }

    private static func timeout(of action: Route.Action?) -> Duration? {
        guard case .forward(let forward) = action else { return nil }
        return forward.timeout
    }

    private static let examples: [([String?], Duration?)] = [
        (["2s", "3s"], .seconds(3)), (["40s", "3s"], .seconds(40)), (["2s", nil], nil), ([nil, "2s"], nil),
        (["15s", nil], nil), (["40s", nil], .seconds(40)), ([nil, "16s"], .seconds(16)), ([nil, nil], nil),
    ]

    @Test(arguments: Self.examples)
    func `a service without a timeout has the proxy's, and the longest counts`(timeouts: [String?], timeout: Duration?)
    {
        let router = entry(
            "service-router",
            "web",
            #"{"Routes": [{"Match": {"HTTP": {"PathExact": "/a"}}, "Destination": {"Service": "parts"}}]}"#
        )
        let parts = entry(
            "service-splitter",
            "parts",
            #"{"Splits": [{"Weight": 50, "Service": "s0"}, {"Weight": 50, "Service": "s1"}]}"#
        )
        let entries = Self.resolvers(timeouts) + [Self.splitter(2), router, parts]
        let rule = ChainSample(entries).applied.policy.routes[RouteName("shop")]?.rules[0]
        #expect(rule?.refinements.count == 1)
        #expect(Self.timeout(of: rule?.action) == timeout)
        #expect(Self.timeout(of: rule?.refinements.first?.action) == timeout, "and of what a router sends there")
    }

    @Test func `the backends of a rule count likewise, be it by a subset of their own`() {
        var rule = chainRule(to: ["s0", "other"])
        guard case .forward(var forward) = rule.action else { return }
        forward.backends[1].subset = Subset(tags: ["stable"])
        rule.action = .forward(forward)
        func timeout(_ text: String) -> Duration? {
            let applied = ChainSample(rules: [rule], Self.resolvers([text])).applied
            return Self.timeout(of: applied.policy.routes[RouteName("shop")]?.rules[0].action)
        }
        #expect(timeout("2s") == nil)
        #expect(timeout("40s") == .seconds(40))
    }

    private static let unasked: [([String?], Duration?)] = [
        (["2s", nil], .seconds(2)), (["2s", "40s"], .seconds(2)), ([nil, "40s"], nil),
    ]

    /// The second is of weight 0.
    @Test(arguments: Self.unasked)
    func `what gets no requests decides nothing`(timeouts: [String?], timeout: Duration?) {
        let fields = timeouts.enumerated().map { index, timeout in
            let more = timeout.map { #", "RequestTimeout": "\#($0)""# } ?? ""
            let policy =
                #""LoadBalancer": {"Policy": "maglev", "HashPolicies": [{"Field": "header", "FieldValue": "h\#(index)"}]}"#
            return entry("service-resolver", "s\(index)", "{\(policy)\(more)}")
        }
        let splits = #"{"Splits": [{"Weight": 0, "Service": "s1"}, {"Weight": 100, "Service": "s0"}]}"#
        let router = entry(
            "service-router",
            "web",
            #"{"Routes": [{"Match": {"HTTP": {"PathExact": "/a"}}, "Destination": {"Service": "parts"}}]}"#
        )
        let split = ChainSample(
            fields + [entry("service-splitter", "web", splits), entry("service-splitter", "parts", splits), router]
        )
        let backends = ChainSample(rules: [Self.rule(weights: [0, 100])], fields)
        for sample in [split, backends] {
            let rule = sample.applied.policy.routes[RouteName("shop")]?.rules[0]
            for action in [rule?.action].compactMap(\.self) + (rule?.refinements.map(\.action) ?? []) {
                guard case .forward(let forward) = action else { continue }
                #expect(forward.backends.count == 2)
                #expect(forward.timeout == timeout)
                #expect(forward.hashPolicies == [HashPolicy(.header("h0"))])
            }
        }
    }

    @Test func `if nothing gets requests, all counts`() {
        let applied = ChainSample(rules: [Self.rule(weights: [0, 0])], Self.resolvers(["2s", "3s"])).applied
        #expect(Self.timeout(of: applied.policy.routes[RouteName("shop")]?.rules[0].action) == .seconds(3))
    }

    /// To `s1` first.
    private static func rule(weights: [Int]) -> Route.Rule {
        var rule = chainRule(to: ["s1", "s0"])
        guard case .forward(var forward) = rule.action else { return rule }
        for (index, weight) in weights.enumerated() { forward.backends[index].weight = weight }
        rule.action = .forward(forward)
        return rule
    }
}
