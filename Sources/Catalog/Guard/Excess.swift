// SPDX-License-Identifier: Apache-2.0

/// How much of a source went within the window, and how much may.
package struct Excess: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case services
        case instances
        case configEntries
    }

    package var kind: Kind
    package var gone: Int
    /// Of those that are there, and those that went.
    package var all: Int
    /// What may go in any case, the share in per cent that may, and in what time.
    package var limit: Int
    package var fraction: Int
    package var window: Duration

    package init(kind: Kind, gone: Int, all: Int, rules: CatalogGuard.SourceRules) {
        self.kind = kind
        self.gone = gone
        self.all = all
        self.limit = kind == .instances ? rules.instanceLimit : rules.serviceLimit
        self.fraction = rules.fraction
        self.window = rules.window
    }

    var isTooMuch: Bool { self.gone > self.limit && self.gone * 100 > self.fraction * self.all }
}
