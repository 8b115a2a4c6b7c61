// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ServiceSplitter {
    /// `service-splitter`.
    /// See https://developer.hashicorp.com/consul/docs/reference/config-entry/service-splitter
    init(_ fields: EntryFields, origin: Origin, findings: inout EntryFindings) throws(EntryRefusal) {
        self.init(splits: [], origin: origin)
        try fields.requireOwnNamespace()
        fields.note(allBut: EntryEnvelope.fields.union(["Splits"]), in: &findings)
        for split in try fields.objects("Splits") {
            split.note(
                allBut: [
                    "Weight", "Service", "ServiceSubset", "Namespace", "Partition", "RequestHeaders",
                    "ResponseHeaders",
                ],
                in: &findings
            )
            self.splits.append(
                Split(
                    weight: Int((try split.number("Weight", in: 0...100) ?? 0) * 100 + 0.5),
                    destination: try split.reference(),
                    requestHeaders: try split.headerModifier("RequestHeaders", in: &findings),
                    responseHeaders: try split.headerModifier("ResponseHeaders", in: &findings)
                )
            )
        }
        let sum = self.splits.reduce(0) { $0 + $1.weight }
        guard sum > 0 else {
            throw fields.refusal("Splits", "no split has weight", cure: "write weights with a sum of 100")
        }
        if sum != 10_000 {
            findings.unused.append(
                fields.refusal(
                    "Splits",
                    "the sum of the weights is \(sum / 100).\(sum % 100 / 10)\(sum % 10) and not 100; each counts as its part of the sum",
                    cure: "write weights with a sum of 100"
                )
            )
        }
    }
}
