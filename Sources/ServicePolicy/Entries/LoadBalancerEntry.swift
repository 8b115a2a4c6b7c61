// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ServiceResolver {
    /// `LoadBalancer` of a `service-resolver`.
    /// See https://developer.hashicorp.com/consul/docs/reference/config-entry/service-resolver#loadbalancer
    mutating func read(
        loadBalancer fields: EntryFields,
        findings: inout EntryFindings
    ) throws(EntryRefusal) {
        fields.note(allBut: ["Policy", "RingHashConfig", "LeastRequestConfig", "HashPolicies"], in: &findings)
        self.loadBalancer = try Self.policy(fields)
        if let ring = try fields.object("RingHashConfig") {
            ring.note(allBut: ["MinimumRingSize", "MaximumRingSize"], in: &findings)
            let range = ServiceDefaults.LoadBalancerOptions.ringSizeRange
            let minimum = try ring.integer("MinimumRingSize", in: range)
            let maximum = try ring.integer("MaximumRingSize", in: range)
            // Envoy's own minimum is 1,024.
            guard minimum ?? 1024 <= maximum ?? range.upperBound else {
                throw ring.refusal("MaximumRingSize", "it is less than the minimum", cure: "write a larger one")
            }
            self.loadBalancerOptions.minimumRingSize = minimum
            self.loadBalancerOptions.maximumRingSize = maximum
        }
        if let leastRequest = try fields.object("LeastRequestConfig") {
            leastRequest.note(allBut: ["ChoiceCount"], in: &findings)
            let count = try leastRequest.integer("ChoiceCount", in: 2...Int(UInt32.max))
            self.loadBalancerOptions.choiceCount = count.flatMap { UInt32(exactly: $0) }
        }
        for policy in try fields.objects("HashPolicies", atMost: 20) {
            self.hashPolicies.append(try policy.hashPolicy())
        }
    }

    private static func policy(
        _ fields: EntryFields
    ) throws(EntryRefusal) -> ServiceDefaults.LoadBalancerPolicy? {
        guard let text = try fields.string("Policy") else { return nil }
        guard let policy = ServiceDefaults.LoadBalancerPolicy(rawValue: text) else {
            let names = ServiceDefaults.LoadBalancerPolicy.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.refusal("Policy", "'\(text.printable)' is not known", cure: "write one of \(names)")
        }
        return policy
    }
}

extension EntryFields {
    fileprivate func hashPolicy() throws(EntryRefusal) -> HashPolicy {
        try self.require(nothingBut: ["Field", "FieldValue", "CookieConfig", "SourceIP", "Terminal"])
        return HashPolicy(try self.hashSource(), isTerminal: try self.boolean("Terminal"))
    }

    private func hashSource() throws(EntryRefusal) -> HashPolicy.Source {
        if try self.boolean("SourceIP") { return .sourceAddress }
        guard let name = try self.string("FieldValue"), name.isHeaderName else {
            throw self.refusal("FieldValue", "it is no name", cure: "write letters, digits and dashes")
        }
        switch try self.string("Field") {
        case "header": return .header(name.lowercased())
        case "query_parameter": return .queryParameter(name)
        case "cookie":
            let cookie = try self.object("CookieConfig")
            let path = try cookie?.string("Path") ?? ""
            guard path.isHeaderValue, !path.contains(";") else {
                throw self.refusal("CookieConfig", "its path is none", cure: "begin it with a slash")
            }
            let isSession = try cookie?.boolean("Session") ?? false
            return .cookie(name, path: path, lifetime: isSession ? .zero : try cookie?.duration("TTL"))
        default:
            throw self.refusal("Field", "it is not known", cure: "write header, cookie or query_parameter")
        }
    }
}
