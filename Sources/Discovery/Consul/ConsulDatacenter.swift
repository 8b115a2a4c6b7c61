// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Follows the catalog of one datacenter: what to ask, what to believe, and what is known.
///
/// Four questions are always open: the names of the services, the nodes, the critical checks and the warning ones. The
/// difference of an answer to the one before says which services are dirty, and these are read. A change that no
/// difference shows is searched for. See `docs/decisions/008-following-consul-with-few-connections.md`.
///
/// The invariant: what is known of a service is at least as new as the answers of the four questions, or the service is
/// dirty.
struct ConsulDatacenter: Sendable {
    /// How many requests may be open at a time, besides the five that are always.
    struct Limits: Hashable, Sendable {
        var readers: Int
        /// Each of many questions.
        var probers: Int
        var focus: Int
        /// Of those of the focus, how many may be shared by many questions each.
        var multiplex = 0
    }

    /// How long a service may be listed and empty before somebody is told.
    static let patience = Duration.seconds(1)
    /// Of the server's time, to list the names: measured, see the decision.
    static let costOfInstance = Duration.microseconds(1)
    /// Once in a while every service is probed, though nothing calls for it.
    static let auditInterval = Duration.seconds(300)

    /// Nil: the agent's own.
    let name: String?
    let selection: ConsulSelection
    /// Whether instances are left out of readings by the server, so that an empty one may be the truth.
    let isFiltered: Bool
    let limits: Limits

    var link = ConsulLink()
    /// That the link had last; nil: it was not answered yet.
    var token: Int?
    var doubt = ConsulDoubt()
    var names = ConsulWatch()
    var nodes = ConsulWatch()
    var critical = ConsulWatch()
    var warning = ConsulWatch()
    /// The answers before.
    var nodeIndexes: [String: UInt64] = [:]
    var criticalChecks: Set<ConsulCheckKey> = []
    var warningChecks: Set<ConsulCheckKey> = []
    /// The last failure of each question, until it is answered.
    var problems: [ConsulQuery.Subject: ConsulFailure] = [:] {
        didSet { self.troubles.changed() }
    }
    /// What that is for the services.
    var troubles = ConsulTroubles()

    var services = ConsulServices()
    /// Known from before the start, and neither listed nor found to be gone since.
    var expected: Set<String>
    /// Listed, and left out because of their names.
    var unaskable: (first: String, count: Int)?
    /// Listed, and left out because of the settings.
    var untaken: [String: Untaken] = [:] {
        didSet { if self.untaken != oldValue { self.isOtherUntaken = true } }
    }
    /// Whether that was not told.
    var isOtherUntaken = false
    /// Listed no more.
    var missing = ConsulMissing()
    /// Instances that are read no more, and may be there.
    var unseen = ConsulUnseen()
    var focus: ConsulFocus
    var multiplex: ConsulMultiplex
    var search = ConsulSearch()
    /// The question that comes before a search.
    var glance: ConsulRequestID?
    /// Whether all that is listed and can be read had been read at some time: what is new after that has only now come up.
    var hasSettled = false
    var readings: [ConsulRequestID: Reading] = [:]
    var resetNotBefore = Duration.zero
    var isResetWanted = false
    var nextAudit: Duration?
    /// The catalog's index that the questions had not reached when the link was last checked.
    var missedIndex: UInt64?
    /// False: this server's indexes of the catalog do not compare with those of its tables.
    var isIndexComparable = true

    /// What changed since it was last asked for.
    private(set) var changed: Set<String> = []

    /// A service that is being read.
    struct Reading: Sendable {
        var service: String
        /// What was known of the service when it began.
        var index: UInt64
        /// The indexes of the questions then.
        var marks: [UInt64]
        /// Instances that are gone if it lacks them.
        var cleared: Set<InstanceID>
    }

    /// - Parameter known: services that were told before this process, and are in force.
    init(
        name: String?,
        selection: ConsulSelection,
        isFiltered: Bool,
        limits: Limits,
        known: some Sequence<String> = []
    ) {
        self.name = name
        self.expected = Set(known.filter { selection.mayTake($0) && ConsulSelection.canBeAsked($0) })
        self.selection = selection
        self.isFiltered = isFiltered
        self.limits = limits
        self.focus = ConsulFocus(capacity: limits.focus)
        self.multiplex = ConsulMultiplex(limit: limits.multiplex)
    }

    /// Whether all four questions were answered.
    var isBased: Bool {
        self.names.isBased && self.nodes.isBased && self.critical.isBased && self.warning.isBased
    }

    /// Whether all that is listed has been read.
    var isComplete: Bool { self.isBased && self.services.unread.isEmpty }

    /// How many requests are under way.
    var inFlight: Int {
        let standing = [
            self.link.request, self.names.request, self.nodes.request, self.critical.request, self.warning.request,
            self.glance,
        ]
        return standing.count { $0 != nil } + self.readings.count + self.search.inFlight
            + self.focus.inFlight + self.multiplex.inFlight + self.missing.inFlight + self.unseen.inFlight
    }

    mutating func takeChanged() -> Set<String> {
        defer { self.changed = [] }
        return self.changed
    }

    mutating func isChanged(_ name: String) { self.changed.insert(name) }

    // MARK: Inputs

    mutating func answered(_ request: ConsulRequestID, _ answer: ConsulAnswer, _ effects: inout ConsulEffects) {
        if request == self.link.request {
            self.linkAnswered(answer, &effects)
        } else if request == self.names.request {
            self.namesAnswered(answer, &effects)
        } else if request == self.nodes.request {
            self.nodesAnswered(answer, &effects)
        } else if request == self.critical.request {
            self.checksAnswered(.critical, answer, &effects)
        } else if request == self.warning.request {
            self.checksAnswered(.warning, answer, &effects)
        } else if request == self.glance {
            self.glanceAnswered(answer, &effects)
        } else {
            self.serviceAnswered(request, answer, &effects)
        }
        self.proceed(&effects)
    }

    mutating func failed(_ request: ConsulRequestID, _ failure: ConsulFailure, _ effects: inout ConsulEffects) {
        if request == self.link.request {
            self.link.failed(failure, &effects)
        } else {
            self.questionFailed(request, failure, &effects)
            self.link.checkNow(at: effects.now)
        }
        self.proceed(&effects)
    }

    /// After a failure of its own, nothing need wait any longer.
    mutating func retry(at now: Duration) {
        for watch in [\Self.names, \.nodes, \.critical, \.warning] { self[keyPath: watch].retry(at: now) }
        self.services.retry(at: now)
        self.focus.retry(at: now)
        self.multiplex.retry(at: now)
        self.search.retry(at: now)
    }

    /// The earliest time at which `proceed` has something to do; nil: only an answer changes anything.
    ///
    /// - Parameter earliest: when anything but the link may be asked.
    func deadline(at now: Duration, asking earliest: Duration) -> Duration? {
        var times: [Duration] = []
        if self.link.isUp, self.isResetWanted { times.append(self.resetNotBefore) }
        if self.link.isUp, let due = self.troubles.due { times.append(due) }
        if let due = self.nextQuestion(at: now) { times.append(max(due, earliest)) }
        if self.link.request == nil { times.append(self.link.due) }
        return times.min()
    }

    private func nextQuestion(at now: Duration) -> Duration? {
        guard self.link.isUp else { return nil }
        var times: [Duration] = []
        times += [self.names.due, self.nodes.due, self.critical.due, self.warning.due].compactMap { $0 }
        guard self.isBased else { return times.min() }
        let isAnyToRead = self.services.isAnyQueued || self.missing.isAnyWaiting || self.unseen.isAnyWaiting
        if isAnyToRead, self.freeReaders > 0 { times.append(now) }
        if let wake = self.services.nextWake { times.append(wake) }
        if let due = self.missing.due { times.append(due) }
        if let due = self.unseen.due { times.append(due) }
        if let due = self.focus.due(self.services) { times.append(due) }
        if self.sharesConnections, let due = self.multiplex.due(room: self.multiplexRoom) { times.append(due) }
        if !self.services.isAnyQueued, self.glance == nil {
            if let due = self.search.due(at: now) { times.append(due) }
            if let audit = self.nextAudit { times.append(audit) }
        }
        return times.min()
    }

    /// How many services may be read at a time: a glance takes the place of one.
    var readers: Int { self.limits.readers - (self.glance == nil ? 0 : 1) }

    /// How many more.
    var freeReaders: Int {
        self.readers - self.readings.count - self.missing.inFlight - self.unseen.inFlight
    }

    /// Asks all that is to be asked now.
    mutating func proceed(_ effects: inout ConsulEffects) {
        self.link.check(in: self.name, floor: self.catalogIndex, &effects)
        guard self.link.isUp else { return }
        defer { self.lookAtTroubles(at: effects.now) }
        effects.isCautious = self.doubt.isRecent(at: effects.now)
        if self.isResetWanted, self.resetNotBefore <= effects.now { self.reset(&effects) }
        if self.isBased, self.missing.wake(at: effects.now) { self.names.askAgain(&effects) }
        self.names.ask(.services, in: self.name, &effects)
        self.nodes.ask(.nodes, in: self.name, &effects)
        self.critical.ask(.checks(.critical), in: self.name, &effects)
        self.warning.ask(.checks(.warning), in: self.name, &effects)
        guard self.isBased else { return }
        self.services.wake(at: effects.now)
        self.unseen.wake(at: effects.now)
        self.read(&effects)
        if self.isComplete || !self.services.isAnyQueued && self.readings.isEmpty { self.hasSettled = true }
        self.watch(&effects)
        self.probe(&effects)
        self.lookForChanges(&effects)
    }

    /// The highest index that was seen of the tables of services and nodes.
    var catalogIndex: UInt64 { max(self.names.index ?? 0, self.nodes.index ?? 0) }
}
