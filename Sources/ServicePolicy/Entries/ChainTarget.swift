// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// What is looked for: not yet what it comes to.
struct ChainTarget: Hashable {
    var service: ServiceName
    var subset: String?
    var datacenter: String?

    var resolverKey: ConfigEntry.Key { ConfigEntry.Key(kind: "service-resolver", name: self.service.rawValue) }

    /// A subset is of one service: it goes with it.
    func rewritten(_ reference: ServiceReference) -> ChainTarget {
        var target = self
        if let service = reference.service, service != self.service {
            target.service = service
            target.subset = nil
        }
        target.subset = reference.subset ?? target.subset
        target.datacenter = reference.datacenter ?? target.datacenter
        return target
    }
}

extension TargetID {
    init(_ target: ChainTarget, _ resolver: ServiceResolver?) {
        var subset = target.subset.flatMap { resolver?.subsets[$0] } ?? .all
        if let datacenter = target.datacenter { subset.datacenters = [datacenter] }
        self.init(service: target.service, subset: subset)
    }
}

/// Why a chain cannot be followed.
struct ChainFault: Error {
    let subject: ConfigEntry.Key
    let origin: Origin
    let reason: String

    init(_ subject: ConfigEntry.Key, _ origin: Origin, _ reason: String) {
        self.subject = subject
        self.origin = origin
        self.reason = reason
    }

    static let asIfNotWritten = "requests go as if the entry that leads there were not written"

    static let cure =
        "correct the names in the entries, and see to it that every entry that they name can be read"

    /// - Parameter consequence: what becomes of the requests.
    func diagnostic(_ consequence: String, cure: String = Self.cure) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB334",
            subject: self.subject.description,
            message: "\(self.reason); \(consequence)",
            cure: cure,
            origin: self.origin
        )
    }
}
