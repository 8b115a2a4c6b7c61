// SPDX-License-Identifier: Apache-2.0

import Routing
import Testing

struct RegularExpressionTests {
    @Test(arguments: ["", "/.*", "/[a-z]+(/x)?", "(?i)abc"])
    func `what Envoy takes is not refused`(pattern: String) {
        #expect(RegularExpression.refusal(of: pattern) == nil)
    }

    @Test(arguments: ["(", "[z-a]", "a{1001}", "(?=a)", "\\1", String(repeating: "/[a-z]+", count: 40)])
    func `what Envoy refuses is refused, and why is said`(pattern: String) throws {
        let reason = try #require(RegularExpression.refusal(of: pattern))
        #expect(!reason.isEmpty)
    }
}
