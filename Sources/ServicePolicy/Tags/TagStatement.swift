// SPDX-License-Identifier: Apache-2.0

package import Routing

/// A route as tags describe it: without what is the same for all routes of a service.
package struct RouteStatement: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case forward(rewrite: Rewrite?, timeout: Duration?, retry: Retry?)
        case redirect(Redirect)
    }

    /// In lower case and in their order; "*" is every host. Nil: no tag names one.
    package var hostnames: [String]?
    /// In their order. Nil: no tag names one.
    package var gateways: [GatewayAddress]?
    /// At least one.
    package var matches: [Match]
    package var action: Action
    /// What says so: of two statements that as many instances make, the one with the smaller tags is believed.
    package var tags: [String]

    package init(
        hostnames: [String]? = nil,
        gateways: [GatewayAddress]? = nil,
        matches: [Match] = [Match()],
        action: Action = .forward(rewrite: nil, timeout: nil, retry: nil),
        tags: [String] = []
    ) {
        self.hostnames = hostnames
        self.gateways = gateways
        self.matches = matches
        self.action = action
        self.tags = tags
    }
}

/// What tags say of a service as a whole. Nil where they are silent.
package struct TagSettings: Hashable, Sendable {
    package var isEnabled: Bool?
    package var `protocol`: ServiceDefaults.`Protocol`?
    package var loadBalancer: ServiceDefaults.LoadBalancerPolicy?
    package var connectTimeout: Duration?
    /// The share of the canaries of all requests, in per cent, 0...100.
    package var canaryWeight: Int?
    /// Requests with this header go to canaries.
    package var canaryHeader: Match.ValueMatch?

    package init() {}

    /// With `other`'s word where this is silent.
    func completed(by other: TagSettings, _ settings: Set<TagSetting> = Set(TagSetting.allCases)) -> TagSettings {
        var result = self
        for setting in settings {
            switch setting {
            case .enable: result.isEnabled = self.isEnabled ?? other.isEnabled
            case .protocol: result.protocol = self.protocol ?? other.protocol
            case .loadBalancer: result.loadBalancer = self.loadBalancer ?? other.loadBalancer
            case .connectTimeout: result.connectTimeout = self.connectTimeout ?? other.connectTimeout
            case .canaryWeight: result.canaryWeight = self.canaryWeight ?? other.canaryWeight
            case .canaryHeader: result.canaryHeader = self.canaryHeader ?? other.canaryHeader
            }
        }
        return result
    }
}

/// Each of `TagSettings`.
package enum TagSetting: String, Hashable, Sendable, CaseIterable {
    case enable
    case `protocol`
    case loadBalancer
    case connectTimeout
    case canaryWeight
    case canaryHeader
}
