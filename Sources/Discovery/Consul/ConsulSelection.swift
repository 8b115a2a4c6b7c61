// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Which services of a catalog are taken.
struct ConsulSelection: Hashable, Sendable {
    /// Of the servers themselves: in every catalog, and never routed to.
    static let consul = "consul"
    private static let enabled = "signalbox.enable=true"
    private static let disabled = "signalbox.enable=false"

    private var names: Set<String> = []
    private var prefixes: [String] = []
    private let isExposedByDefault: Bool

    /// - Parameter patterns: names, each exact or with a `*` at its end.
    init(patterns: [String], isExposedByDefault: Bool) {
        self.isExposedByDefault = isExposedByDefault
        for pattern in patterns {
            if pattern.hasSuffix("*") {
                self.prefixes.append(String(pattern.dropLast()))
            } else {
                self.names.insert(pattern)
            }
        }
        if self.prefixes.contains("") { self.prefixes = [""] }
    }

    init(_ configuration: ConsulConfiguration) {
        self.init(patterns: configuration.services, isExposedByDefault: configuration.isExposedByDefault)
    }

    /// Whether an agent answers for such a name. It is a part of a path, and what is not printed, or that leads elsewhere,
    /// is refused or redirected: https://pkg.go.dev/net/http#ServeMux
    static func canBeAsked(_ service: String) -> Bool {
        guard TextLimits().isName(service) else { return false }
        let isPrinted = service.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
            case .spaceSeparator: scalar == " "
            default: true
            }
        }
        let parts = service.split(separator: "/", omittingEmptySubsequences: false)
        return isPrinted && !parts.dropLast().contains("") && !parts.contains(".") && !parts.contains("..")
    }

    /// - Parameter tags: of all its instances together. One "no" among them counts more than any number of "yes".
    func takes(_ service: String, tags: [String]) -> Bool {
        guard service != Self.consul, !service.isEmpty else { return false }
        guard self.names.contains(service) || self.prefixes.contains(where: { service.hasPrefix($0) }) else {
            return false
        }
        var isExposed = self.isExposedByDefault
        for tag in tags where tag.utf8.count <= Self.disabled.utf8.count {
            if tag == Self.disabled { return false }
            if tag == Self.enabled { isExposed = true }
        }
        return isExposed
    }
}
