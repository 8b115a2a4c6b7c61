// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// One run of `mergeTags`.
struct TagMerge {
    /// A route with everything decided but who has which host.
    private struct Candidate {
        var tags: ServiceTags
        var name: String
        var route: ServiceTags.Route
        var settings: TagSettings
        var gateways: [Route.GatewayReference]
        /// Those that the service may claim.
        var hosts: [String]
    }

    let policy: Policy
    let options: TagOptions
    private let previous: TagPolicy?
    private var candidates: [Candidate] = []
    private var merged = TagPolicy()

    init(policy: Policy, options: TagOptions, previous: TagPolicy?) {
        self.policy = policy
        self.options = options
        self.previous = previous
    }

    mutating func add(_ tags: ServiceTags, isNamed: Bool) {
        let previous = self.previous?.standing[tags.service]
        let settings = tags.settings.completed(by: previous?.settings ?? TagSettings(), tags.keptSettings)
        var standing = TagPolicy.Standing(settings: settings)
        var outcomes: [String: Outcome] = [:]
        defer { self.report(tags, outcomes, hadSettings: previous != nil) }

        // Whoever wrote `enable` badly may have meant to end it.
        let isUnsure = tags.badSettings.contains(.enable) && previous == nil
        let isEnabled = settings.isEnabled ?? (!self.options.requiresEnable && !isUnsure)
        guard isEnabled, self.isAcceptable(tags, isNamed: isNamed) else {
            // Not to be enabled is no reason to forget it while nobody can be asked.
            if tags.isRefused || !tags.hasLasting { standing.routes = previous?.routes ?? [:] }
            self.merged.standing[tags.service] = standing
            return
        }
        var routes = tags.routes
        let kept = (previous?.routes ?? [:]).filter { routes[$0.key] == nil && tags.keeps($0.key, $0.value) }
        if settings.isEnabled == true, routes.isEmpty, kept.isEmpty, tags.badRoutes.isEmpty {
            routes[""] = ServiceTags.Route(statement: RouteStatement(), isOfCanaries: false)
        }
        for name in Set(routes.keys).union(kept.keys).sorted() {
            let chosen = self.choose(routes[name], previous?.routes[name], of: tags, named: name)
            standing.routes[name] = chosen.standing
            outcomes[name] = routes[name] != nil && chosen.route == routes[name] ? .said : .kept
            guard let route = chosen.route else {
                outcomes[name] = .leftOut
                continue
            }
            let hosts = self.permittedHosts(of: route, of: tags, named: name)
            guard !hosts.isEmpty else { continue }
            self.candidates.append(
                Candidate(
                    tags: tags,
                    name: name,
                    route: route,
                    settings: settings,
                    gateways: chosen.gateways,
                    hosts: hosts
                )
            )
        }
        self.addDefaults(settings, of: tags)
        self.merged.standing[tags.service] = standing
    }

    mutating func result() -> TagPolicy {
        var claims = TagClaims(of: self.policy, hosts: Set(self.candidates.lazy.flatMap(\.hosts)))
        for candidate in self.candidates {
            let rules = TagRules(candidate.route, settings: candidate.settings, of: candidate.tags)
            let claimed = claims.claim(
                candidate.hosts,
                matches: rules.matches,
                gateways: candidate.gateways,
                by: "\(routeLabel(candidate.name)) of service/\(candidate.tags.service)"
            )
            for (winner, hosts) in claimed.lost.sorted(by: { $0.key < $1.key }) {
                self.report(
                    .conflict,
                    candidate.tags,
                    "\(routeLabel(candidate.name)) loses \(hosts.hostList): \(winner) has the same conditions for it",
                    cure: "take it out of one of the two, or tell them apart by path, method or headers"
                )
            }
            guard !claimed.won.isEmpty else { continue }
            let name = RouteName(tags: candidate.name, of: candidate.tags.service)
            self.merged.routes[name] = Route(
                name: name,
                hostnames: claimed.won == ["*"] ? [] : claimed.won,
                gateways: candidate.gateways,
                rules: rules.rules,
                origin: candidate.tags.origin
            )
            self.merged.failovers.merge(rules.failovers) { first, _ in first }
        }
        self.merged.diagnostics = self.merged.diagnostics.inOrder
        return self.merged
    }

    // MARK: Decisions about one service

    private mutating func isAcceptable(_ tags: ServiceTags, isNamed: Bool) -> Bool {
        guard !tags.routes.isEmpty || !tags.badRoutes.isEmpty || tags.settings.isEnabled == true else { return true }
        if isNamed {
            self.report(
                .decidedElsewhere,
                tags,
                "a document describes the service: its tags make no routes",
                cure: "take the tags out, or the document"
            )
            return false
        }
        if !TextSyntax.isName(tags.service.rawValue[...]) {
            self.report(
                .badValue,
                tags,
                "the service's name cannot be part of a route's: its tags make no routes",
                cure: "name it with letters, digits, dots, dashes and underscores, a letter or a digit first"
            )
            return false
        }
        return true
    }

    /// What comes into force for a route, at which gateways, and what is remembered of it.
    private mutating func choose(
        _ said: ServiceTags.Route?,
        _ last: ServiceTags.Route?,
        of tags: ServiceTags,
        named name: String
    ) -> (route: ServiceTags.Route?, gateways: [Route.GatewayReference], standing: ServiceTags.Route?) {
        let lastGateways = last.map { TagGateways($0.statement, self.policy, self.options, tags.origin) }
        guard let said else {
            let gateways = lastGateways?.known ?? []
            return (gateways.isEmpty ? nil : last, gateways, last)
        }
        let gateways = TagGateways(said.statement, self.policy, self.options, tags.origin)
        guard let problem = gateways.problem else { return (said, gateways.known, said) }

        let isKept = last != nil && last != said && lastGateways?.known.isEmpty == false
        let consequence =
            isKept
            ? "its last good version stays in force"
            : gateways.known.isEmpty ? "it is left out" : "it is served by its other gateways"
        self.report(.unknownGateway, tags, "\(routeLabel(name)): \(problem); \(consequence)", cure: gateways.cure)
        if isKept { return (last, lastGateways?.known ?? [], last) }
        return gateways.known.isEmpty ? (nil, [], last) : (said, gateways.known, last ?? said)
    }

    /// The hosts that the service may claim.
    private mutating func permittedHosts(
        of route: ServiceTags.Route,
        of tags: ServiceTags,
        named name: String
    ) -> [String] {
        var hosts = route.statement.hostnames ?? ["*"]
        if route.statement.hostnames == nil, let domain = self.options.defaultDomain {
            hosts = ["\(tags.service)".lowercased() + "." + domain]
            guard TextSyntax.isHostname(hosts[0][...]) else {
                self.report(
                    .badCombination,
                    tags,
                    "\(routeLabel(name)) names no host, and the service's name cannot be part of one; it is left out",
                    cure: "write host=<host>"
                )
                return []
            }
        }
        let verdicts = hosts.map { ($0, self.options.ownership.verdict(on: $0, for: tags.service)) }
        let notOwned = verdicts.filter { $0.1 == .notOwned }.map(\.0)
        if !notOwned.isEmpty {
            self.report(
                .hostNotPermitted,
                tags,
                "\(routeLabel(name)) loses \(notOwned.hostList): no rule of ownership lets this service have it",
                cure: "use a host that is the service's, or have the operator add a rule"
            )
        }
        let tooWide = verdicts.filter { $0.1 == .tooWide }.map(\.0)
        if !tooWide.isEmpty {
            let everyHost = route.statement.hostnames == nil ? "no tag names a host, and every host" : tooWide.hostList
            self.report(
                .hostNotPermitted,
                tags,
                "\(routeLabel(name)) is left out for what is too wide: \(everyHost) is not for tags to claim",
                cure: "write host=<host>, or have the operator add a rule of ownership with just this pattern"
            )
        }
        return verdicts.filter { $0.1 == .permitted }.map(\.0)
    }

    private mutating func addDefaults(_ settings: TagSettings, of tags: ServiceTags) {
        guard let defaults = ServiceDefaults(settings, of: tags) else { return }
        guard self.policy.serviceDefaults[tags.service] == nil else {
            self.report(
                .decidedElsewhere,
                tags,
                "protocol, lb and connect-timeout are not heeded: service-defaults of that name decide",
                cure: "take the tags out, or the service-defaults"
            )
            return
        }
        self.merged.serviceDefaults[tags.service] = defaults
    }

    // MARK: Reports

    private enum Outcome { case said, kept, leftOut }

    /// Reports what is wrong with the tags of one service, and what it costs.
    private mutating func report(_ tags: ServiceTags, _ outcomes: [String: Outcome], hadSettings: Bool) {
        for fault in tags.faults.prefix(ServiceTags.maximumFaults) {
            let consequence: String? =
                switch fault.cost {
                case .nothing: nil
                case .route(let name):
                    switch outcomes[name] {
                    case .said: "what other instances say of \(routeLabel(name)) counts"
                    case .kept: "\(routeLabel(name)) stays as it was last good"
                    case .leftOut, nil: "\(routeLabel(name)) is left out"
                    }
                case .setting(let setting) where !tags.badSettings.contains(setting): "what other instances say counts"
                case .setting(.enable) where !hadSettings: "until it is right the service has no routes"
                case .setting(let setting): "\(setting.label) stays as it was"
                }
            self.report(
                fault.code,
                tags,
                fault.message + (consequence.map { "; \($0)" } ?? ""),
                cure: fault.cure
            )
        }
        let rest = tags.faults.count - ServiceTags.maximumFaults
        if rest > 0 {
            self.report(.tooMany, tags, "\(rest) more tags are wrong", cure: "cure those that are named")
        }
    }

    private mutating func report(_ code: TagCode, _ tags: ServiceTags, _ message: String, cure: String) {
        self.merged.diagnostics.append(
            Diagnostic(
                code.severity,
                code: code.rawValue,
                subject: "service/\(tags.service.rawValue.printable)",
                message: message,
                cure: cure,
                origin: tags.origin
            )
        )
    }
}

extension ServiceTags {
    /// The settings that stay as they were where nobody speaks of them.
    fileprivate var keptSettings: Set<TagSetting> {
        self.hasLasting && !self.isRefused ? self.badSettings : Set(TagSetting.allCases)
    }

    /// Whether a route that nobody speaks of well stays as it was.
    fileprivate func keeps(_ name: String, _ route: Route) -> Bool {
        self.badRoutes.contains(name) || self.isRefused || (!self.hasLasting && !route.isOfCanaries)
    }
}

extension TagCode {
    fileprivate var severity: Diagnostic.Severity {
        switch self {
        case .instancesDisagree, .decidedElsewhere: .warning
        case .unknownTag, .badValue, .unknownGateway, .conflict, .hostNotPermitted, .badCombination, .tooMany: .error
        }
    }
}

extension RouteName {
    fileprivate init(tags route: String, of service: ServiceName) {
        self.init(route.isEmpty ? "\(service)@tags" : "\(service)/\(route)@tags")
    }
}

extension [String] {
    /// For messages.
    fileprivate var hostList: String {
        let hosts = self.prefix(5).map { $0 == "*" ? "every host" : $0.excerpt }.joined(separator: ", ")
        return self.count > 5 ? "\(hosts) and \(self.count - 5) more hosts" : hosts
    }
}
