// SPDX-License-Identifier: Apache-2.0

extension CatalogGuard {
    /// What a source may tell.
    package enum Part: String, Hashable, Sendable, CaseIterable {
        case services
        case configEntries
        case documents

        /// For people.
        package var words: String { self == .configEntries ? "config entries" : self.rawValue }
    }

    package struct Settings: Sendable {
        /// Nothing is in force before each of these has been heard once, or is stood in for by what was stored.
        package var required: [SourceName: Set<Part>]
        /// Also the sources that a stored catalog is taken from.
        package var rules: [SourceName: SourceRules]

        package init(required: [SourceName: Set<Part>] = [:], rules: [SourceName: SourceRules] = [:]) {
            self.required = required
            self.rules = rules
        }

        func rules(for source: SourceName) -> SourceRules {
            self.rules[source] ?? (source == .file ? .trusted : SourceRules())
        }
    }

    /// How far a source is believed when it takes something away.
    package struct SourceRules: Sendable {
        /// In per cent: the share of the source's services, or of their routable instances, that may go within `window`.
        /// 0 turns the guard off: every removal is applied at once. 100 leaves only `lastInstanceGrace`.
        package var fraction = 50
        /// As many may go in any case.
        package var serviceLimit = 5
        package var instanceLimit = 20
        package var window = Duration.seconds(60)
        /// How long removals beyond the limits are held, each from when it is.
        package var grace = Duration.seconds(60)
        /// How long the last routable instances of a service are held if they are removed. 0: not at all.
        package var lastInstanceGrace = Duration.seconds(60)
        /// Whether an instance that becomes critical counts as removed, and is held as such, where the limits are exceeded.
        package var holdsCritical = true
        /// How many services that are gone stay known, without instances. The oldest are forgotten.
        package var rememberedServices = 10_000
        /// What of it is let in; nil lets in everything.
        package var input: InputRules? = InputRules()

        package init() {}

        /// For documents: they have a removal guard of their own, and their writer is the operator.
        package static let trusted: SourceRules = {
            var rules = SourceRules()
            rules.fraction = 0
            rules.rememberedServices = 0
            rules.input = nil
            return rules
        }()

        var isOff: Bool { self.fraction <= 0 }
    }
}

extension Set<CatalogGuard.Part> {
    /// For people: "services, config entries and documents".
    package var words: String {
        let words = CatalogGuard.Part.allCases.filter(self.contains).map(\.words)
        return words.count < 3
            ? words.joined(separator: " and ")
            : words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1]
    }
}
