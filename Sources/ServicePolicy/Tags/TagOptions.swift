// SPDX-License-Identifier: Apache-2.0

import Catalog
package import Routing

/// What the operator's settings say about routes from tags.
package struct TagOptions: Hashable, Sendable {
    /// What our tags begin with, its dot included.
    package var prefix: String
    /// For routes whose tags name no gateway. Empty: the only gateway that there is.
    package var defaultGateways: [GatewayAddress]
    /// A route whose tags name no host is for the host `<service>.<domain>`. Nil: for every host, if it may.
    package var defaultDomain: String?
    /// Whether a service has to say `enable=true`. Otherwise, to say what a route is about is enough.
    package var requiresEnable: Bool
    package var ownership: HostOwnership

    package init(
        prefix: String = "signalbox.",
        defaultGateways: [GatewayAddress] = [],
        defaultDomain: String? = nil,
        requiresEnable: Bool = false,
        ownership: HostOwnership = HostOwnership()
    ) {
        self.prefix = prefix
        self.defaultGateways = defaultGateways
        self.defaultDomain = defaultDomain
        self.requiresEnable = requiresEnable
        self.ownership = ownership
    }

    /// Why it cannot be used, as "setting: what".
    package var problem: String? {
        if !self.prefix.hasSuffix(".") || !TextSyntax.isName(self.prefix[...]) || self.prefix.utf8.count > 64 {
            return
                "tags.prefix: \(self.prefix.excerpt) must be a word of letters, digits, dashes and underscores, and a dot"
        }
        if let domain = self.defaultDomain, !TextSyntax.isHostname(domain[...]) {
            return "tags.domain: \(domain.excerpt) is no host name"
        }
        return nil
    }
}

/// A gateway or one listener of it, as text names it: "edge" or "edge/http".
package struct GatewayAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let gateway: GatewayName
    /// Nil: every listener of the gateway.
    package let listener: String?

    /// Nil if the text is none.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy(TextSyntax.isName) else { return nil }
        self.gateway = GatewayName(String(parts[0]))
        self.listener = parts.count == 2 ? String(parts[1]) : nil
    }

    package init(gateway: GatewayName, listener: String? = nil) {
        self.gateway = gateway
        self.listener = listener
    }

    package var description: String { self.listener.map { "\(self.gateway)/\($0)" } ?? self.gateway.rawValue }

    package static func < (left: GatewayAddress, right: GatewayAddress) -> Bool {
        (left.gateway, left.listener ?? "") < (right.gateway, right.listener ?? "")
    }
}
