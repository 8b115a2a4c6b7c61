// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import ServicePolicy

/// Two who edit the headers of one request: a rule and a router, or two splitters.
struct EntryHeaderTests {
    /// What each does to the header `x`, and the values that come of it if a client sends `client`.
    struct Example: Sendable, CustomTestStringConvertible {
        var own: String
        var other: String
        var values: [String]

        var testDescription: String { "\(self.own) after \(self.other)" }
    }

    private static let examples: [Example] = [
        Example(own: "set", other: "set", values: ["own"]),
        Example(own: "set", other: "add", values: ["own"]),
        Example(own: "set", other: "remove", values: ["own"]),
        Example(own: "remove", other: "set", values: []),
        Example(own: "remove", other: "add", values: []),
        Example(own: "remove", other: "remove", values: []),
        Example(own: "add", other: "set", values: ["other", "own"]),
        Example(own: "add", other: "add", values: ["client", "other", "own"]),
        Example(own: "add", other: "remove", values: ["own"]),
    ]

    private static func modifier(_ edit: String, _ value: String) -> HeaderModifier {
        let header = HeaderModifier.Header(name: "x", value: value)
        return switch edit {
        case "set": HeaderModifier(set: [header])
        case "add": HeaderModifier(add: [header])
        default: HeaderModifier(remove: ["x"])
        }
    }

    /// In Envoy's order.
    private static func values(of edits: HeaderModifier, sent: [String]) -> [String] {
        var values = edits.remove.contains("x") ? [] : sent
        for header in edits.set where header.name == "x" { values = [header.value] }
        return values + edits.add.filter { $0.name == "x" }.map(\.value)
    }

    @Test(arguments: Self.examples)
    func `the last word is the rule's, as if it edited what came of the router's`(example: Example) {
        let own = Self.modifier(example.own, "own")
        let other = Self.modifier(example.other, "other")
        #expect(Self.values(of: own.merging(other), sent: ["client"]) == example.values)
        // What Envoy does where they are apart: a splitter's edits are those of a weighted cluster, which come first.
        let apart = Self.values(of: own, sent: Self.values(of: other, sent: ["client"]))
        #expect(apart == example.values)
    }

    @Test func `other headers are edited by both`() {
        let own = HeaderModifier(
            set: [.init(name: "a", value: "1")],
            add: [.init(name: "b", value: "1")],
            remove: ["c"]
        )
        let other = HeaderModifier(
            set: [.init(name: "d", value: "2")],
            add: [.init(name: "e", value: "2")],
            remove: ["f", "c"]
        )
        let merged = own.merging(other)
        #expect(merged.set.map(\.name) == ["a", "d"])
        #expect(merged.add.map(\.name) == ["e", "b"])
        #expect(merged.remove == ["c", "f"])
    }

    private static let edit = #""RequestHeaders": {"Set": {"X-User": "entry"}, "Add": {"X-User": "entry"}}"#

    @Test func `what a rule removes no router puts back`() {
        var rule = chainRule()
        rule.requestHeaders.remove = ["x-user"]
        let router = entry("service-router", "web", #"{"Routes": [{"Destination": {\#(Self.edit)}}]}"#)
        let applied = ChainSample(rules: [rule], [router]).applied
        let refinement = applied.policy.routes[RouteName("shop")]?.rules[0].refinements.first
        #expect(refinement?.requestHeaders == HeaderModifier(remove: ["x-user"]))
    }

    @Test func `what a splitter removes none that it leads to puts back`() {
        let sample = ChainSample([
            entry(
                "service-splitter",
                "web",
                #"{"Splits": [{"Weight": 100, "Service": "api", "RequestHeaders": {"Remove": ["X-User"]}}]}"#
            ),
            entry("service-splitter", "api", #"{"Splits": [{"Weight": 100, "Service": "a", \#(Self.edit)}]}"#),
        ])
        guard case .forward(let forward) = sample.applied.policy.routes[RouteName("shop")]?.rules[0].action else {
            Issue.record("no forward")
            return
        }
        #expect(forward.backends.map(\.target.line) == ["a"])
        #expect(forward.backends.map(\.requestHeaders) == [HeaderModifier(remove: ["x-user"])])
    }
}
