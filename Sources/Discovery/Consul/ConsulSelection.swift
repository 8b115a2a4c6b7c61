// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Which services of a catalog are taken, and which of their instances.
struct ConsulSelection: Hashable, Sendable {
    /// Of the servers themselves: in every catalog, and never routed to.
    static let consul = "consul"

    private let enabled: String
    private let disabled: String
    private var names: Set<String> = []
    private var prefixes: [String] = []
    private let isExposedByDefault: Bool

    /// - Parameter patterns: names, each exact or with a `*` at its end.
    init(patterns: [String], isExposedByDefault: Bool, tagPrefix: String = "signalbox.") {
        self.isExposedByDefault = isExposedByDefault
        self.enabled = tagPrefix + "enable=true"
        self.disabled = tagPrefix + "enable=false"
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
        self.init(
            patterns: configuration.services,
            isExposedByDefault: configuration.isExposedByDefault,
            tagPrefix: configuration.tagPrefix
        )
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

    /// Whether it is to be read. What its instances say of themselves decides then.
    ///
    /// - Parameter tags: of all its instances together.
    func takes(_ service: String, tags: [String]) -> Bool {
        self.mayTake(service) && (self.isExposedByDefault || tags.contains(self.enabled))
    }

    /// Whether it is to be read, with the right tags.
    func mayTake(_ service: String) -> Bool {
        guard service != Self.consul, !service.isEmpty else { return false }
        return self.names.contains(service) || self.prefixes.contains { service.hasPrefix($0) }
    }

    /// Why a service that is listed is not read; nil: it is, or is none that anybody looks for.
    func untaken(_ service: String, tags: [String]) -> Untaken? {
        guard service != Self.consul, !service.isEmpty, !self.takes(service, tags: tags) else { return nil }
        return self.mayTake(service)
            ? Untaken(
                reason: "consul.exposed.by.default is false, and no instance of it is tagged \(self.enabled)",
                cure: "tag it \(self.enabled)"
            )
            : Untaken(
                reason: "consul.services does not have it",
                cure: "add the name to consul.services (--consul-services)"
            )
    }

    /// Whether an instance wants no requests. Another one of the service has no say in that.
    func leavesOut(tags: [String]) -> Bool { tags.contains(self.disabled) }
}
