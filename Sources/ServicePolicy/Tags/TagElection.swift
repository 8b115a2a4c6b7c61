// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Combines what the instances of a service say.
///
/// - Of a route, and of each setting, counts what most of the instances say that speak of it at all; if as many say
///   something else, what has the smaller tags. What an instance says badly does not count.
/// - Canaries are not asked about what other instances speak of. A route of which only they speak leads to them; the
///   share of the canaries is what all may speak of.
struct TagElection {
    private struct Votes<Value: Hashable> {
        var lasting: [Value: Int] = [:]
        var canaries: [Value: Int] = [:]

        mutating func add(_ value: Value, isCanary: Bool, count: Int) {
            if isCanary { self.canaries[value, default: 0] += count } else { self.lasting[value, default: 0] += count }
        }

        func winner(by order: (Value, Value) -> Bool) -> (value: Value, isOfCanaries: Bool, isContested: Bool)? {
            let isOfCanaries = self.lasting.isEmpty
            let ballot = isOfCanaries ? self.canaries : self.lasting
            let best = ballot.min { left, right in
                left.value == right.value ? order(left.key, right.key) : left.value > right.value
            }
            return best.map { winner in
                (winner.key, isOfCanaries, ballot.count > 1 || self.canaries.contains { $0.key != winner.key })
            }
        }
    }

    /// What is said badly.
    private struct Bad {
        var routes: Set<String> = []
        var settings: Set<TagSetting> = []
        var isRefused = false

        mutating func add(_ statements: TagStatements) {
            self.routes.formUnion(statements.badRoutes)
            self.settings.formUnion(statements.badSettings)
            self.isRefused = self.isRefused || statements.isRefused
        }
    }

    private var routes: [String: Votes<RouteStatement>] = [:]
    /// The values have that one setting.
    private var settings: [TagSetting: Votes<TagSettings>] = [:]
    private var badOfLasting = Bad()
    private var badOfCanaries = Bad()
    private var faults: Set<TagFault> = []

    mutating func add(_ statements: TagStatements, isCanary: Bool, count: Int) {
        for (name, statement) in statements.routes {
            self.routes[name, default: Votes()].add(statement, isCanary: isCanary, count: count)
        }
        for setting in TagSetting.allCases {
            let value = TagSettings().completed(by: statements.settings, [setting])
            guard value != TagSettings() else { continue }
            self.settings[setting, default: Votes()].add(
                value,
                isCanary: isCanary && !setting.isOfCanaries,
                count: count
            )
        }
        if isCanary { self.badOfCanaries.add(statements) } else { self.badOfLasting.add(statements) }
        self.faults.formUnion(statements.faults)
    }

    /// - Parameter faults: what else was found.
    func result(of input: TagInput, faults: [TagFault]) -> ServiceTags {
        var tags = ServiceTags(service: input.service, origin: input.origin)
        var faults = self.faults.union(faults)
        tags.hasLasting = input.hasLasting
        for (name, votes) in self.routes {
            guard let winner = votes.winner(by: { $0.tags.lexicographicallyPrecedes($1.tags) }) else { continue }
            // Of a route that the others speak of, only badly, the canaries' word would send all requests to them.
            let isBad = self.badOfLasting.isRefused || self.badOfLasting.routes.contains(name)
            if winner.isOfCanaries && isBad { continue }
            tags.routes[name] = ServiceTags.Route(statement: winner.value, isOfCanaries: winner.isOfCanaries)
            if winner.isContested { faults.insert(.disagreement(onRoute: name, winner.value)) }
        }
        for (setting, votes) in self.settings {
            guard let winner = votes.winner(by: { $0.text(of: setting) < $1.text(of: setting) }) else { continue }
            // It would be about all instances.
            if winner.isOfCanaries && input.hasLasting {
                faults.insert(.spokenByCanariesOnly(setting, winner.value))
                continue
            }
            tags.settings = tags.settings.completed(by: winner.value)
            if winner.isContested { faults.insert(.disagreement(on: setting, winner.value)) }
        }
        tags.badRoutes = self.badOfLasting.routes.union(self.badOfCanaries.routes).subtracting(tags.routes.keys)
        tags.isRefused = self.badOfLasting.isRefused || self.badOfCanaries.isRefused
        tags.badSettings = self.badOfLasting.settings.union(self.badOfCanaries.settings).filter {
            tags.settings.text(of: $0).isEmpty
        }
        tags.faults = faults.sorted { ($0.code.rawValue, $0.message) < ($1.code.rawValue, $1.message) }
        return tags
    }
}

extension TagSettings {
    /// For messages and for an order; empty if the tags are silent.
    func text(of setting: TagSetting) -> String {
        switch setting {
        case .enable: self.isEnabled.map { "\($0)" } ?? ""
        case .protocol: self.protocol?.rawValue ?? ""
        case .loadBalancer: self.loadBalancer?.rawValue ?? ""
        case .connectTimeout: self.connectTimeout.map { "\($0)" } ?? ""
        case .canaryWeight: self.canaryWeight.map(String.init) ?? ""
        case .canaryHeader: self.canaryHeader.map { "\($0.name) \($0.value)" } ?? ""
        }
    }
}

extension TagFault {
    private static let cureOfDisagreement =
        "give all instances the same tags; while a new version is rolled out this goes away by itself"

    fileprivate static func disagreement(onRoute name: String, _ winner: RouteStatement) -> TagFault {
        let tags = winner.tags.prefix(6).map(\.excerpt).joined(separator: ", ") + (winner.tags.count > 6 ? ", ..." : "")
        return TagFault(
            .instancesDisagree,
            cost: .nothing,
            "the tags of the instances disagree about \(routeLabel(name)); what most say counts: \(tags)",
            cure: Self.cureOfDisagreement
        )
    }

    fileprivate static func disagreement(on setting: TagSetting, _ winner: TagSettings) -> TagFault {
        TagFault(
            .instancesDisagree,
            cost: .nothing,
            "the tags of the instances disagree about \(setting.label); what most say counts: "
                + winner.text(of: setting).excerpt,
            cure: Self.cureOfDisagreement
        )
    }

    fileprivate static func spokenByCanariesOnly(_ setting: TagSetting, _ value: TagSettings) -> TagFault {
        TagFault(
            .instancesDisagree,
            cost: .nothing,
            "only canaries speak of \(setting.label) (\(value.text(of: setting).excerpt)), which is about all "
                + "instances: it counts once they are promoted",
            cure: "give it to the other instances, too, or to none"
        )
    }
}

extension TagSetting {
    fileprivate var isOfCanaries: Bool { self == .canaryWeight || self == .canaryHeader }
}

/// For messages.
func routeLabel(_ name: String) -> String {
    name.isEmpty ? "the route" : "the route \(name.excerpt)"
}

extension TagSetting {
    /// For messages.
    var label: String {
        switch self {
        case .enable, .protocol: self.rawValue
        case .loadBalancer: "the load balancer"
        case .connectTimeout: "the connect timeout"
        case .canaryWeight: "the share of the canaries"
        case .canaryHeader: "the header for canaries"
        }
    }
}
