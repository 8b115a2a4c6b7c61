// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Which requests go where: the Gateway API's `HTTPRoute` without Kubernetes.
/// See https://gateway-api.sigs.k8s.io/reference/spec/#httproute
package struct Route: Hashable, Sendable {
    package var name: RouteName
    /// Lower case, exact ("web.example.com") or with a leading wildcard label ("*.example.com"). Empty: every host.
    package var hostnames: [String]
    /// At least one.
    package var gateways: [GatewayReference]
    /// At least one, in the order written.
    package var rules: [Rule]
    package var origin: Origin

    package init(
        name: RouteName,
        hostnames: [String] = [],
        gateways: [GatewayReference],
        rules: [Rule],
        origin: Origin
    ) {
        self.name = name
        self.hostnames = hostnames
        self.gateways = gateways
        self.rules = rules
        self.origin = origin
    }

    /// A gateway, or one listener of it: "edge" or "edge/http".
    package struct GatewayReference: Hashable, Sendable, CustomStringConvertible {
        package var gateway: GatewayName
        /// Nil: every listener of the gateway.
        package var listener: String?
        package var origin: Origin

        package init(gateway: GatewayName, listener: String? = nil, origin: Origin) {
            self.gateway = gateway
            self.listener = listener
            self.origin = origin
        }

        package var description: String {
            self.listener.map { "\(self.gateway)/\($0)" } ?? self.gateway.rawValue
        }
    }

    package struct Rule: Hashable, Sendable {
        /// One of them must hold. Never empty: a rule without matches gets one that matches every path.
        package var matches: [Match]
        package var action: Action
        package var requestHeaders: HeaderModifier
        package var responseHeaders: HeaderModifier
        /// For parts of its requests, in the order in which they are tried, and all of them before the rule's own action.
        /// Nobody writes them: they come of a service's router in Consul.
        package var refinements: [Refinement]
        package var origin: Origin

        package init(
            matches: [Match] = [Match()],
            action: Action,
            requestHeaders: HeaderModifier = HeaderModifier(),
            responseHeaders: HeaderModifier = HeaderModifier(),
            refinements: [Refinement] = [],
            origin: Origin
        ) {
            self.matches = matches.isEmpty ? [Match()] : matches
            self.action = action
            self.requestHeaders = requestHeaders
            self.responseHeaders = responseHeaders
            self.refinements = refinements
            self.origin = origin
        }
    }

    /// What becomes of a part of the requests of one match of a rule.
    package struct Refinement: Hashable, Sendable {
        /// Of the rule's match that it is a part of.
        package var matchIndex: Int
        /// Of the entry that it comes of.
        package var origin: Origin
        /// All that must hold, with what the rule's match says.
        package var match: Match
        package var action: Action
        package var requestHeaders: HeaderModifier
        package var responseHeaders: HeaderModifier

        package init(
            matchIndex: Int,
            match: Match,
            action: Action,
            requestHeaders: HeaderModifier = HeaderModifier(),
            responseHeaders: HeaderModifier = HeaderModifier(),
            origin: Origin
        ) {
            self.matchIndex = matchIndex
            self.origin = origin
            self.match = match
            self.action = action
            self.requestHeaders = requestHeaders
            self.responseHeaders = responseHeaders
        }
    }

    package enum Action: Hashable, Sendable {
        case forward(Forward)
        case redirect(Redirect)
    }

    /// Send the request on to one of the backends, by weight.
    package struct Forward: Hashable, Sendable {
        /// What Envoy takes for the timeout of a route that says nothing of it.
        package static let proxyTimeout = Duration.seconds(15)

        /// At least one.
        package var backends: [Backend]
        package var rewrite: Rewrite?
        /// For the whole request, retries included. Nil: Envoy's `proxyTimeout`. Zero: none.
        package var timeout: Duration?
        /// Without a byte in either direction. Nil: Envoy's default of 5 min. Zero: none.
        package var idleTimeout: Duration?
        package var retry: Retry?
        /// In this order.
        package var hashPolicies: [HashPolicy]

        package init(
            backends: [Backend],
            rewrite: Rewrite? = nil,
            timeout: Duration? = nil,
            idleTimeout: Duration? = nil,
            retry: Retry? = nil,
            hashPolicies: [HashPolicy] = []
        ) {
            self.backends = backends
            self.rewrite = rewrite
            self.timeout = timeout
            self.idleTimeout = idleTimeout
            self.retry = retry
            self.hashPolicies = hashPolicies
        }
    }

    package struct Backend: Hashable, Sendable {
        package static let weightRange = 0...1_000_000

        package var service: ServiceName
        package var subset: Subset
        /// The share is the weight over the sum of the rule's weights. 0...1,000,000, default 1.
        package var weight: Int
        /// Of the requests that this backend gets, after those of the rule.
        package var requestHeaders: HeaderModifier
        package var responseHeaders: HeaderModifier
        package var origin: Origin

        package init(
            service: ServiceName,
            subset: Subset = .all,
            weight: Int = 1,
            requestHeaders: HeaderModifier = HeaderModifier(),
            responseHeaders: HeaderModifier = HeaderModifier(),
            origin: Origin
        ) {
            self.service = service
            self.subset = subset
            self.weight = weight
            self.requestHeaders = requestHeaders
            self.responseHeaders = responseHeaders
            self.origin = origin
        }

        package var target: TargetID { TargetID(service: self.service, subset: self.subset) }
    }
}
