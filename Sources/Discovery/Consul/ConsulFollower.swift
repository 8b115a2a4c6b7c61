// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Follows all of a Consul: its datacenters and what else it keeps. Answers and the time go in; requests, events for
/// whoever wants to know, and the time of the next call come out.
struct ConsulFollower: Sendable {
    /// Connections for those who search.
    static let probers = 4
    /// Those that are left to services which are watched one by one, where others share connections.
    private static let leastFocus = 5

    private let configuration: ConsulConfiguration
    private let known: KnownWord
    private var datacenters: [ConsulDatacenter]
    private var policy: ConsulPolicy
    private var delivery = ConsulDelivery()
    private var effects: ConsulEffects
    private var report = ConsulReport()
    private var gate: ConsulGate
    /// How the preferred datacenter's link was.
    private var lastLink: ConsulLink.State = .unknown
    private var lastToken: Int?
    /// Whether its token had no rights since it was last up.
    private var lostRights = false
    private var inquiry: ConsulInquiry
    /// What was told to be left out by the settings.
    private var untaken: [ServiceName: Untaken] = [:]
    /// Those of them that are taken now, and not told yet.
    private var lingering: Set<String> = []

    /// - Parameters:
    ///   - known: what stands in until it is heard.
    ///   - multiplexes: whether the agent may speak HTTP/2.
    ///   - seed: of the jitter.
    init(
        _ configuration: ConsulConfiguration,
        knowing known: KnownWord = KnownWord(),
        multiplexes: Bool = false,
        seed: UInt64
    ) {
        self.configuration = configuration
        self.known = known
        self.gate = ConsulGate(isStored: known.parts.contains(.services))
        self.inquiry = ConsulInquiry(configuration)
        self.effects = ConsulEffects(seed: seed)
        let names: [String?] =
            configuration.datacenters.isEmpty
            ? [nil] : Array(configuration.datacenters.prefix(ConsulConfiguration.maximumDatacenters))
        let limits = Self.limits(datacenters: names.count, multiplexes: multiplexes)
        self.datacenters = names.map { name in
            ConsulDatacenter(
                name: name,
                selection: ConsulSelection(configuration),
                isFiltered: configuration.filter != nil,
                limits: limits,
                known: known.services(in: name)
            )
        }
        self.policy = ConsulPolicy(
            followsConfigEntries: configuration.followsConfigEntries,
            keyPrefix: configuration.keyPrefix,
            knowing: known
        )
    }

    /// What each datacenter may have of the connections, beside the five that it always needs.
    static func limits(datacenters: Int, multiplexes: Bool = false) -> ConsulDatacenter.Limits {
        let shared = ConsulPolicy.kinds.count + 2 + Self.probers
        let readers = max(2, 6 / datacenters)
        let rest = (ConsulConfiguration.maximumConnections - shared) / datacenters - 5 - readers
        let probers = max(1, Self.probers / datacenters)
        let multiplex = multiplexes ? max(0, rest - Self.leastFocus) : 0
        return ConsulDatacenter.Limits(readers: readers, probers: probers, focus: max(0, rest), multiplex: multiplex)
    }

    /// What is counted about it now.
    var figures: SourceMetrics.Figures {
        SourceMetrics.Figures(
            isUp: self.report.status?.state == .up,
            services: self.datacenters.reduce(0) { $0 + $1.services.byName.count },
            instances: self.datacenters.reduce(0) { $0 + $1.services.instanceCount },
            inFlight: self.datacenters.reduce(self.policy.inFlight) { $0 + $1.inFlight }
        )
    }

    /// When to call `timePassed`; nil: not before an answer.
    func deadline(at now: Duration) -> Duration? {
        var times = [self.delivery.due, self.inquiry.due, self.report.due].compactMap { $0 }
        guard self.inquiry.isScopeKnown else { return times.min() }
        let earliest = self.effects.pacer.earliest(at: now)
        times += self.datacenters.compactMap { $0.deadline(at: now, asking: earliest) }
        if let link = self.datacenters.first?.link, let due = self.policy.deadline(link) {
            times.append(max(due, earliest))
        }
        if !self.delivery.isComplete, let due = self.gate.due(after: now) { times.append(due) }
        return times.min()
    }

    /// The first call, and again whenever the deadline has come.
    mutating func timePassed(at now: Duration) -> [ConsulAction] {
        self.effects.now = now
        return self.proceed()
    }

    mutating func answered(_ request: ConsulRequestID, _ answer: ConsulAnswer, at now: Duration) -> [ConsulAction] {
        self.effects.now = now
        let owner = self.effects.ended(request)
        if owner != nil, !answer.content.isOfLink { self.effects.note(isFault: false) }
        switch owner {
        case .datacenter(let place):
            self.effects.owner = .datacenter(place)
            self.datacenters[place].answered(request, answer, &self.effects)
        case .policy:
            self.effects.owner = .policy
            self.policy.answered(request, answer, &self.datacenters[0].link, &self.effects)
        case .agent:
            guard case .agent(let agent) = answer.content else { break }
            self.inquiry.answered(agent, &self.effects)
        case nil: break
        }
        return self.proceed()
    }

    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, at now: Duration) -> [ConsulAction] {
        self.effects.now = now
        let owner = self.effects.ended(request)
        // A refused token is what a good agent says.
        if owner != nil, failure.reason != .acl { self.effects.note(isFault: true) }
        switch owner {
        case .datacenter(let place):
            self.effects.owner = .datacenter(place)
            self.datacenters[place].failed(request, failure, &self.effects)
        case .policy:
            self.effects.owner = .policy
            self.policy.failed(request, failure, &self.effects)
            self.datacenters[0].link.checkNow(at: now)
        case .agent: self.inquiry.failed(failure, &self.effects)
        case nil: break
        }
        return self.proceed()
    }

    /// The operator says that what was told to be hidden is gone.
    mutating func accepted(at now: Duration) -> [ConsulAction] {
        self.effects.now = now
        let told = self.delivery.hidden
        for place in self.datacenters.indices { self.datacenters[place].accept(told) }
        self.effects.owner = .policy
        self.policy.accept(&self.effects)
        return self.proceed()
    }

    /// Does everything that is due.
    private mutating func proceed() -> [ConsulAction] {
        let now = self.effects.now
        self.inquiry.ask(&self.effects)
        if self.effects.takeCalm() {
            for place in self.datacenters.indices { self.datacenters[place].retry(at: now) }
            self.policy.retry(at: now)
        }
        if self.inquiry.isScopeKnown {
            for place in self.datacenters.indices {
                self.effects.owner = .datacenter(place)
                self.datacenters[place].proceed(&self.effects)
                self.delivery.changes(self.datacenters[place].takeChanged(), at: now)
            }
            self.followLink()
            self.effects.owner = .policy
            self.policy.proceed(self.datacenters[0].link, in: self.datacenters[0].name, &self.effects)
        }
        self.deliver()
        return self.effects.takeActions()
    }

    /// What happened to the connections of the preferred datacenter happened to those of the policy.
    private mutating func followLink() {
        let link = self.datacenters[0].link.state
        let token = self.datacenters[0].token
        defer { (self.lastLink, self.lastToken) = (link, token) }
        switch link {
        case .blind: self.lostRights = true
        case .down(let failure) where failure.reason == .acl: self.lostRights = true
        case .unknown, .up, .down: break
        }
        guard link == .up, self.lastLink != .unknown else { return }
        if self.lastLink != .up { self.inquiry.renew(at: self.effects.now) }
        self.effects.owner = .policy
        if self.lastLink == .up {
            if token != self.lastToken { self.policy.reset(&self.effects) }
            return
        }
        if self.lostRights || token != self.lastToken {
            self.policy.reset(&self.effects)
        } else {
            self.policy.renew(&self.effects)
        }
        self.lostRights = false
    }

    private mutating func deliver() {
        let now = self.effects.now
        var findings: [Diagnostic]?
        var told: Set<String> = []
        let isWhole =
            self.delivery.isComplete
            ? self.delivery.isAnotherHeard(self.datacenters) : self.gate.opens(self.datacenters, at: now)
        if isWhole {
            // Before whoever looks for them does so first.
            self.tellUntaken(told: told)
            told = self.lingering
            let (update, diagnostics) = self.delivery.complete(self.datacenters)
            findings = diagnostics
            self.effects.deliver(.catalog(update))
        } else if let due = self.delivery.due, due <= now {
            told = self.delivery.changed
            let (update, diagnostics) = self.delivery.takeUpdate(self.datacenters)
            findings = diagnostics
            if let update { self.effects.deliver(.catalog(update)) }
        }
        if self.delivery.isComplete { self.tellUntaken(told: told) }
        for event in self.policy.takeEvents() { self.effects.deliver(event) }
        if let event = self.report.news(ofHidden: self.policy.hidden) { self.effects.deliver(event) }
        self.tellHealth(findings)
    }

    /// Of datacenters that differ, the first has the word.
    ///
    /// - Parameter told: services of which it was just told what is known.
    private mutating func tellUntaken(told: Set<String>) {
        guard self.datacenters.contains(where: \.isOtherUntaken) || !self.lingering.isDisjoint(with: told) else {
            return
        }
        var untaken: [ServiceName: Untaken] = [:]
        for place in self.datacenters.indices {
            self.datacenters[place].isOtherUntaken = false
            for (name, reason) in self.datacenters[place].untaken where untaken[ServiceName(name)] == nil {
                untaken[ServiceName(name)] = reason
            }
        }
        // Until what is taken now is told, it is not there.
        self.lingering = []
        for (name, reason) in self.untaken where untaken[name] == nil && self.isToBeTold(name) {
            untaken[name] = reason
            self.lingering.insert(name.rawValue)
        }
        guard untaken != self.untaken else { return }
        self.untaken = untaken
        self.effects.deliver(.untaken(untaken))
    }

    /// Whether it is taken, and whoever looks for it does not find it yet.
    private func isToBeTold(_ name: ServiceName) -> Bool {
        if self.delivery.isTold(name) { return false }
        if self.delivery.changed.contains(name.rawValue) { return true }
        return self.datacenters.contains { $0.services[name.rawValue]?.isRead == false }
    }

    /// - Parameter findings: of the services; nil: as before.
    private mutating func tellHealth(_ findings: [Diagnostic]?) {
        let lacks = ConsulLack.all(of: self.policy, stored: self.known.parts)
        let gate = self.delivery.isComplete ? nil : self.gate
        let status = self.inquiry.status ?? ConsulHealth.status(of: self.datacenters, gate: gate, lacks: lacks)
        if let event = self.report.news(of: status, at: self.effects.now) { self.effects.deliver(event) }
        let others =
            lacks.map(\.diagnostic) + ConsulHealth.unreadable(self.policy)
            + self.datacenters.compactMap(ConsulHealth.unaskable)
            + [self.inquiry.problem].compactMap { $0 }
        if let event = self.report.news(of: others, ofServices: findings) { self.effects.deliver(event) }
    }
}
