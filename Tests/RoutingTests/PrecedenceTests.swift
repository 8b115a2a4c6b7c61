// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

/// The order in which a request tries the entries of one host.
struct PrecedenceTests {
    private static let present = Match.ValueMatch(name: "x", value: .present)
    private static let another = Match.ValueMatch(name: "y", value: .present)

    /// Each is tried before the next. None of the decisions rests on the order in which they were written.
    private static let ordered: [Match] = [
        Match(path: .exact("/a"), method: "GET"),
        Match(path: .exact("/a"), headers: [present, another]),
        Match(path: .exact("/a"), headers: [present], queryParameters: [present]),
        Match(path: .exact("/a"), headers: [present]),
        Match(path: .exact("/a"), queryParameters: [present]),
        Match(path: .exact("/a")),
        Match(path: .regularExpression("/a.*b")),
        Match(path: .regularExpression("/.*"), method: "GET"),
        Match(path: .regularExpression("/.*")),
        Match(path: .prefix("/a/b")),
        Match(path: .prefix("/a"), method: "GET"),
        Match(path: .prefix("/a"), headers: [present, another]),
        Match(path: .prefix("/a"), headers: [present], queryParameters: [present, another]),
        Match(path: .prefix("/a"), headers: [present]),
        Match(path: .prefix("/a"), queryParameters: [present, another]),
        Match(path: .prefix("/a"), queryParameters: [present]),
        Match(path: .prefix("/a")),
        Match(path: .prefix("/")),
    ]

    @Test(arguments: ordered.indices.dropLast())
    func `the more specific match is tried first`(index: Int) {
        let pair = [Self.ordered[index], Self.ordered[index + 1]]
        // The less specific one has the smaller route name, rule index and match index.
        #expect(self.matches(of: [route("a", rules: [rule([pair[1]])]), route("b", rules: [rule([pair[0]])])]) == pair)
        #expect(self.matches(of: [route("a", rules: [rule([pair[1]]), rule([pair[0]])])]) == pair)
        #expect(self.matches(of: [route("a", rules: [rule([pair[1], pair[0]])])]) == pair)
    }

    @Test func `the whole order does not depend on the order in the document`() {
        for shift in Self.ordered.indices {
            let rotated = Array(Self.ordered[shift...] + Self.ordered[..<shift])
            #expect(self.matches(of: [route("a", rules: [rule(rotated.reversed())])]) == Self.ordered)
        }
    }

    @Test func `ties go by route name, then rule, then match`() {
        let get = Match(path: .prefix("/a"), headers: [Self.present])
        let put = Match(path: .prefix("/a"), headers: [Self.another])
        let post = Match(path: .prefix("/b"), headers: [Self.present])
        let delete = Match(path: .prefix("/b"), headers: [Self.another])
        let routes = [route("b", rules: [rule([get])]), route("a", rules: [rule([delete, post]), rule([put])])]
        #expect(self.matches(of: routes) == [delete, post, put, get])
    }

    private func matches(of routes: [Route]) -> [Match] {
        let (topology, _) = compile(catalog: Catalog([service("web")]), policy: policy(routes: routes))
        let listener = topology.gateways[GatewayName("edge")]?.listeners.first
        return listener?.virtualHosts.first?.entries.map(\.match) ?? []
    }
}
