// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Decides what to ask of Nomad, and what to tell of its answers. Pure: the time comes in, actions come out.
///
/// Facts are told once all allocations and deployments were read, services once each was read, and then each change as it
/// comes. A failure tells nothing but the status: what was told stays told.
struct NomadFollower: Sendable {
    private var context: NomadContext
    private var scopes: [NomadScope]
    private var checks: NomadChecks
    private var areFactsTold = false
    private var areServicesTold = false
    /// Until when the first word of services waits for their checks; nil: they are not all read yet.
    private var checksEnd: Duration?
    private var toldStatus: SourceStatus?
    /// As of the last answer.
    private var token: Int?

    /// - Parameter known: services that were told before this process, and are in force, each with its healthy instances.
    init(_ configuration: NomadConfiguration, known: [ServiceName: Set<InstanceID>] = [:], seed: UInt64) {
        self.context = NomadContext(configuration, seed: seed)
        self.context.services.expect(known.keys, in: configuration.namespaces)
        self.scopes = configuration.namespaces.enumerated().map { number, namespace in
            NomadScope(number: number, namespace: namespace, hasNodes: number == 0)
        }
        let services = self.context.services
        let healthy = known.map { (services.key(of: $0), $1) }
        self.checks = NomadChecks(configuration, known: Dictionary(healthy) { $0.union($1) })
    }

    // MARK: - Inputs

    /// Time has passed; the first call starts it.
    mutating func advance(to now: Duration) -> [NomadAction] {
        self.after(now) { _ in }
    }

    mutating func answered(_ id: NomadRequestID, _ result: Result<NomadAnswer, NomadFailure>, at now: Duration)
        -> [NomadAction]
    {
        self.after(now) { follower in
            guard let purpose = follower.context.effects.ended(id) else { return }
            follower.take(result, for: purpose)
            guard let token = try? result.get().token else { return }
            if let before = follower.token, before != token { follower.askAnew() }
            follower.token = token
        }
    }

    /// The file of the token is another one, and what is asked now carries what is in it.
    mutating func tokenFileReplaced(at now: Duration) -> [NomadAction] {
        // Its answer tells whether it is another token.
        self.after(now) { $0.scopes[0].listings[.services]?.want(notBefore: now, hurry: true) }
    }

    mutating func streamOpened(_ id: NomadRequestID, at now: Duration) -> [NomadAction] {
        self.after(now) { follower in
            guard case .stream(let scope) = follower.context.effects.purposes[id] else { return }
            follower.scopes[scope].streamOpened(&follower.context)
        }
    }

    mutating func heard(_ id: NomadRequestID, _ line: NomadEvents, at now: Duration) -> [NomadAction] {
        if line.isHeartbeat { return [] }
        return self.after(now) { follower in
            guard case .stream(let scope) = follower.context.effects.purposes[id] else { return }
            follower.scopes[scope].heard(line, &follower.context)
        }
    }

    /// - Parameter failure: nil if the server ended it.
    mutating func streamEnded(_ id: NomadRequestID, _ failure: NomadFailure?, at now: Duration) -> [NomadAction] {
        self.after(now) { follower in
            guard case .stream(let scope) = follower.context.effects.ended(id) else { return }
            follower.scopes[scope].streamEnded(failure, &follower.context)
        }
    }

    /// The operator says that what the token may not see any more is gone.
    mutating func accepted(at now: Duration) -> [NomadAction] {
        self.after(now) { follower in
            for number in follower.scopes.indices {
                follower.scopes[number].names.accepted(follower.context.services.hiddenNamespaces)
            }
            follower.context.services.acceptHidden()
        }
    }

    /// Of the last input.
    var now: Duration { self.context.effects.now }

    /// What is counted about it now.
    var figures: SourceMetrics.Figures {
        SourceMetrics.Figures(
            isUp: self.toldStatus?.state == .up,
            services: self.context.services.serviceCount,
            instances: self.context.services.instanceCount,
            inFlight: self.context.effects.purposes.count
        )
    }

    /// When `advance` has something to do.
    var nextDeadline: Duration? {
        let now = self.context.effects.now
        let end = self.areServicesTold ? nil : self.checksEnd.flatMap { $0 > now ? $0 : nil }
        return (self.scopes.map { $0.nextDeadline(after: now) } + [self.checks.due, end]).compactMap(\.self).min()
    }

    private mutating func after(_ now: Duration, _ input: (inout NomadFollower) -> Void) -> [NomadAction] {
        self.context.effects.now = max(now, self.context.effects.now)
        input(&self)
        for number in self.scopes.indices { self.scopes[number].advance(&self.context) }
        self.tell()
        self.checks.advance(&self.context.effects)
        return self.context.effects.takeActions()
    }

    /// There is another token: questions and streams that wait keep the rights that they began with.
    private mutating func askAnew() {
        for number in self.scopes.indices { self.scopes[number].askAnew(&self.context) }
    }

    private mutating func take(_ result: Result<NomadAnswer, NomadFailure>, for purpose: NomadEffects.Purpose) {
        switch (purpose, result) {
        case (.page(let scope, let table), .success(let answer)):
            self.scopes[scope].answered(table, answer, &self.context)
        case (.page(let scope, let table), .failure(let failure)):
            self.scopes[scope].failed(table, failure, &self.context)
        case (.watch(let scope, let table), .success(let answer)):
            self.scopes[scope].watchAnswered(table, answer, &self.context)
        case (.watch(let scope, let table), .failure(let failure)):
            self.scopes[scope].watchFailed(table, failure, &self.context)
        case (.probe(let scope), let result): self.scopes[scope].probed(result)
        case (.service(let scope, let key), .success(let answer)):
            self.scopes[scope].serviceAnswered(key, answer, &self.context)
        case (.service(let scope, let key), .failure(let failure)):
            self.scopes[scope].serviceFailed(key, failure, &self.context)
        case (.visibility(let scope, let namespace), let result):
            self.scopes[scope].visibilityAnswered(namespace, result, &self.context)
        case (.checks(let allocation), .success(let answer)):
            guard case .checks(let checks) = answer.content else { return }
            for key in self.checks.answered(allocation, checks, &self.context.effects) {
                self.context.services.touch(key)
            }
        case (.checks(let allocation), .failure):
            self.checks.failed(allocation, &self.context.effects)
        case (.stream, _): break
        }
    }

    // MARK: - Outputs

    private mutating func tell() {
        if self.areFactsTold || self.scopes.allSatisfy(\.areFactsHeard) {
            let update = self.context.tables.takeUpdate(isFirst: !self.areFactsTold)
            self.areFactsTold = true
            if !update.isEmpty { self.context.effects.deliver(.facts(update)) }
        }
        for key in self.context.services.takeRegrouped() where self.checks.isRequired(key) {
            self.checks.follow(key, self.context.services.allocations(of: key), &self.context.effects)
        }
        // Facts first: no instance of an allocation that ends is told as if it stayed.
        if self.areFactsTold, self.areServicesTold || self.wereServicesHeard() {
            let tables = self.context.tables
            let checks = self.checks
            let isOtherHidden = self.context.services.isOtherHidden
            let update = self.context.services.takeUpdate(
                isFirst: !self.areServicesTold,
                nodeName: tables.nodeName,
                health: checks.health
            )
            let isFirst = !self.areServicesTold
            self.areServicesTold = true
            if isFirst { self.checks.started() }
            if isFirst || isOtherHidden || !update.services.isEmpty {
                self.context.effects.deliver(.source(.catalog(update)))
            }
        }
        let status = self.status
        guard status != self.toldStatus else { return }
        self.toldStatus = status
        self.context.effects.deliver(.source(.status(status)))
    }

    /// And those of their checks that nothing is known of, unless that takes too long.
    private mutating func wereServicesHeard() -> Bool {
        guard self.scopes.allSatisfy(\.areServicesHeard) else { return false }
        let end = self.checksEnd ?? max(self.now, min(self.now + NomadChecks.patience, NomadChecks.latest))
        self.checksEnd = end
        return !self.checks.isAwaiting || self.now >= end
    }

    private var status: SourceStatus {
        let failures = self.scopes.flatMap(\.failures)
        if let failure = failures.first {
            return self.status(.down, failure.text, failure.reason, failure.fault)
        }
        if let suspicion = self.scopes.lazy.compactMap(\.suspicion).first {
            return self.status(.suspect, suspicion, "acl", .rights)
        }
        guard self.areFactsTold, self.areServicesTold else { return SourceStatus(source: .nomad, state: .starting) }
        let lacks = self.scopes.flatMap(\.lacks)
        guard let first = lacks.first else { return SourceStatus(source: .nomad, state: .up) }
        return self.status(.up, lacks.words, "partial", first.failure.fault)
    }

    private func status(
        _ state: SourceStatus.State,
        _ problem: String,
        _ reason: String,
        _ fault: SourceStatus.Fault?
    ) -> SourceStatus {
        SourceStatus(
            source: .nomad,
            state: state,
            problem: problem,
            reason: reason,
            fault: fault,
            isPartial: state != .up && self.scopes.contains(where: \.isFollowed)
        )
    }
}
