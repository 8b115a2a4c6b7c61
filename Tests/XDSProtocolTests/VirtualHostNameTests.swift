// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import XDSProtocol

@Suite struct VirtualHostNameTests {
    @Test(arguments: [
        ("r/a.b.c", ["r/a.b.c", "r/*.b.c", "r/*.c", "r/*"]),
        ("r/s/a.b:80", ["r/s/a.b:80", "r/s/a.b", "r/s/*.b", "r/s/*"]),
        ("r/a", ["r/a", "r/*"]), ("r/*", ["r/*", "r/*"]), ("r/*.b.c", ["r/*.b.c", "r/*.b.c", "r/*.c", "r/*"]),
        ("r/[::1]:80", ["r/[::1]:80", "r/[::1]", "r/*"]), ("r/::1", ["r/::1", "r/*"]),
        ("r/é.b:8", ["r/é.b:8", "r/é.b", "r/*.b", "r/*"]), ("r/a.b:x", ["r/a.b:x", "r/*.b:x", "r/*"]),
    ])
    func `candidates are the most specific first`(name: String, expected: [String]) {
        #expect(VirtualHostName(ResourceName(name)).map { Array($0.candidates).map(\.rawValue) } == expected)
    }

    @Test func `of a host with many labels the broadest wildcards are looked at`() throws {
        let host = (1...100).map(String.init).joined(separator: ".").suffix(250)
        let candidates = try #require(VirtualHostName(ResourceName("r/x\(host)"))).candidates.map(\.rawValue)
        #expect(candidates.count == 34)
        #expect(candidates[1].hasPrefix("r/*.69.70."))
        #expect(candidates.suffix(2) == ["r/*.100", "r/*"])
    }

    /// Whoever sends requests to a proxy decides what it asks for.
    @Test(arguments: [
        "r/" + String(repeating: ".", count: 259),
        "r/a" + String(repeating: ".", count: 258),
        String(repeating: "r", count: 1_000) + "/" + String(repeating: "a.", count: 120),
        "r/" + String(repeating: "a.", count: 2_000),
    ])
    func `long hosts of nothing but dots, and long names, have few candidates`(name: String) {
        #expect(VirtualHostName(ResourceName(name)).map { Array($0.candidates).count <= 3 } == true)
    }
}
