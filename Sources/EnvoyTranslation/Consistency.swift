// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension Translation {
    /// Holds back what names a resource that is not among these: a proxy that was sent it would wait for the rest, answer
    /// requests with errors, or refuse it.
    ///
    /// Of a resource that is held back the version before stays, if that one names nothing that is missing. If there is
    /// none, its name is free for another document that has it: who wrote the first must not take it from the second, which
    /// may be in force, and have neither. One that is left out may be missed by others in turn, so this goes on until nothing
    /// is missing. Each round replaces or removes something, and nothing comes back, so it ends.
    ///
    /// Only what somebody wrote in Envoy's words is looked at. What is translated names what was translated with it.
    mutating func holdBackInconsistent(
        previous: Translation?,
        unusable: [UnusableResource],
        for gateways: Set<GatewayName>
    ) {
        /// By the names of documents.
        var held: [String: HeldBack] = [:]
        var waiting = unusable
        while true {
            let broken = self.untranslated.compactMap {
                resource,
                raw -> (TranslatedResource, RawContent, [ResourceReference])? in
                let missing = raw.references.filter { self[$0] == nil }
                return missing.isEmpty ? nil : (resource, raw, missing.sorted())
            }
            if broken.isEmpty { break }
            for (resource, raw, missing) in broken {
                let isNew = held[raw.document] == nil
                let lastGood = isNew ? self.lastGood(of: raw.document, insteadOf: resource, previous, gateways) : nil
                held[raw.document, default: HeldBack(resource, raw, missing)].lastGood = lastGood
                self[resource.reference] = lastGood ?? waiting.takeFirst(resource.reference)
            }
        }
        self.diagnostics += held.values.map(\.diagnostic)
        let kept = Set(self.untranslated.map(\.1.document))
        self.diagnostics += unusable.map { .unusable($0.raw, $0.failure, isKept: kept.contains($0.raw.name)) }
        self.makeReferredClustersEager()
    }

    /// Those that are still as somebody wrote them.
    private var untranslated: [(TranslatedResource, RawContent)] {
        self.rawKeys.compactMap { key in
            guard let resource = self[key], case .raw(let raw) = resource.content else { return nil }
            return (resource, raw)
        }
    }

    private func lastGood(
        of document: String,
        insteadOf resource: TranslatedResource,
        _ previous: Translation?,
        _ gateways: Set<GatewayName>
    ) -> TranslatedResource? {
        let published = self.standing.lastGood(of: document, for: gateways, previous: previous)
        // What had the name before may be another document's: that is no version of this one.
        let before = previous?.raw(resource.reference, of: document)
        return ([before].compactMap(\.self) + published).first { candidate in
            candidate.reference == resource.reference && !candidate.isSame(as: resource)
        }
    }

    /// - Returns: nil if it is of another document, or none's.
    func raw(_ key: ResourceReference, of document: String) -> TranslatedResource? {
        guard let resource = self[key], case .raw(let raw) = resource.content else { return nil }
        return raw.document == document ? resource : nil
    }

    /// A listener in somebody's own words need not ask for clusters on demand, so what it leads to has to be there.
    private mutating func makeReferredClustersEager() {
        for (_, raw) in self.untranslated {
            for reference in raw.references where reference.kind == .cluster {
                self.entries[.cluster]?[reference.name]?.isOnDemand = false
                self.entries[.endpoints]?[reference.name]?.isOnDemand = false
            }
        }
    }

    subscript(key: ResourceReference) -> TranslatedResource? {
        get { self.entries[key.kind]?[key.name] }
        set { self.entries[key.kind]?[key.name] = newValue }
    }
}

/// A resource that names what is missing, and what became of it.
private struct HeldBack {
    let resource: TranslatedResource
    let document: String
    let missing: [ResourceReference]
    var lastGood: TranslatedResource?

    init(_ resource: TranslatedResource, _ raw: RawContent, _ missing: [ResourceReference]) {
        self.resource = resource
        self.document = raw.document
        self.missing = missing
    }

    var diagnostic: Diagnostic {
        let missing = self.missing.map { "\($0.kind.words) '\($0.name)'" }
        let shown =
            missing.prefix(3).joined(separator: ", ") + (missing.count > 3 ? " and \(missing.count - 3) more" : "")
        return Diagnostic(
            .error,
            code: Diagnostic.inconsistencyCode,
            subject: "envoy-resource/\(self.document)",
            message:
                "\(self.resource.kind.words) '\(self.resource.name)' names what its proxies are not sent: \(shown); "
                + (self.lastGood == nil ? "it is held back" : "its last good version stays published"),
            cure: "correct the name, or write an envoy-resource of that name for the same gateways",
            origin: self.resource.origins.first ?? Origin(file: "")
        )
    }
}

extension Diagnostic {
    package static let inconsistencyCode = "SB212"
}
