// SPDX-License-Identifier: Apache-2.0

/// How much of a source went within the window.
struct Excess: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case services
        case instances
        case configEntries
    }

    var kind: Kind
    var gone: Int
    /// Of those that are there, and those that went.
    var all: Int

    func isTooMuch(for rules: CatalogGuard.SourceRules) -> Bool {
        self.gone > self.limit(of: rules) && self.gone * 100 > rules.fraction * self.all
    }

    /// For people: what went, and the rule with its settings.
    func words(for rules: CatalogGuard.SourceRules) -> String {
        let (what, limit) =
            switch self.kind {
            case .services: ("services have no routable instance any more, which went", "catalog.removal.services")
            case .instances: ("instances went or turned critical", "catalog.removal.instances")
            case .configEntries: ("config entries went", "catalog.removal.services")
            }
        return "\(self.gone) of \(self.all) \(what) within \(rules.window.components.seconds) s "
            + "(catalog.removal.window.seconds), which is more than \(rules.fraction) % (catalog.removal.percent) "
            + "and more than \(self.limit(of: rules)) (\(limit))"
    }

    private func limit(of rules: CatalogGuard.SourceRules) -> Int {
        self.kind == .instances ? rules.instanceLimit : rules.serviceLimit
    }
}
