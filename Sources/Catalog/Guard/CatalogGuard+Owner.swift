// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// Who has a service, if several do.
    package static let precedence: [SourceName] = [.file, .consul, .nomad]

    /// What each source knows of a service.
    func claims(to name: ServiceName) -> Claims {
        Claims(
            all: Self.precedence.compactMap { source in
                self.sources[source]?.services.records[name].map { (source, $0) }
            }
        )
    }

    func sharedDiagnostic(_ name: ServiceName) -> Diagnostic? {
        let claims = self.claims(to: name)
        let claimants = claims.claimants
        guard let owner = claims.owner, claimants.count > 1,
            let other = claimants.last(where: { $0 != owner }),
            let origin = self.sources[other]?.services.records[name]?.said?.origin
        else { return nil }
        let without = claimants.prefix { $0 != owner }.map(\.rawValue)
        let reason =
            without.isEmpty
            ? ""
            : ", as long as \(without.joined(separator: " and ")) \(without.count == 1 ? "has" : "have") "
                + "no routable instance"
        return Diagnostic(
            .warning,
            code: "SB301",
            subject: "service/\(name)",
            message: "\(claimants.map(\.rawValue).joined(separator: " and ")) have a service of this name; "
                + "that of \(owner) is in force, as a whole\(reason)",
            cure: "register one of them under another name",
            origin: origin
        )
    }
}

/// Whose word counts for a service of a name that several sources have.
///
/// A source that begins or ceases to have a service of a name must not empty the proxies of one that has routable instances
/// of it: every move of a service from one source to another begins and ends like that. It follows from what there is, and
/// not from what was there first, so that a start from what was stored comes to the same.
struct Claims {
    /// In the order of precedence.
    let all: [(source: SourceName, record: ServiceRecord)]

    /// Nil: no source has it or holds anything of it.
    var owner: SourceName? {
        // Nearly always there is one, and its instances need no look.
        if self.all.count == 1 { return self.all[0].record.isClaim ? self.all[0].source : nil }
        return
            (self.all.first { $0.record.said?.instances.contains(where: \.isRoutable) == true }
            ?? self.all.first(where: \.record.hasHeld)
            ?? self.all.first { $0.record.said != nil })?.source
    }

    /// Those that have it, and the owner, if that merely holds it.
    var claimants: [SourceName] {
        let owner = self.owner
        return self.all.filter { $0.record.said != nil || $0.source == owner }.map(\.source)
    }
}

extension ServiceRecord {
    fileprivate var isClaim: Bool { self.said != nil || self.hasHeld }
}
