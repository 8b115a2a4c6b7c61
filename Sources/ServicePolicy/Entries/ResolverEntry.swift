// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ServiceResolver {
    /// `service-resolver`.
    /// See https://developer.hashicorp.com/consul/docs/reference/config-entry/service-resolver
    init(_ fields: EntryFields, origin: Origin, findings: inout EntryFindings) throws(EntryRefusal) {
        self.init(origin: origin)
        try fields.requireOwnNamespace()
        fields.note(
            allBut: EntryEnvelope.fields.union([
                "DefaultSubset", "Subsets", "Redirect", "Failover", "ConnectTimeout", "RequestTimeout", "LoadBalancer",
            ]),
            in: &findings
        )
        self.defaultSubset = try fields.name("DefaultSubset")
        for (name, subset) in try fields.mapping("Subsets") {
            self.subsets[name] = try Self.subset(subset, findings: &findings)
        }
        self.redirect = try Self.redirect(fields, findings: &findings)
        for (subset, failover) in try fields.mapping("Failover") {
            self.failover[subset] = try Self.failover(failover, findings: &findings)
        }
        self.connectTimeout = try fields.duration("ConnectTimeout")
        self.requestTimeout = try fields.duration("RequestTimeout")
        if let loadBalancer = try fields.object("LoadBalancer") {
            try self.read(loadBalancer: loadBalancer, findings: &findings)
        }
    }

    private static func subset(
        _ fields: EntryFields,
        findings: inout EntryFindings
    ) throws(EntryRefusal) -> Subset {
        fields.note(allBut: ["Filter", "OnlyPassing"], in: &findings)
        let onlyPassing = try fields.boolean("OnlyPassing")
        guard let text = try fields.string("Filter") else { return Subset(onlyPassing: onlyPassing) }
        let expression: FilterExpression?
        do {
            expression = try FilterExpression.parse(text)
        } catch {
            throw fields.refusal("Filter", "'\(text.printable)': \(error)", cure: Self.filterCure)
        }
        for pattern in expression?.regularExpressions ?? [] {
            if let refusal = RegularExpression.refusal(of: pattern) {
                throw fields.refusal("Filter", "'\(pattern.printable)': \(refusal.printable)", cure: Self.filterCure)
            }
        }
        return Subset(expression, onlyPassing: onlyPassing)
    }

    private static let filterCure =
        "write an expression of Consul's filter language on Service.ID, Service, Address, Port, Tags, Meta, "
        + "Weights.Passing or Node.Node, Datacenter, Meta"

    private static func redirect(
        _ fields: EntryFields,
        findings: inout EntryFindings
    ) throws(EntryRefusal) -> ServiceReference? {
        guard let redirect = try fields.object("Redirect") else { return nil }
        let reference = try redirect.reference(datacenter: "Datacenter")
        try redirect.require(nothingBut: ["Service", "ServiceSubset", "Namespace", "Partition", "Datacenter"])
        return reference
    }

    /// In Consul's order: `Datacenters` before `Targets`, and those before the service alone.
    private static func failover(
        _ fields: EntryFields,
        findings: inout EntryFindings
    ) throws(EntryRefusal) -> [ServiceReference] {
        let known: Set = ["Service", "ServiceSubset", "Namespace", "Partition", "Datacenters", "Targets"]
        fields.note(allBut: known, in: &findings)
        let own = try fields.reference()
        let datacenters = try fields.strings("Datacenters")
        let targets = try fields.objects("Targets")
        if !datacenters.isEmpty {
            return try datacenters.map { datacenter throws(EntryRefusal) in
                guard datacenter.isLabel else {
                    throw fields.refusal("Datacenters", "it has what is no name", cure: "write names of datacenters")
                }
                var reference = own
                reference.datacenter = datacenter
                return reference
            }
        }
        if !targets.isEmpty {
            return try targets.map { target throws(EntryRefusal) in
                let reference = try target.reference(datacenter: "Datacenter")
                try target.require(
                    nothingBut: ["Service", "ServiceSubset", "Namespace", "Partition", "Datacenter"]
                )
                return reference
            }
        }
        return [own]
    }
}
