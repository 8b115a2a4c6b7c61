// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import TestSupport
import Testing

@testable import Discovery

/// A follower and a model of what it follows, with time and delays in between: requests and answers overtake one another.
struct ConsulRig {
    private struct Request {
        var query: ConsulQuery
        /// When it gets to the server; nil: it is there and waits.
        var arrives: Duration?
        /// When the server answers without a change.
        var expires: Duration
    }

    private struct Answer {
        var arrives: Duration
        var result: Result<ConsulAnswer, ConsulFailure>
    }

    var model = ConsulModel()
    /// Those of other datacenters, by name; nil while it cannot be reached.
    var others: [String: ConsulModel?] = [:]
    /// Nobody answers.
    var isDown = false
    /// What the headers of answers are made of what they should be.
    var forgedIndex: ((UInt64) -> UInt64)?
    /// The link shows a higher index than the lists.
    var isLinkAhead = false
    /// Questions for indexes fail, and no other.
    var brokenProbes = false
    /// Why services cannot be read, by datacenter and name.
    var unreadable: [String: [String: ConsulFailure]] = [:]
    /// What is asked for and too large.
    var tooLarge: Set<ConsulQuery.Subject> = []
    /// All questions fail but whether the catalog can be seen.
    var brokenButLink = false
    /// One of so many answers is an error; 0: none.
    var errorRate: UInt64 = 0
    private(set) var now: Duration = .zero
    private(set) var follower: ConsulFollower
    /// What is told goes there.
    private(set) var guarded: CatalogGuard
    /// What it takes away, and what was hidden.
    private(set) var guardEvents: [GuardOutcome.Event] = []
    private let configuration: ConsulConfiguration
    private let rules: CatalogGuard.SourceRules
    private var isStarted = false
    private(set) var told: [ServiceName: Service] = [:]
    private(set) var isComplete = false
    private(set) var statuses: [SourceStatus] = []
    private(set) var events: [SourceEvent] = []
    private(set) var counts: [SourceMetrics.Count: Int] = [:]
    private(set) var sent: [ConsulQuery] = []
    private(set) var mostInFlight = 0
    private var requests: [ConsulRequestID: Request] = [:]
    private var answers: [ConsulRequestID: Answer] = [:]
    private var random: SeededGenerator
    /// When each instance that is told was last not there.
    private var lastAbsent: [String: Duration] = [:]

    init(
        seed: UInt64 = 1,
        _ configuration: ConsulConfiguration = .init(followsConfigEntries: false),
        knowing known: KnownWord = KnownWord(),
        questionsPerConnection: Int? = nil,
        rules: CatalogGuard.SourceRules = .none
    ) {
        self.configuration = configuration
        self.rules = rules
        self.guarded = CatalogGuard(.init(rules: [.consul: rules]))
        self.random = SeededGenerator(seed: seed)
        self.model.questionsPerConnection = questionsPerConnection ?? 0
        self.follower = ConsulFollower(
            configuration,
            knowing: known,
            multiplexes: questionsPerConnection != nil,
            seed: seed
        )
    }

    var status: SourceStatus? { self.statuses.last }

    /// What is wrong now.
    var findings: [Diagnostic] {
        self.events.lazy.compactMap { if case .diagnostics(let found) = $0 { found } else { nil } }.last ?? []
    }

    /// Lets time pass, with all that happens in it.
    mutating func run(for duration: Duration) {
        let end = self.now + duration
        defer { self.isStarted = true }
        if !self.isStarted { self.perform(self.follower.timePassed(at: self.now)) }
        while let next = self.nextTime, next <= end {
            self.now = max(self.now, next)
            self.step()
        }
        self.now = end
        self.guardEvents += self.guarded.advance(to: end).events
    }

    /// Changes the model; whoever waits for it is answered.
    mutating func change(_ change: (inout ConsulModel) -> Void) {
        change(&self.model)
        self.noteAbsences()
        self.answerReady()
    }

    /// Changes another datacenter.
    mutating func change(_ datacenter: String, _ change: (inout ConsulModel) -> Void) {
        guard var model = self.others[datacenter] ?? nil else { return }
        change(&model)
        self.others[datacenter] = model
        self.answerReady()
    }

    /// The operator accepts what goes.
    mutating func accept() {
        // Of these he was told.
        let hidden = self.guarded.held.filter { $0.reason == .hidden }.flatMap(\.names)
        for service in self.told.values where hidden.contains(service.name.rawValue) {
            for instance in service.instances { self.lastAbsent[instance.origin.file] = self.now }
        }
        self.guardEvents += self.guarded.accept(.consul, at: self.now).events
        self.perform(self.follower.accepted(at: self.now))
    }

    /// Another process, that knows what the one before had stored.
    mutating func restart() {
        let stored = self.guarded.stored(wallClock: 0, at: self.now)
        self.guarded = CatalogGuard(.init(rules: [.consul: self.rules]))
        _ = self.guarded.seed(stored, wallClock: 0, at: self.now)
        self.follower = ConsulFollower(
            self.configuration,
            knowing: stored.sources[.consul].map(KnownWord.init) ?? KnownWord(),
            multiplexes: self.model.questionsPerConnection > 0,
            seed: .random(in: 0...UInt64.max, using: &self.random)
        )
        (self.requests, self.answers, self.statuses, self.events) = ([:], [:], [], [])
        (self.isComplete, self.isStarted) = (false, false)
    }

    /// What the guard has in force.
    var inForce: [ServiceName: Service] { self.guarded.catalog.services.filter { !$0.value.instances.isEmpty } }

    private func model(of query: ConsulQuery) -> ConsulModel? {
        guard let name = query.datacenter, name != self.model.datacenter else { return self.model }
        return self.others[name] ?? nil
    }

    private mutating func answerReady() {
        for id in self.requests.keys.sorted(by: { $0.rawValue < $1.rawValue }) { self.answerIfReady(id) }
    }

    /// All connections end, as when the server is killed.
    mutating func disconnect() {
        for id in self.requests.keys { self.fail(id, .unreachable) }
        self.requests = [:]
    }

    /// Whether what was told is what there is.
    var isSettled: Bool {
        let services = self.model.services.keys.map { name in
            Service(
                name: ServiceName(name),
                instances: self.model.instances(of: name),
                origin: Origin(file: "consul:dc1/\(name)")
            )
        }
        return self.isComplete && self.told == Catalog(services).services
    }

    // MARK: Steps

    private var nextTime: Duration? {
        let times =
            self.requests.values.map { $0.arrives ?? $0.expires } + self.answers.values.map(\.arrives)
            + [self.follower.deadline(at: self.now)].compactMap { $0 }
        return times.min()
    }

    private mutating func step() {
        let due = self.answers.filter { $0.value.arrives <= self.now }.keys.sorted { $0.rawValue < $1.rawValue }
        for id in due {
            guard let answer = self.answers.removeValue(forKey: id) else { continue }
            switch answer.result {
            case .success(let answer): self.perform(self.follower.answered(id, answer, at: self.now))
            case .failure(let failure): self.perform(self.follower.failed(id, failure, at: self.now))
            }
        }
        for id in self.requests.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let request = self.requests[id] else { continue }
            if let arrives = request.arrives, arrives <= self.now {
                self.requests[id]?.arrives = nil
                if self.isDown {
                    self.fail(id, .unreachable)
                } else {
                    self.answerIfReady(id)
                }
            } else if request.arrives == nil, request.expires <= self.now {
                self.answer(id)
            }
        }
        if let deadline = self.follower.deadline(at: self.now), deadline <= self.now {
            self.perform(self.follower.timePassed(at: self.now))
            if let next = self.follower.deadline(at: self.now), next <= self.now {
                Issue.record("the follower does not do what is due")
                self.now += .milliseconds(1)
            }
        }
    }

    private mutating func answerIfReady(_ id: ConsulRequestID) {
        guard let request = self.requests[id], request.arrives == nil else { return }
        if self.model(of: request.query)?.isReady(request.query) ?? true { self.answer(id) }
    }

    private mutating func answer(_ id: ConsulRequestID) {
        guard let request = self.requests.removeValue(forKey: id) else { return }
        if self.brokenButLink, !request.query.isOfLink { return self.fail(id, .status) }
        if case .service(let name) = request.query.subject,
            let failure = self.unreadable[request.query.datacenter ?? "dc1"]?[name]
        {
            self.answers[id] = Answer(arrives: self.now + self.delay(), result: .failure(failure))
            return
        }
        if self.tooLarge.contains(request.query.subject) { return self.fail(id, .size) }
        if self.brokenProbes, case .probes = request.query.subject { return self.fail(id, .status) }
        if self.errorRate > 0, UInt64.random(in: 0..<self.errorRate, using: &self.random) == 0 {
            self.answers[id] = Answer(
                arrives: self.now + self.delay(),
                result: .failure(ConsulFailure(reason: .status, message: "500"))
            )
            return
        }
        var result =
            self.model(of: request.query)?.answer(request.query)
            ?? .failure(ConsulFailure(APIError(.status, "No path to datacenter", status: 500, meaning: .noPath)))
        if self.isLinkAhead, case .server = request.query.subject {
            result = result.map { ConsulAnswer(content: $0.content, index: $0.index + 100, bytes: $0.bytes) }
        }
        if let forgedIndex = self.forgedIndex {
            result = result.map { ConsulAnswer(content: $0.content, index: forgedIndex($0.index), bytes: $0.bytes) }
        }
        self.answers[id] = Answer(arrives: self.now + self.delay(), result: result)
    }

    private mutating func fail(_ id: ConsulRequestID, _ reason: ConsulFailure.Reason) {
        self.requests[id] = nil
        let failure = ConsulFailure(reason: reason, message: "\(reason)")
        self.answers[id] = Answer(arrives: self.now + self.delay(), result: .failure(failure))
    }

    /// Mostly short, sometimes long.
    private mutating func delay() -> Duration {
        let micros = Int.random(in: 50...2000, using: &self.random)
        return .microseconds(Int.random(in: 0..<10, using: &self.random) == 0 ? micros * 20 : micros)
    }

    private mutating func perform(_ actions: [ConsulAction]) {
        for action in actions {
            switch action {
            case .send(let id, let query):
                self.sent.append(query)
                self.replace(query)
                let arrives = self.now + self.delay()
                self.requests[id] = Request(query: query, arrives: arrives, expires: arrives + query.longest)
            case .cancel(let id):
                self.requests[id] = nil
                self.answers[id] = nil
            case .count(let event): self.counts[event, default: 0] += 1
            case .deliver(let event): self.take(event)
            }
        }
        let groups = Set(
            self.requests.values.compactMap { request in
                request.query.subject.group.map { "\(request.query.datacenter ?? "")/\($0)" }
            }
        )
        let others = self.requests.values.count { $0.query.subject.group == nil }
        self.mostInFlight = max(self.mostInFlight, groups.count + others + self.answers.count)
    }

    /// What waits on a connection is replaced by what is asked there next.
    private mutating func replace(_ query: ConsulQuery) {
        guard let group = query.subject.group else { return }
        for (id, request) in self.requests
        where request.query.subject.group == group && request.query.datacenter == query.datacenter {
            self.requests[id] = nil
            let nothing = ConsulAnswer(content: .indexes([:]), index: 1, bytes: 0)
            self.answers[id] = Answer(arrives: self.now + self.delay(), result: .success(nothing))
        }
    }

    private mutating func take(_ event: SourceEvent) {
        self.events.append(event)
        switch event {
        case .catalog(let update):
            self.guardEvents += self.guarded.apply(update, at: self.now).events
            if update.isComplete {
                self.isComplete = true
                for name in self.told.keys
                where update.services[name] == nil && update.unheard.services[name] == nil {
                    self.expectNothingLost(from: self.told[name], to: nil)
                    self.told[name] = nil
                }
            }
            for (name, service) in update.services where service != nil || update.unheard.services[name] == nil {
                self.expectNothingLost(from: self.told[name], to: service)
                self.told[name] = service
            }
        case .status(let status):
            self.guarded.apply(status, at: self.now)
            #expect(status != self.statuses.last)
            self.statuses.append(status)
        case .configEntries(let entries, let accepted):
            let outcome = self.guarded.apply(
                configEntries: entries,
                from: .consul,
                accepted: accepted,
                at: self.now
            )
            self.guardEvents += outcome.events
        case .documents(let changes, _): _ = self.guarded.apply(documents: changes, from: .consul, at: self.now)
        case .hiddenPolicy(let subjects):
            self.guardEvents += self.guarded.hidePolicy(subjects, of: .consul, at: self.now).events
        case .diagnostics, .untaken: break
        }
    }

    // MARK: What must hold

    /// Whatever is told to be gone was gone, not long ago.
    private func expectNothingLost(from old: Service?, to new: Service?) {
        let kept = Set((new?.instances ?? []).map(\.origin))
        for instance in old?.instances ?? [] where !kept.contains(instance.origin) && self.isThere(instance, of: old) {
            let last = self.lastAbsent[instance.origin.file]
            #expect(
                last.map { $0 > self.now - .seconds(80) } ?? false,
                "\(instance.origin.file) was removed and is there"
            )
        }
    }

    /// By what registered it: its ID may be one that another has, too.
    private func isThere(_ instance: Instance, of service: Service?) -> Bool {
        guard let name = service?.name.rawValue, let registrations = self.model.services[name] else { return false }
        return registrations.keys.contains { instance.origin.file == "consul:\(self.model.datacenter)/\(name)/\($0)" }
    }

    private mutating func noteAbsences() {
        for service in self.told.values {
            for instance in service.instances where !self.isThere(instance, of: service) {
                self.lastAbsent[instance.origin.file] = self.now
            }
        }
    }
}

extension CatalogGuard.SourceRules {
    /// Everything goes at once.
    static let none: Self = {
        var rules = Self()
        (rules.fraction, rules.lastInstanceGrace) = (0, .zero)
        return rules
    }()
}
