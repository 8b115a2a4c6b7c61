// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Which services may claim which hosts by their tags: whoever may register a service could otherwise take every host.
///
/// Without rules, every host may be claimed, and no wildcard that is as wide as a registry hands out (`*.com`). With
/// rules, a host may be claimed if one of them says so. What is in documents is the operator's own word and not asked
/// about.
package struct HostOwnership: Hashable, Sendable {
    package var rules: [Rule]

    package init(rules: [Rule] = []) {
        self.rules = rules
    }

    package enum Verdict: Hashable, Sendable {
        case permitted
        /// There are rules, and none of them is for this host and this service.
        case notOwned
        /// A wildcard of the whole of a registry, or every host, and no rule that has exactly this pattern.
        case tooWide
    }

    /// - Parameter host: in lower case: a host name, `*.` and a host name, or `*` for every host.
    package func verdict(on host: String, for service: ServiceName) -> Verdict {
        if Self.isWide(host) {
            let isNamed = self.rules.contains { rule in
                rule.services.contains { $0.covers(service) } && rule.hosts.contains { $0.text == host }
            }
            return isNamed ? .permitted : .tooWide
        }
        return self.rules.isEmpty || self.rules.contains { $0.covers(host, service) } ? .permitted : .notOwned
    }

    package struct Rule: Hashable, Sendable {
        package var hosts: [HostPattern]
        package var services: [ServicePattern]

        package init(hosts: [HostPattern], services: [ServicePattern]) {
            self.hosts = hosts
            self.services = services
        }

        func covers(_ host: String, _ service: ServiceName) -> Bool {
            self.services.contains { $0.covers(service) } && self.hosts.contains { $0.covers(host) }
        }
    }

    /// `web.example.com`: this host. `*.example.com`: all hosts below, however deep, and wildcards of them. `*`: all.
    package struct HostPattern: Hashable, Sendable {
        /// In lower case.
        package let text: String

        /// Nil if it is no pattern.
        package init?(_ text: String) {
            guard text == "*" || TextSyntax.isHostname(text.hasPrefix("*.") ? text.dropFirst(2) : text[...]) else {
                return nil
            }
            self.text = text.lowercased()
        }

        func covers(_ host: String) -> Bool {
            if self.text == "*" { return true }
            // "*.example.com" ends like ".example.com", too: a wildcard may be claimed by who may claim all below it.
            return self.text.hasPrefix("*") ? host.hasSuffix(self.text.dropFirst()) : host == self.text
        }
    }

    /// The name of a service; a `*` at its end stands for any rest.
    package struct ServicePattern: Hashable, Sendable {
        package let text: String

        /// Nil if it is no pattern.
        package init?(_ text: String) {
            guard !text.isEmpty, !text.dropLast().contains("*"), !TextSyntax.hasControlCharacters(text) else {
                return nil
            }
            self.text = text
        }

        func covers(_ service: ServiceName) -> Bool {
            self.text.hasSuffix("*")
                ? service.rawValue.hasPrefix(self.text.dropLast()) : service.rawValue == self.text
        }
    }

    /// Whether a wildcard is for all that a registry hands out: `*`, `*.com`, `*.co.uk`.
    private static func isWide(_ host: String) -> Bool {
        guard host.hasPrefix("*") else { return false }
        let labels = host.split(separator: ".").dropFirst()
        guard labels.count == 2, let first = labels.first, let last = labels.last else { return labels.count < 2 }
        return last.utf8.count == 2 && Self.registryLabels.contains(String(first))
    }

    /// Below a country's domain, what is a registry's own in most of them.
    private static let registryLabels: Set<String> = [
        "ac", "co", "com", "edu", "gob", "gov", "govt", "gouv", "go", "ltd", "mil", "ne", "net", "nom", "or", "org",
        "plc",
        "sch",
    ]
}
