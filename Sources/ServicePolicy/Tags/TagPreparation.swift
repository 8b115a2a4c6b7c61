// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// What the tags of one service come to, whatever others say: all but who has a host that several want. A class, as
/// there are thousands and few change.
final class PreparedTags: Sendable {
    /// With every host that the service may claim; others may have a better right to it.
    let routes: [(name: String, route: Route)]
    let serviceDefaults: ServiceDefaults?
    let failovers: [TargetID: [TargetID]]
    let diagnostics: [Diagnostic]
    let standing: TagStanding

    fileprivate init(_ preparation: TagPreparation) {
        self.routes = preparation.routes
        self.serviceDefaults = preparation.serviceDefaults
        self.failovers = preparation.failovers
        self.diagnostics = preparation.diagnostics
        self.standing = preparation.standing
    }
}

/// What a service said when it last said it well.
struct TagStanding: Hashable {
    struct Route: Hashable {
        var said: ServiceTags.Route
        /// Where it was served: asked again, nobody may be able to tell.
        var gateways: [GatewayAddress]
    }

    var routes: [String: Route] = [:]
    var settings = TagSettings()
}

/// Decides what the tags of one service come to.
struct TagPreparation {
    let tags: ServiceTags
    let context: TagContext
    let previous: TagStanding?
    fileprivate private(set) var routes: [(name: String, route: Route)] = []
    fileprivate private(set) var serviceDefaults: ServiceDefaults?
    fileprivate private(set) var failovers: [TargetID: [TargetID]] = [:]
    var diagnostics: [Diagnostic] = []
    fileprivate private(set) var standing: TagStanding

    private init(_ tags: ServiceTags, in context: TagContext, previous: TagStanding?) {
        self.tags = tags
        self.context = context
        self.previous = previous
        let settings = tags.settings.completed(by: previous?.settings ?? TagSettings(), tags.keptSettings)
        self.standing = TagStanding(settings: settings)
    }

    /// - Parameter previous: what the service said when it last said it well; nil if it was not there.
    static func prepared(_ tags: ServiceTags, in context: TagContext, previous: TagStanding?) -> PreparedTags {
        var preparation = TagPreparation(tags, in: context, previous: previous)
        let outcomes = preparation.prepare()
        preparation.reportFaults(outcomes)
        return PreparedTags(preparation)
    }

    /// - Returns: what became of each route.
    private mutating func prepare() -> [String: Outcome] {
        // Whoever wrote `enable` badly may have meant to end it.
        if self.previous == nil, self.tags.badSettings.contains(.enable) { self.standing.settings.isEnabled = false }
        let isEnabled = self.standing.settings.isEnabled ?? !self.context.options.requiresEnable
        let last = self.previous?.routes ?? [:]
        // How the service is spoken to is said of it whoever leads to it: a document may, or an entry.
        self.decideServiceDefaults()
        guard isEnabled, self.isAcceptable() else {
            // Not to be enabled is no reason to forget it while nobody can be asked.
            if self.tags.isRefused || !self.tags.hasLasting { self.standing.routes = last }
            return [:]
        }
        var routes = self.tags.routes
        let kept = last.filter { routes[$0.key] == nil && self.tags.keeps($0.key, $0.value.said) }
        if self.standing.settings.isEnabled == true, routes.isEmpty, kept.isEmpty, self.tags.badRoutes.isEmpty,
            self.mayNameNoHost
        {
            routes[""] = ServiceTags.Route(statement: RouteStatement(), isOfCanaries: false)
        }
        let settings = self.heededSettings()
        var outcomes: [String: Outcome] = [:]
        let names = Set(routes.keys).union(kept.keys).sorted()
        for (name, chosen) in self.chosen(of: names, routes, last) {
            self.standing.routes[name] = chosen.standing
            guard let route = chosen.inForce?.said, let gateways = chosen.inForce?.gateways else {
                outcomes[name] = .leftOut
                continue
            }
            outcomes[name] = route == routes[name] ? .said : .kept
            let hosts = self.permittedHosts(of: route, named: name)
            guard !hosts.isEmpty else { continue }
            let rules = TagRules(route, settings: settings, of: self.tags)
            self.failovers.merge(rules.failovers) { first, _ in first }
            self.routes.append(
                (
                    name,
                    Route(
                        name: RouteName(tags: name, of: self.tags.service),
                        hostnames: hosts == ["*"] ? [] : hosts,
                        gateways: gateways.map {
                            Route.GatewayReference(
                                gateway: $0.gateway,
                                listener: $0.listener,
                                origin: self.tags.origin
                            )
                        },
                        rules: rules.rules,
                        origin: self.tags.origin
                    )
                )
            )
        }
        return outcomes
    }

    /// Whether there is a host for a route that names none: to be enabled, and no more, may be meant for routes of documents.
    private var mayNameNoHost: Bool {
        let options = self.context.options
        return options.defaultDomain != nil || options.ownership.verdict(on: "*", for: self.tags.service) == .permitted
    }

    private mutating func isAcceptable() -> Bool {
        guard !self.tags.routes.isEmpty || !self.tags.badRoutes.isEmpty || self.tags.settings.isEnabled == true else {
            return true
        }
        if self.context.named.contains(self.tags.service) {
            self.report(
                .decidedElsewhere,
                "a document describes the service: its tags make no routes",
                cure: "take the tags out, or the document"
            )
            return false
        }
        if !TextSyntax.isName(self.tags.service.rawValue[...]) {
            self.report(
                .badValue,
                "the service's name cannot be part of a route's: its tags make no routes",
                cure: "name it with letters, digits, dots, dashes and underscores, a letter or a digit first"
            )
            return false
        }
        return true
    }

    /// The hosts that the service may claim.
    private mutating func permittedHosts(of route: ServiceTags.Route, named name: String) -> [String] {
        var hosts = route.statement.hostnames ?? ["*"]
        if route.statement.hostnames == nil, let domain = self.context.options.defaultDomain {
            hosts = ["\(self.tags.service).\(domain)".lowercased()]
            guard TextSyntax.isHostname(hosts[0][...]) else {
                self.report(
                    .badCombination,
                    "\(routeLabel(name)) names no host, and the service's name cannot be part of one; it is left out",
                    cure: "write host=<host>"
                )
                return []
            }
        }
        let verdicts = hosts.map { ($0, self.context.options.ownership.verdict(on: $0, for: self.tags.service)) }
        let notOwned = verdicts.filter { $0.1 == .notOwned }.map(\.0)
        if !notOwned.isEmpty {
            self.report(
                .hostNotPermitted,
                "\(routeLabel(name)) loses \(notOwned.hostList): no rule of ownership lets this service have it",
                cure: "use a host that is the service's, or have the operator add a rule to tags.hosts, such as "
                    + "\(notOwned[0].printable)=\(self.tags.service.rawValue.printable)"
            )
        }
        let tooWide = verdicts.filter { $0.1 == .tooWide }.map(\.0)
        if !tooWide.isEmpty {
            let everyHost = route.statement.hostnames == nil ? "no tag names a host, and every host" : tooWide.hostList
            self.report(
                .hostNotPermitted,
                "\(routeLabel(name)) is left out for what is too wide: \(everyHost) is not for tags to claim",
                cure:
                    "write host=<host>, or have the operator add a rule with just this pattern to tags.hosts, such as "
                    + "\(tooWide[0].printable)=\(self.tags.service.rawValue.printable)"
            )
        }
        return verdicts.filter { $0.1 == .permitted }.map(\.0)
    }

    /// What the routes have of the settings: of the canaries only if no entry decides where requests go.
    private mutating func heededSettings() -> TagSettings {
        var settings = self.standing.settings
        let service = self.tags.service
        if settings.canaryWeight != nil || settings.canaryHeader != nil,
            let key = self.context.decidingKey(of: service)
        {
            settings.canaryWeight = nil
            settings.canaryHeader = nil
            self.report(
                .decidedElsewhere,
                "canary.weight and canary.header are not heeded: \(key) decides where the service's requests go",
                cure: "take the tags out, or the config entry"
            )
        }
        return settings
    }

    /// Documents and config entries come first.
    private mutating func decideServiceDefaults() {
        let settings = self.standing.settings
        let service = self.tags.service
        guard let defaults = ServiceDefaults(settings, of: self.tags) else { return }
        guard self.context.policy.serviceDefaults[service] == nil else {
            self.report(
                .decidedElsewhere,
                "protocol, lb and connect-timeout are not heeded: the document service-defaults/\(service) decides",
                cure: "take the tags out, or the document"
            )
            return
        }
        let (merged, overruled) = self.context.entries.overruling(defaults, settings)
        self.serviceDefaults = merged
        if !overruled.isEmpty {
            self.report(
                .decidedElsewhere,
                "\(overruled.map(\.label).joined(separator: ", ")): not heeded, as config entries decide",
                cure: "take the tags out, or what the config entries say of it"
            )
        }
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

extension RouteName {
    init(tags route: String, of service: ServiceName) {
        self.init(route.isEmpty ? "\(service)@tags" : "\(service)/\(route)@tags")
    }
}
