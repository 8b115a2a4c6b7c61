// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing
import Testing

@testable import Documents

/// What is just good enough. What is just too much is among the faults.
struct LimitTests {
    @Test(arguments: [
        "matches: [{path: {value: \"/\(String(repeating: "x", count: 1023))\"}}]",
        "matches: [{headers: [{name: \(String(repeating: "x", count: 256)), value: \"\"}]}]",
        "matches: [{queryParams: [{name: \(String(repeating: "x", count: 1024)), value: \"a b\"}]}]",
        "requestHeaders: {set: [{name: a, value: \"\(String(repeating: "%", count: 8192))\"}]}",
        "requestHeaders: {remove: [\(String(repeating: "a,", count: 100))]}",
        "matches: [{path: {value: \(String(repeating: "/a", count: 20))}}]\n  rewrite: {path: {replacePrefixMatch: /}}",
        "matches: [{path: {value: \(String(repeating: "/a", count: 21))}}]\n  rewrite: {path: {replacePrefixMatch: /b}}",
        "timeout: 24h",
    ])
    func `what is at its limit is within it`(fields: String) {
        let head = "kind: route\nname: web\ngateways: [edge]\nrules:\n- backends: [{service: web}]\n  "
        #expect(documents(head + fields).faults == [])
    }

    @Test func `Envoy can add up as many weights as there may be`() {
        #expect(ServiceFormats.maximumInstances * Weight.range.upperBound <= UInt32.max)
        #expect(jsonSchema().contains("\"maxItems\": \(ServiceFormats.maximumInstances),"))
        #expect(RuleFormats.maximumBackends * Route.Backend.weightRange.upperBound <= UInt32.max)
    }
}
